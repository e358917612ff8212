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
