/**
 * The report of a delivery that is under way. One rule: it can be asked for at any time, so that an interrupted command
 * can print what is known.
 */
import type { RecipientReport, SendReport } from '../agent.ts'
import { formatAddress } from '../mail/address.ts'
import type { ComposedMail } from '../mail/compose.ts'
import type { OutcomeCounts } from './exit-code.ts'

/** Collects the outcomes of one message. */
export class RunningReport {
  readonly #mail: ComposedMail
  readonly #startedAt = new Date()
  readonly #begun = performance.now()
  readonly #known = new Map<string, RecipientReport>()
  readonly #counts = { delivered: 0, deferred: 0, failed: 0 }

  constructor(mail: ComposedMail) {
    this.#mail = mail
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
    const { message, envelope } = this.#mail
    return {
      messageId: message.messageId,
      reversePath: envelope.reversePath === null ? '' : formatAddress(envelope.reversePath),
      startedAt: this.#startedAt.toISOString(),
      durationMs: Math.round(performance.now() - this.#begun),
      counts: this.counts,
      recipients: envelope.recipients.flatMap(({ address }) => this.#known.get(formatAddress(address)) ?? []),
    }
  }
}
