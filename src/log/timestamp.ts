/** Time as the log writes it: ISO 8601 in UTC with milliseconds, made once per millisecond and not once per line. */

/** What the log needs of a `Clock` (time/, which stands on the same floor). */
export interface WallClock {
  /** Milliseconds since the epoch. */
  now(): number
}

/** The host's. */
export const wallClock: WallClock = { now: () => Date.now() }

let cachedMs = Number.NaN
let cachedText = ''

/** Milliseconds since the epoch as `2026-11-21T07:00:00.123Z`. */
export function timestamp(epochMs: number): string {
  if (epochMs !== cachedMs) {
    cachedText = new Date(epochMs).toISOString()
    cachedMs = epochMs
  }
  return cachedText
}
