/**
 * How slow a client may be. An idle timer alone lets one that says an octet a minute keep its connection for ever, and
 * with all of them keep everybody else out.
 *
 * One rule: within the limit a command is whole, or the content has come on by so much that it will end some day; what
 * the client waits for itself does not count.
 */

/** Postfix's `smtpd_min_data_rate`. A message of 50 MB then takes 28 hours at most. */
const leastOctetsPerSecond = 500

/** Whom to watch. */
export interface PaceOptions {
  /** RFC 5321 §4.5.3.2.7: at least 5 minutes for a command. */
  readonly limitMs: number
  /** Octets of the content that is coming in, 0 between contents; `null` while the client waits for us. */
  readonly octets: () => number | null
  readonly onSlow: () => void
}

/** One client's. Stop it. */
export class Pace {
  readonly #options: PaceOptions
  readonly #timer: NodeJS.Timeout
  #octets = 0

  constructor(options: PaceOptions) {
    this.#options = options
    this.#timer = setTimeout(() => this.#look(), options.limitMs).unref()
  }

  /** A command is whole, or a content has had its reply. */
  advance(): void {
    this.#octets = 0
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const { limitMs, octets, onSlow } = this.#options
    const now = octets()
    const isSlow = now !== null && now - this.#octets < (leastOctetsPerSecond * limitMs) / 1_000
    this.#octets = now ?? 0
    if (isSlow) onSlow()
    else this.#timer.refresh()
  }
}
