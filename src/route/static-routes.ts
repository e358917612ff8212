/**
 * Routes the operator wrote down: no MX lookup, and no address of theirs is refused.
 * One rule: everything is checked when the router is made, and a complaint names the text.
 */
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

/**
 * The routes by domain.
 * @param routes domain → target, as `parseRouteTarget` reads it
 * @param defaultPort for targets without one
 * @throws {TypeError} for a domain or a target that is none.
 */
export function createStaticRoutes(
  routes: Readonly<Record<string, string>>,
  defaultPort: number,
): ReadonlyMap<string, Route> {
  const entries = Object.entries(routes).map(([name, text]): [string, Route] => {
    const domain = checkedDomain(name)
    const { host, port } = parseRouteTarget(text)
    const exchanger: Exchanger = {
      host,
      preference: 0,
      implicit: false,
      port: port ?? defaultPort,
      isStatic: true,
    }
    return [domain, { domain, site: siteOf([exchanger]), exchangers: [exchanger] }]
  })
  return new Map(entries)
}

function checkedDomain(name: string): string {
  try {
    return normaliseDomain(name, name)
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause
    throw new TypeError(`Expected \`routes\` to be keyed by domains, got \`${name}\``, { cause })
  }
}
