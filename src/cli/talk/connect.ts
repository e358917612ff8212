/** From `HOST[:PORT]` to an open connection, for `mxpress talk`. One rule: whoever is named is called, wherever he is. */
import type { PlainSocket } from '../../client/connection.ts'
import { dial } from '../../client/dial.ts'
import { hostnamesBySource } from '../../client/source-address.ts'
import { systemHostname } from '../../config/hostname.ts'
import type { Settings } from '../../config/settings.ts'
import { createHostResolver } from '../../dns/host-resolver.ts'
import { createSystemResolver } from '../../dns/system.ts'
import { printable } from '../../mail/address-error.ts'
import { type Exchanger, orderExchangers } from '../../route/exchangers.ts'
import { askExchangers, exchangersOf } from '../../route/resolve-exchangers.ts'
import { resolveTargets } from '../../route/resolve-targets.ts'
import { parseRouteTarget, type RouteTarget } from '../../route/static-routes.ts'
import type { Target } from '../../route/targets.ts'
import { ConnectError } from '../../smtp/errors.ts'
import { UsageError } from '../errors.ts'

/** Whom to call. */
export interface Callee extends RouteTarget {
  /** It is a domain: its exchangers are called. */
  readonly isDomain: boolean
}

/** @throws {UsageError} */
export function parseCallee(text: string, isDomain: boolean): Callee {
  try {
    const { host, port } = parseRouteTarget(text)
    return { host, port, isDomain }
  } catch (cause) {
    const forms = '`mx.example.net`, `mx.example.net:587`, `192.0.2.1:2525` or `[2001:db8::1]:2525`'
    throw new UsageError(`expected a host such as ${forms}, found '${printable(text)}'`, { cause })
  }
}

/** An open connection, and to whom. */
export interface Call {
  readonly socket: PlainSocket
  readonly target: Target
  readonly durationMs: number
}

/** Whoever calls a host by hand may call any. */
const everywhere = { families: [4, 6], allowLocalAddresses: true, ownAddresses: () => [] } as const

/** @throws {RouteError} {ConnectError} `signal.reason` */
export async function call(
  callee: Callee,
  settings: Pick<Settings, 'dns' | 'sourceAddresses' | 'smtp'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Call> {
  const resolver = createSystemResolver(settings.dns)
  // A host that somebody calls by name is the one that all programs here know by it; name servers that were named are asked.
  const isNamedHere = !callee.isDomain && settings.dns.servers.length === 0
  const hosts = isNamedHere ? createHostResolver(settings.dns) : resolver
  const port = callee.port ?? settings.smtp.port
  const named: Exchanger = { host: callee.host, preference: 0, implicit: false, port, isStatic: true }
  const exchangers = callee.isDomain
    ? orderExchangers(exchangersOf(callee.host, await askExchangers(resolver, callee.host, { signal }), port))
    : [named]
  const refusals: string[] = []
  for (const exchanger of exchangers) {
    const targets = await resolveTargets(exchanger, { resolver: hosts, ...everywhere }, { signal })
    const begun = performance.now()
    const { sourceAddresses } = settings
    const { connected, failures } = await dial(targets, { connectMs: timeoutMs, sourceAddresses, signal })
    if (connected !== null) {
      return { socket: connected, target: connected.target, durationMs: performance.now() - begun }
    }
    refusals.push(...failures.map(({ target, error }) => `${nameOf(target)}: ${error.message}`))
  }
  throw new ConnectError(`no connection to ${refusals.join('; ')}`)
}

/** `mx1.example.test [192.0.2.7]:25`. */
export function nameOf({ exchanger, ip }: Target): string {
  return exchanger.host === `[${ip}]`
    ? `[${ip}]:${exchanger.port}`
    : `${exchanger.host} [${ip}]:${exchanger.port}`
}

/** The name that a session of ours gives from this address. @throws {ConfigError} there is none to give */
export async function ownName(
  { hostname, sourceHostnames }: Pick<Settings, 'hostname' | 'sourceHostnames'>,
  localAddress: string | null,
): Promise<string> {
  return hostnamesBySource(sourceHostnames).get(localAddress ?? '') ?? hostname ?? (await systemHostname())
}
