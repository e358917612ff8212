/**
 * Large receivers, dialled to see whether port 25 is open from here: one exchanger of each, one address a family, all at
 * once, greeting and EHLO, never a transaction. One rule: dialling and talking end within ten seconds.
 */
import { Connection } from '../client/connection.ts'
import { dial } from '../client/dial.ts'
import { openSession } from '../client/opening.ts'
import { SessionOpenError } from '../client/session-open-error.ts'
import { hostnamesBySource } from '../client/source-address.ts'
import { TlsClient } from '../client/tls.ts'
import type { Settings } from '../config/settings.ts'
import type { Resolver } from '../dns/resolver.ts'
import { RouteError } from '../route/route.ts'
import { createRouter } from '../route/router.ts'
import type { Target } from '../route/targets.ts'
import { type ConnectError, TimeoutError } from '../smtp/errors.ts'

/** A provider that drops packets is known by silence: a SYN was repeated twice by now (RFC 6298 §2.1, §5.5). */
const CONNECT_MS = 7_000

/** For everything. Once an address has answered, what it says is of use but proves nothing more. */
const LIMIT_MS = 10_000

/**
 * - `open`: connected, whatever was said then.
 * - `silent`: no answer in time · `refused`: turned away at once, by whomever · `no-route`: this family has no way out.
 * - `no-source`: the address to connect from is none of this host's.
 */
export type DialOutcome = 'open' | 'silent' | 'refused' | 'no-route' | 'no-source'

/** One address dialled. */
export interface DialledTarget {
  readonly family: 4 | 6
  /** `mx1.example.net [192.0.2.7]:25`. */
  readonly target: string
  readonly outcome: DialOutcome
  /** Why it is not open, or why the session ended early. */
  readonly failure: string | null
  /** What the server said, line by line. */
  readonly lines: readonly string[]
  /** Our end of the connection. */
  readonly localAddress: string | null
  /** When the greeting was read, in milliseconds since the epoch. */
  readonly greetedAt: number | null
}

/** A receiver: its targets, or why it has none. */
export interface DialledReceiver {
  readonly domain: string
  readonly targets: readonly DialledTarget[]
  readonly failure: string | null
}

/** What dialling depends on. */
export interface ReceiverDialling {
  readonly settings: Settings
  readonly resolver: Resolver
  /** The name for EHLO; `null`: the address literal of our end. */
  readonly hostname: string | null
  readonly signal: AbortSignal
}

/** Dials every receiver of the settings. @throws `signal.reason` */
export async function dialReceivers(dialling: ReceiverDialling): Promise<readonly DialledReceiver[]> {
  const { receivers } = dialling.settings.doctor
  return Promise.all([...new Set(receivers)].map((domain) => dialReceiver(domain, dialling)))
}

async function dialReceiver(domain: string, dialling: ReceiverDialling): Promise<DialledReceiver> {
  try {
    const targets = await targetsOf(domain, dialling)
    const dialled = await Promise.all(targets.map((target) => dialTarget(target, dialling)))
    return { domain, targets: dialled, failure: null }
  } catch (error) {
    if (!(error instanceof RouteError)) throw error
    return { domain, targets: [], failure: error.message }
  }
}

/** One address a family, of the best exchanger. */
async function targetsOf(domain: string, dialling: ReceiverDialling): Promise<readonly Target[]> {
  const { settings, resolver, hostname, signal } = dialling
  const { port, allowLocalAddresses } = settings.smtp
  const router = createRouter({
    resolver,
    hostname: hostname ?? '',
    port,
    allowLocalAddresses,
  })
  const [exchanger] = (await router.route(domain, { signal })).exchangers
  if (exchanger === undefined) return []
  const targets = await router.targets(exchanger, { signal })
  const first = ([4, 6] as const).map((family) => targets.find((target) => target.family === family))
  return first.filter((target) => target !== undefined && isUsed(target.family, settings)) as Target[]
}

/** As in delivery: a family without one of `sourceAddresses` is not used. */
function isUsed(family: 4 | 6, { sourceAddresses }: Settings): boolean {
  return sourceAddresses.length === 0 || sourceAddresses.some((ip) => ip.includes(':') === (family === 6))
}

async function dialTarget(target: Target, dialling: ReceiverDialling): Promise<DialledTarget> {
  const { settings, signal } = dialling
  const endsAt = performance.now() + LIMIT_MS
  const connectMs = Math.min(settings.timeouts.connectMs, CONNECT_MS)
  const { sourceAddresses } = settings
  const { connected, failures } = await dial([target], { connectMs, sourceAddresses, signal })
  const { exchanger, ip, family } = target
  const dialled = { family, target: `${exchanger.host} [${ip}]:${exchanger.port}` }
  if (connected !== null) {
    const said = await talk(connected, { target, dialling, endsAt })
    return { ...dialled, outcome: 'open', localAddress: connected.localAddress, ...said }
  }
  const error = failures[0]?.error
  const nothing = { lines: [], localAddress: null, greetedAt: null }
  return { ...dialled, outcome: outcomeOf(error), failure: error?.message ?? 'no answer', ...nothing }
}

const outcomes: Readonly<Record<string, DialOutcome>> = {
  ETIMEDOUT: 'silent',
  ENETUNREACH: 'no-route',
  EADDRNOTAVAIL: 'no-source',
  EAFNOSUPPORT: 'no-route',
}

/** Without a code it was our own time limit. A firewall that turns away is often heard as EHOSTUNREACH. */
function outcomeOf(error: ConnectError | undefined): DialOutcome {
  const code = (error?.cause as NodeJS.ErrnoException | undefined)?.code
  return code === undefined ? 'silent' : (outcomes[code] ?? 'refused')
}

interface Talk {
  readonly target: Target
  readonly dialling: ReceiverDialling
  /** On the monotonic clock. */
  readonly endsAt: number
}

/** Greeting, EHLO, QUIT. */
async function talk(
  connected: ConstructorParameters<typeof Connection>[0],
  { target, dialling, endsAt }: Talk,
): Promise<Pick<DialledTarget, 'failure' | 'lines' | 'greetedAt'>> {
  const { settings, hostname, signal } = dialling
  const lines: string[] = []
  let greetedAt: number | null = null
  const connection = new Connection(connected, (direction, text) => {
    if (direction === 'client') return
    greetedAt ??= Date.now()
    lines.push(text)
  })
  const onAbort = (): void => connection.destroy(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(
    () => connection.destroy(new TimeoutError('the session', LIMIT_MS)),
    Math.max(0, endsAt - performance.now()),
  )
  const { timeouts } = settings
  try {
    const session = await openSession(connection, target, {
      hostname: hostname ?? literalOf(connected.localAddress),
      sourceHostnames: hostnamesBySource(settings.sourceHostnames),
      timeouts,
      tlsPolicy: { mode: 'off', minVersion: 'TLSv1.2', decidedBy: 'doctor' },
      tlsClient: new TlsClient(),
    })
    await session.quit()
    return { failure: null, lines, greetedAt }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof SessionOpenError)) throw error
    return { failure: `${error.stage}: ${error.message}`, lines, greetedAt }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function literalOf(ip: string | null): string {
  if (ip === null) return '[127.0.0.1]'
  return ip.includes(':') ? `[IPv6:${ip}]` : `[${ip}]`
}
