/**
 * From the catalogue to addresses and records: each host gets a loopback address of its own, as on the internet, and
 * the zone follows from the hosts.
 */
import type { DomainPlan, HostPlan } from './domains/plan.ts'
import type { Zone, ZoneEntry } from './zone.ts'

/** A host of a domain, with its place. */
export interface Host {
  readonly name: string
  readonly ip: string
  readonly server: HostPlan['server']
}

/** A domain's hosts and its own MX records. */
interface PlacedDomain {
  readonly plan: DomainPlan
  readonly hosts: readonly Host[]
  readonly mx: readonly { readonly preference: number; readonly host: string }[]
}

/** 127.25.1.1, 127.25.1.2 … : 25 is the port that is meant. */
const loopbackAddress = (at: number): string => `127.25.${1 + Math.floor(at / 250)}.${1 + (at % 250)}`

const isList = (hosts: DomainPlan['hosts']): hosts is readonly HostPlan[] => Array.isArray(hosts)

/** Gives every host an address, in the order of the catalogue. */
export const placeHosts = (plans: readonly DomainPlan[]): readonly PlacedDomain[] => {
  let placed = 0
  const place = (name: string, server: HostPlan['server'], family?: 4 | 6): Host => {
    if (family === 6) return { name, server, ip: '::1' }
    placed += 1
    return { name, server, ip: loopbackAddress(placed - 1) }
  }
  return plans.map((plan) => {
    if (!isList(plan.hosts)) return { plan, hosts: [place(plan.domain, plan.hosts.host)], mx: [] }
    const nameOf = ({ label }: HostPlan): string => `${label}.${plan.domain}`
    return {
      plan,
      hosts: plan.hosts.map((host) => place(nameOf(host), host.server, host.family)),
      mx: plan.hosts.map((host) => ({ preference: host.preference, host: nameOf(host) })),
    }
  })
}

const addressOf = ({ ip }: Host): ZoneEntry => (ip.includes(':') ? { aaaa: [ip] } : { a: [ip] })

/** The records of all domains; what a plan says itself stands before what follows from its hosts. */
export const buildZone = (
  domains: readonly PlacedDomain[],
  further: Readonly<Record<string, ZoneEntry>> = {},
): Zone => {
  const zone = new Map<string, ZoneEntry>()
  for (const { plan, hosts, mx } of domains) {
    if (mx.length > 0) zone.set(plan.domain, { mx })
    for (const host of hosts) zone.set(host.name, addressOf(host))
    for (const [name, entry] of Object.entries(plan.records ?? {})) {
      zone.set(name, { ...zone.get(name), ...entry })
    }
  }
  // The root exists, and the played resolver has validated what it says of it.
  zone.set('', { signed: true })
  for (const [name, entry] of Object.entries(further)) zone.set(name, { ...zone.get(name), ...entry })
  return zone
}
