/** Durations as people write them: `250ms`, `30s`, `5m`, `4h`, `5d`. */

/** Text with a unit, or a number of milliseconds. */
export type Duration = string | number

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** What to write, for messages. */
export const durationForms = '"250ms", "30s", "5m", "4h" or "5d"'

/** Milliseconds, rounded; `null` for what is no duration. A number without a unit in text is none. */
export function readDuration(duration: unknown): number | null {
  if (typeof duration === 'number')
    return Number.isFinite(duration) && duration >= 0 ? Math.round(duration) : null
  if (typeof duration !== 'string') return null
  const [, count, unit] = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)$/.exec(duration) ?? []
  return count === undefined || unit === undefined ? null : Math.round(Number(count) * (unitMs[unit] ?? 1))
}

/** Longest delay of a Node timer, in milliseconds; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** What a time limit may be, for messages: they complete "Expected … to be". */
export const timeLimitForms = `a duration from 1ms to 24d such as ${durationForms}`

/** Milliseconds that a timer can wait; `null` for what is none, or too long. */
export function readDelay(duration: unknown): number | null {
  const delayMs = readDuration(duration)
  return delayMs !== null && delayMs <= MAX_TIMER_MS ? delayMs : null
}

/** As `readDelay`, and at least a millisecond: the time limit of a step. */
export function readTimeLimit(duration: unknown): number | null {
  const limitMs = readDelay(duration)
  return limitMs === null || limitMs < 1 ? null : limitMs
}
