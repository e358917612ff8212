/**
 * Routes the operator wrote down: no MX lookup, and no address of theirs is refused.
 * One rule: everything is checked when the router is made, and a complaint names the text.
 */
import type { RelayForDomains, RelaySettings } from '../config/relay-settings.ts'
import { AddressError } from '../mail/address.ts'
import { normaliseDomain } from '../mail/address-domain.ts'
import { type Exchanger, siteOf } from './exchangers.ts'
import { parseIp } from './ip.ts'
import type { Route } from './route.ts'

/** What stands after the `=` of `--route example.test=mx.example.net:2525`. */
export interface RouteTarget {
  /** A host name in lower-case A-labels, or an IP address in brackets. */
  readonly host: string
  /** `null` where none was written. */
  readonly port: number | null
}

const forms = '`mx.example.net`, `mx.example.net:2525`, `192.0.2.1:2525` or `[2001:db8::1]:2525`'

/**
 * Reads `host`, `host:port`, an IP address, `192.0.2.1:port` or `[2001:db8::1]:port`.
 * @throws {TypeError} when it is none; the message names the text.
 */
export function parseRouteTarget(text: string): RouteTarget {
  const alone = parseIp(text)
  if (alone !== null) return { host: `[${alone.ip}]`, port: null }
  const [, inBrackets, name, port] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(.*))?$/s.exec(text) ?? []
  const ip = parseIp(inBrackets ?? name ?? '')
  if (ip !== null) return { host: `[${ip.ip}]`, port: parsePort(port, text) }
  if (name === undefined) throw new TypeError(`Expected a route to lead to ${forms}, got \`${text}\``)
  return { host: checkedName(name, text), port: parsePort(port, text) }
}

function parsePort(digits: string | undefined, text: string): number | null {
  if (digits === undefined) return null
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new TypeError(
    `Expected the port of a route to be a number from 1 to 65535, got \`${digits}\` in \`${text}\``,
  )
}

function checkedName(name: string, text: string): string {
  try {
    return normaliseDomain(name, text)
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause
    throw new TypeError(`Expected a route to lead to ${forms}, got \`${text}\``, { cause })
  }
}

/** What a route leads to, as it stands in the options. */
export interface StaticRoutes {
  /** Domain or pattern → target as `parseRouteTarget` reads it, `direct`, or a relay of its own. */
  readonly routes: Readonly<Record<string, string | RelaySettings>>
  /** For `domains`, unless `routes` say otherwise of the same ones. */
  readonly relay?: RelayForDomains | null
  /** For targets without a port. */
  readonly defaultPort: number
}

/** The way of a pattern: `null` is that of the DNS. */
type Way = Exchanger | null

/** Finds the operator's route for a domain. */
export interface StaticRouteTable {
  /** `null`: the exchangers that the DNS names. */
  find(domain: string): Route | null
}

/**
 * The routes by domain. Of the patterns that fit, the longest counts.
 * @throws {TypeError} for a domain or a target that is none.
 */
export function createStaticRoutes({ routes, relay = null, defaultPort }: StaticRoutes): StaticRouteTable {
  const ways = new Map<string, Way>()
  for (const name of relay?.domains ?? []) {
    if (relay !== null) ways.set(checkedPattern(name, 'relay.domains'), relayExchanger(relay))
  }
  for (const [name, target] of Object.entries(routes)) {
    ways.set(checkedPattern(name, 'routes'), wayOf(target, defaultPort))
  }
  return {
    find: (domain) => {
      if (ways.size === 0) return null
      const way = patternsFor(domain)
        .map((pattern) => ways.get(pattern))
        .find((found) => found !== undefined)
      return way === undefined || way === null ? null : routeVia(way, domain)
    },
  }
}

/** A route with one exchanger. */
export function routeVia(exchanger: Exchanger, domain: string): Route {
  return { domain, site: siteOf([exchanger]), exchangers: [exchanger] }
}

/** @throws {TypeError} its host is none. */
export function relayExchanger(relay: RelaySettings): Exchanger {
  const { host } = parseRouteTarget(relay.host)
  return { host, preference: 0, implicit: false, port: relay.port, isStatic: true, relay }
}

function wayOf(target: string | RelaySettings, defaultPort: number): Way {
  if (typeof target !== 'string') return relayExchanger(target)
  if (target === 'direct') return null
  const { host, port } = parseRouteTarget(target)
  return { host, preference: 0, implicit: false, port: port ?? defaultPort, isStatic: true }
}

/** Longest first: `a.b.test`, `*.b.test`, `*.test`, `*`. */
function patternsFor(domain: string): readonly string[] {
  const parents = domain.startsWith('[') ? [] : domain.split('.').slice(1)
  return [domain, ...parents.map((_, at) => `*.${parents.slice(at).join('.')}`), '*']
}

function checkedPattern(name: string, option: string): string {
  if (name === '*') return name
  const [, below, domain = ''] = /^(\*\.)?(.*)$/s.exec(name) ?? []
  try {
    return `${below ?? ''}${normaliseDomain(domain, name)}`
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause
    const what = option === 'routes' ? 'be keyed by' : 'name'
    throw new TypeError(`Expected \`${option}\` to ${what} domains, got \`${name}\``, { cause })
  }
}
