/** What a probe can be told, checked on entry. */
import type { DialogueLine } from '../client/dialogue.ts'
import { type Duration, readTimeLimit, timeLimitForms } from '../config/duration.ts'
import type { AgentOptions, ProbingOptions } from '../config/options.ts'
import { resolveSettings, type Settings } from '../config/settings.ts'
import type { Timeouts } from '../config/timeouts.ts'
import type { Resolver } from '../dns/resolver.ts'
import { type Address, parseReversePath } from '../mail/address.ts'
import { createStaticRoutes } from '../route/static-routes.ts'
import type { Clock } from '../time/clock.ts'
import { type ProbeStage, probeStages } from './report.ts'

/** Options of a probe; all have defaults. */
export interface ProbeOptions {
  /**
   * Who asks, and how: of an agent's options `hostname`, `sourceAddresses`, `dns`, `smtp`, `tls`, `routes` and `probe` count. Limits
   * made for delivery do not: a probe has its own. Nor do relays: it is the recipient's servers that are asked.
   */
  readonly agent?: AgentOptions
  /** Reverse-path of MAIL. Default: that of `agent.probe`, `<>`. */
  readonly from?: string
  /** The last stage: `connect`, `greeting`, `ehlo`, `starttls`, `mail` or `rcpt`. Default `rcpt`. */
  readonly stopAfter?: ProbeStage
  /** Ask the addresses one after the other, in the order of a delivery, and end with the first that decides. Default false. */
  readonly first?: boolean
  /** Ask also about a mailbox made up at random, where the real one is accepted. Default false. */
  readonly catchAll?: boolean
  /** Say VRFY too. It proves little: most servers answer 252 to everything (RFC 5321 §3.5.3). Default false. */
  readonly vrfy?: boolean
  /** Keep the dialogue with each address. Default false. */
  readonly transcript?: boolean
  readonly limits?: ProbeLimits
  /** Ends the probe: what is known by then is told, then the iteration throws `signal.reason`. */
  readonly signal?: AbortSignal
}

/** How much at once, and how long. What is not given is that of `agent.probe`. */
export type ProbeLimits = Omit<ProbingOptions, 'from'>

/** What a probe can be given instead of its own parts; for tests, and for programs that have their own. */
export interface ProbeSeams {
  /** Asked instead of the system's name servers; its answers are cached as theirs would be. */
  readonly resolver?: Resolver
  readonly clock?: Clock
  /** From 0 to below 1; makes up mailboxes. Default `Math.random`. */
  readonly random?: () => number
  /**
   * Takes every line of every dialogue as it goes over the wire. If it throws, the probe goes on, and the first time is
   * told by `process.emitWarning`.
   */
  readonly trace?: (line: DialogueLine) => void
}

/** `ProbeOptions`, complete and checked. */
export interface ProbeSettings {
  readonly agent: Settings
  /** Those of the agent that lead to hosts that accept mail for a domain. */
  readonly routes: Readonly<Record<string, string>>
  readonly reversePath: Address | null
  readonly stopAfter: ProbeStage
  readonly first: boolean
  readonly catchAll: boolean
  readonly vrfy: boolean
  readonly transcript: boolean
  readonly timeouts: Timeouts
  readonly concurrency: number
  readonly perSite: number
  readonly perSession: number
}

/** QUIT is a courtesy; nobody waits long for its answer. */
const QUIT_MS = 5_000

/** @throws {TypeError} {AddressError} for a `from` that is none. */
export function checkProbeOptions(options: ProbeOptions): ProbeSettings {
  const { stopAfter = 'rcpt', limits = {}, first = false } = options
  const { catchAll = false, vrfy = false, transcript = false } = options
  if (!probeStages.includes(stopAfter))
    throw unexpected('stopAfter', `one of ${probeStages.join(', ')}`, stopAfter)
  const agent = resolveSettings(options.agent)
  const usual = agent.probe
  const routes = directRoutes(agent)
  // A malformed route is a wrong option; said now, not at the first target.
  createStaticRoutes({ routes, defaultPort: agent.smtp.port })
  return {
    agent,
    routes,
    reversePath: parseReversePath(options.from ?? usual.from),
    stopAfter,
    first,
    catchAll,
    vrfy,
    transcript,
    timeouts: timeoutsOf(limits.timeout ?? usual.timeoutMs),
    concurrency: wholeNumber('limits.concurrency', limits.concurrency ?? usual.concurrency),
    perSite: wholeNumber('limits.perSite', limits.perSite ?? usual.perSite),
    perSession: Math.ceil(
      wholeNumber('limits.perSession', limits.perSession ?? usual.perSession) / (vrfy ? 2 : 1),
    ),
  }
}

/** A relay takes mail for everybody and knows no mailbox, so it is not asked: what a relay sends mail to is. */
function directRoutes({ routes }: Settings): ProbeSettings['routes'] {
  return Object.fromEntries(
    Object.entries(routes).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function timeoutsOf(timeout: Duration): Timeouts {
  const limitMs = readTimeLimit(timeout)
  if (limitMs === null) throw unexpected('limits.timeout', timeLimitForms, timeout)
  return {
    connectMs: limitMs,
    greetingMs: limitMs,
    ehloMs: limitMs,
    startTlsMs: limitMs,
    mailMs: limitMs,
    rcptMs: limitMs,
    dataInitiationMs: limitMs,
    dataBlockMs: limitMs,
    dataTerminationMs: limitMs,
    quitMs: Math.min(limitMs, QUIT_MS),
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw unexpected(name, 'a whole number from 1', value)
}

function unexpected(name: string, expected: string, found: unknown): TypeError {
  return new TypeError(`Expected \`${name}\` to be ${expected}, got \`${String(found)}\``)
}
