/**
 * When an entry is tried again, and when it is given up (RFC 5321 §4.5.4.1). Pure: time and chance are given.
 *
 * One rule: the wait grows with the attempts, up to `maxMs`, and is never a fixed beat, so that what failed together does
 * not come back together. With the default settings: 5 min, then about 10, 20, 40, 80, 160 and from then on about 240 min,
 * some 36 attempts in five days. RFC 5321 §4.5.4.1 asks for 30 minutes at least, and lets the first attempts come sooner.
 */
import type { LastTrouble } from './entry.ts'

/** The `queue` section's numbers, in milliseconds. */
export interface RetrySettings {
  /** Wait after the first attempt. */
  readonly firstMs: number
  /** Longest wait. */
  readonly maxMs: number
}

/** RFC 5321 §4.5.4.1: at least 30 minutes later on; Postfix waits up to 4,000 s, Exim 6 h. */
export const DEFAULT_RETRY: RetrySettings = { firstMs: 5 * 60_000, maxMs: 4 * 3_600_000 }

/** An attempt that has just failed for now. */
export interface Retryable {
  /** Attempts made, this one included: from 1. */
  readonly attempts: number
  readonly now: number
  readonly expiresAt: number
  readonly last: LastTrouble
}

/** How far a wait may be from its middle, to either side. */
const JITTER = 0.2
/** What a greylisting reply may ask for. */
const ASKED_MIN_MS = 60_000
const ASKED_MAX_MS = 3_600_000
/** Attempts whose reply is asked for a time; who greylists longer than that does not mean it. */
const ASKED_ATTEMPTS = 3
/** The last try comes so long before the end; between the two nothing would be gained by another. */
const LAST_TRY_MS = 10 * 60_000

/**
 * When to try again; `null`: give up, the time is over.
 * @param random from 0 to below 1
 */
export function nextAttemptAt(
  { attempts, now, expiresAt, last }: Retryable,
  { firstMs, maxMs }: RetrySettings,
  random: number,
): number | null {
  if (now >= expiresAt - LAST_TRY_MS && attempts > 1) return null
  if (now >= expiresAt) return null
  const wait = attempts <= ASKED_ATTEMPTS ? askedWaitMs(last) : null
  const grown = Math.min(firstMs * 2 ** Math.min(attempts - 1, 30), maxMs)
  // A little later than asked: greylisting counts in whole seconds of its own clock.
  const waitMs = wait === null ? jittered(grown, attempts, random) : wait + random * ASKED_LATER_MS
  const next = Math.round(now + waitMs)
  // One last try before the end, rather than one that would come after it.
  const lastTry = expiresAt - LAST_TRY_MS
  if (next > lastTry) return Math.max(Math.min(next, lastTry), Math.min(now + firstMs, expiresAt))
  return next
}

const ASKED_LATER_MS = 10_000

/** The first wait is only ever lengthened: greylisting commonly lasts exactly five minutes. */
function jittered(waitMs: number, attempts: number, random: number): number {
  return attempts === 1 ? waitMs * (1 + JITTER * random) : waitMs * (1 - JITTER + 2 * JITTER * random)
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

// "try again in 300 seconds", "retry after 5 minutes", "come back in 00:05:00", "greylisted for 60s", "wait 5 min"
const inUnits =
  /\b(?:in|after|for|wait|another|least|within)\s+(?:about\s+|at\s+least\s+)?(\d{1,6})\s*-?\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b/i
const asClock = /\b(?:in|after|for|wait)\s+(\d{1,2}):([0-5]\d)(?::([0-5]\d))?\b/i
/** What says that a time in the reply is for us to come back, not how long something has lasted. */
const isAboutRetrying = /gr[ae]y-?list|try|again|retry|later|come back|wait|postpon|delay/i

/** How long the peer asks to be left alone, within reason: from 1 min to 1 h; `null` when it does not say. */
export function askedWaitMs(last: LastTrouble): number | null {
  const askedMs = readAskedMs(last)
  return askedMs === null ? null : Math.min(Math.max(askedMs, ASKED_MIN_MS), ASKED_MAX_MS)
}

/**
 * How long the peer asks to be left alone, as it says; `null` when it does not. Only temporary refusals ask (4xx); there is
 * no standard for it, so this reads what Postgrey, Exim, milter-greylist and the large providers write.
 */
export function readAskedMs({
  isReply,
  diagnostic,
}: Pick<LastTrouble, 'isReply' | 'diagnostic'>): number | null {
  if (!isReply || !diagnostic.startsWith('4') || !isAboutRetrying.test(diagnostic)) return null
  const [, amount, unit] = inUnits.exec(diagnostic) ?? []
  if (amount !== undefined && unit !== undefined) {
    return Number(amount) * (unitMs[unit.charAt(0).toLowerCase()] ?? 0)
  }
  const [, first, second, third] = asClock.exec(diagnostic) ?? []
  if (first === undefined || second === undefined) return null
  const [hours, minutes, seconds] =
    third === undefined ? [0, Number(first), Number(second)] : [Number(first), Number(second), Number(third)]
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000
}

/** A dead site is probed at least this often, however long it has been dead: a probe costs one connection. */
const PROBE_MAX_MS = 30 * 60_000

/** How long a site that could not be reached is left alone; `failures`: probes in a row that failed, from 1. */
export function siteWaitMs(failures: number, { firstMs, maxMs }: RetrySettings, random: number): number {
  const grown = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), maxMs, Math.max(PROBE_MAX_MS, firstMs))
  return Math.round(jittered(grown, failures, random))
}
