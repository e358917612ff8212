/**
 * The clock seam. Everything that remembers something for a while takes a `Clock`, so that a test can
 * move time instead of waiting for it. Socket time limits use real timers and are not part of this.
 */

/** Where the time comes from. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may jump when the host's clock is set. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes backwards. For durations and expiry. */
  monotonic(): number
}

/** The host's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
