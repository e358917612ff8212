/**
 * One time limit after another on a single timer. Setting a Node timer costs more than reading the clock, and a
 * transaction has three limits; so the timer is only moved when a deadline comes before it, and otherwise looks again
 * when it fires.
 */

/** A timer that fires no later than this behind the deadline is left as it is; `#arm` alone adds up to two. */
const SLACK_MS = 2

/** The one limit that is in force; `onExpiry` is called when it has passed. */
export class Deadline {
  readonly #onExpiry: () => void
  #at = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #firesAt = Number.POSITIVE_INFINITY

  constructor(onExpiry: () => void) {
    this.#onExpiry = onExpiry
  }

  /** Replaces the deadline by one `limitMs` from now. */
  set(limitMs: number): void {
    const now = performance.now()
    this.#at = now + limitMs
    if (this.#at < this.#firesAt - SLACK_MS) this.#arm(now)
  }

  /** No deadline until the next `set`. */
  clear(): void {
    this.#at = Number.POSITIVE_INFINITY
  }

  /** Ends the timer too; nothing expires any more. */
  close(): void {
    this.clear()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#firesAt = Number.POSITIVE_INFINITY
  }

  #arm(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    // Timers count whole milliseconds and may fire a fraction early; one more keeps the limit whole.
    const delay = Math.min(Math.ceil(this.#at - now) + 1, 2 ** 31 - 1)
    this.#firesAt = now + delay
    this.#timer = setTimeout(() => this.#look(), delay)
  }

  #look(): void {
    this.#timer = null
    this.#firesAt = Number.POSITIVE_INFINITY
    const now = performance.now()
    if (this.#at <= now) {
      this.clear()
      this.#onExpiry()
    } else if (this.#at !== Number.POSITIVE_INFINITY) this.#arm(now)
  }
}
