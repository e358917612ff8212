/**
 * How many sessions a site lets us have. It begins at what the settings allow, falls to what was open when the site turned
 * another one away, and rises by one for every half minute without that (a host that says 421 to the sixth session is
 * not asked for a sixth one after every message).
 */
import type { Clock } from '../time/clock.ts'

/** Long against a transaction, short against a delivery that is worth more sessions. */
const RISE_EVERY_MS = 30_000

/** One per site. */
export class SiteCeiling {
  readonly #clock: Clock
  readonly #most: number
  #reduced: { readonly to: number; readonly at: number } | null = null

  /** `most`: `perSite` of the settings. */
  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#clock = clock
  }

  /** Sessions that may be open now. */
  get sessions(): number {
    if (this.#reduced === null) return this.#most
    const risen = Math.floor((this.#clock.monotonic() - this.#reduced.at) / RISE_EVERY_MS)
    const now = this.#reduced.to + risen
    if (now < this.#most) return now
    this.#reduced = null
    return this.#most
  }

  /** One more than `open` was turned away. */
  reduce(open: number): void {
    this.#reduced = { to: Math.max(1, Math.min(open, this.#most)), at: this.#clock.monotonic() }
  }
}
