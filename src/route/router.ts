/**
 * The front door of this folder: domain → route, exchanger → targets.
 * One rule: nothing is remembered here; what DNS said is remembered by the resolver, once for everybody.
 */
import type { RelayForDomains, RelaySettings } from '../config/relay-settings.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { LookupEvent } from '../log/events.ts'
import { systemClock } from '../time/clock.ts'
import { type Exchanger, siteOf } from './exchangers.ts'
import { createOwnAddresses } from './own-addresses.ts'
import {
  askExchangers,
  betterThanOurselves,
  exchangerOfLiteral,
  exchangersOf,
  type MxAnswer,
} from './resolve-exchangers.ts'
import { resolveTargets } from './resolve-targets.ts'
import type { Route, Router } from './route.ts'
import { createStaticRoutes, relayExchanger, routeVia, type StaticRoutes } from './static-routes.ts'

/** An answer to "who are the exchangers of this domain?", for the log. */
export type Lookup = Omit<LookupEvent, 'kind' | 'id'>

/** What `createRouter` is told. */
export interface RouterOptions {
  /** Should be a caching one: every route and every target asks it. */
  readonly resolver: Resolver
  /** Our own name, as given in EHLO; an exchanger of this name is ourselves. */
  readonly hostname: string
  /** More names of ours, as given in EHLO from single addresses. Default: none. */
  readonly otherHostnames?: readonly string[]
  /** Port of the exchangers. Default 25 (RFC 5321 §4.5.4.2). */
  readonly port?: number
  /**
   * Dial loopback, private and other special-purpose addresses, and our own, even if DNS named them. Default false:
   * whoever owns a domain could otherwise have us connect to what only this network reaches.
   */
  readonly allowLocalAddresses?: boolean
  /** Domain or pattern → `host[:port]`, an IP address, `[IPv6 address]:port`, `direct`, or a relay. Default: none. */
  readonly routes?: StaticRoutes['routes']
  /** The relay for its `domains`. Default: none. */
  readonly relay?: RelayForDomains | null
  /** The relay for domains whose exchangers, or whose relay, cannot be connected to. Default: none. */
  readonly fallbackRelay?: RelaySettings | null
  /** Families to look up and dial; the order is of no account. Default both. */
  readonly families?: readonly (4 | 6)[]
  /** This host's addresses, loopback excluded. Default: what the operating system says. */
  readonly interfaceAddresses?: () => readonly string[]
  /** Told of each answer once, however many recipients share it; not of static routes and address literals. */
  readonly onLookup?: (lookup: Lookup) => void
}

/** @throws {TypeError} for a malformed route, or no family. */
export function createRouter(options: RouterOptions): Router {
  const { resolver, port = 25, families = [6, 4], allowLocalAddresses = false } = options
  if (families.length === 0) throw new TypeError('Expected `families` to name 4, 6 or both, got none')
  const ownAddresses = options.interfaceAddresses ?? createOwnAddresses()
  const { routes = {}, relay = null, fallbackRelay = null } = options
  const staticRoutes = createStaticRoutes({ routes, relay, defaultPort: port })
  const fallback = fallbackRelay === null ? null : relayExchanger(fallbackRelay)
  const lookUp = lookUpOf(options, port)

  const isRelay = ({ exchangers }: Route): boolean => relay !== null && exchangers[0]?.relay === relay

  /** Not where the operator chose a host for the domain: what goes there may be meant for no other. */
  function withFallback(route: Route): Route {
    if (fallback === null) return route
    const other = routeVia(fallback, route.domain)
    return other.site === route.site ? route : { ...route, fallback: other }
  }

  return {
    route: async (name, waiting = {}) => {
      const domain = name.toLowerCase()
      const chosen = staticRoutes.find(domain)
      if (chosen !== null) return isRelay(chosen) ? withFallback(chosen) : chosen
      const exchangers = domain.startsWith('[')
        ? [exchangerOfLiteral(domain, port)]
        : await lookUp(domain, waiting)
      return withFallback({ domain, site: siteOf(exchangers), exchangers })
    },
    targets: (exchanger, waiting = {}) =>
      resolveTargets(exchanger, { resolver, families, allowLocalAddresses, ownAddresses }, waiting),
  }
}

type LookUp = (domain: string, waiting: { signal?: AbortSignal }) => Promise<readonly Exchanger[]>

/** How DNS is asked for the exchangers that mail from here may go to; each answer is told. */
function lookUpOf(
  { resolver, hostname, otherHostnames = [], onLookup }: RouterOptions,
  port: number,
): LookUp {
  const names = [hostname, ...otherHostnames]
  const ownNames = new Set(names.map((name) => name.toLowerCase().replace(/\.$/, '')))
  const tell = tellOnce(onLookup)
  return async (domain, waiting) => {
    const startedAt = systemClock.monotonic()
    const answer = await askExchangers(resolver, domain, waiting)
    const durationMs = systemClock.monotonic() - startedAt
    try {
      const exchangers = betterThanOurselves(domain, exchangersOf(domain, answer, port), ownNames)
      tell(answer, { domain, exchangers: exchangers.map(({ host }) => host), error: null, durationMs })
      return exchangers
    } catch (error) {
      tell(answer, { domain, exchangers: [], error: messageOf(error), durationMs })
      throw error
    }
  }
}

/** An answer that comes from a cache is the same object again, and has been told of. */
function tellOnce(onLookup: RouterOptions['onLookup']): (answer: MxAnswer, lookup: Lookup) => void {
  const told = new WeakSet<MxAnswer>()
  return (answer, lookup) => {
    if (onLookup === undefined || told.has(answer)) return
    told.add(answer)
    onLookup(lookup)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
