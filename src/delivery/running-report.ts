/**
 * The report of a delivery that is under way. One rule: it can be asked for at any time, so that whoever is interrupted can
 * tell what is known.
 */
import { formatAddress } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { Outcome } from './outcome.ts'
import type { RecipientReport, SendReport } from './report.ts'

/** Recipients by outcome. */
export type OutcomeCounts = Readonly<Record<Outcome['kind'], number>>

/** Collects the outcomes of one message; its time runs from its making. */
export class RunningReport {
  readonly #message: Message
  readonly #envelope: Envelope
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #begun: number
  readonly #known = new Map<string, RecipientReport>()
  readonly #counts = { delivered: 0, deferred: 0, failed: 0 }

  constructor(mail: { readonly message: Message; readonly envelope: Envelope }, clock: Clock = systemClock) {
    this.#message = mail.message
    this.#envelope = mail.envelope
    this.#clock = clock
    this.#startedAt = clock.now()
    this.#begun = clock.monotonic()
  }

  add(recipient: RecipientReport): void {
    this.#known.set(recipient.address, recipient)
    this.#counts[recipient.outcome]++
  }

  get counts(): OutcomeCounts {
    return { ...this.#counts }
  }

  /** What is known now, in the order of the envelope: that is where people look for a recipient. */
  get report(): SendReport {
    const { reversePath, recipients } = this.#envelope
    return {
      messageId: this.#message.messageId,
      reversePath: reversePath === null ? '' : formatAddress(reversePath),
      startedAt: new Date(this.#startedAt).toISOString(),
      durationMs: Math.round(this.#clock.monotonic() - this.#begun),
      counts: this.counts,
      recipients: recipients.flatMap(({ address }) => this.#known.get(formatAddress(address)) ?? []),
    }
  }
}
