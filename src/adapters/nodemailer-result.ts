/**
 * What became of a message, as the callback of `sendMail` gets it.
 *
 * One rule: a message that nobody accepted is an error, whether it may succeed later or not, because this transport does
 * not try again by itself; otherwise mail would be lost by a program that looks at errors only.
 */
import type { Outcome } from '../delivery/outcome.ts'
import { type RecipientReport, reportOutcome } from '../delivery/report.ts'
import { type Address, addressKey, formatAddress, parseAddress } from '../mail/address.ts'
import { type NodemailerCode, RecipientError } from './nodemailer-errors.ts'
import type { TakenMail } from './nodemailer-mail.ts'

/** The recipients by what became of them, each address as nodemailer was given it. */
export interface Verdicts {
  /** The recipient's server took responsibility, or with `queue` ours did. */
  readonly accepted: readonly string[]
  /** Will not succeed. */
  readonly rejected: readonly string[]
  /** May succeed later; not tried again by this transport. */
  readonly pending: readonly string[]
  /** One for each of `rejected`, in its order. */
  readonly rejectedErrors: readonly RecipientError[]
  /** One for each of `pending`, in its order. */
  readonly pendingErrors: readonly RecipientError[]
  /** Everything known of each recipient: exchanger, TLS, attempts, times. Empty with `queue`. */
  readonly recipients: readonly RecipientReport[]
}

/** What `sendMail` resolves to. */
export interface SentMessageInfo {
  /** Addresses whose server took responsibility, or with `queue` ours did; as they were given. */
  readonly accepted: string[]
  /** Addresses that failed for good. */
  readonly rejected: string[]
  /** Addresses that may succeed later; not tried again by this transport. */
  readonly pending: string[]
  /** One for each of `rejected`, in its order. */
  readonly rejectedErrors: RecipientError[]
  /** One for each of `pending`, in its order. */
  readonly pendingErrors: RecipientError[]
  /** Everything known of each recipient: exchanger, TLS, attempts, times. Empty with `queue`. */
  readonly recipients: RecipientReport[]
  /** As nodemailer was given it; `from` is `false` for the null reverse-path. */
  readonly envelope: { from: string | false; to: string[] }
  /** Of the message as it was sent, with its brackets. */
  readonly messageId: string
  /** The last reply of a server that accepted. */
  readonly response: string
  /** Octets. */
  readonly messageSize: number
  /** Milliseconds. */
  readonly messageTime: number
  /** With `queue`: as `mxpress queue` and the log show it. */
  readonly queueId?: string
}

/** Nobody accepted the message. It stands for all recipients; `rejectedErrors` and `pendingErrors` tell of each. */
export class DeliveryError extends Error {
  override readonly name: string = 'DeliveryError'
  /** That of the recipient it tells of: the first of `pendingErrors`, else the last of `rejectedErrors`. */
  readonly code: NodemailerCode
  /** That of the same recipient: where it stopped, in nodemailer's words. */
  readonly command: string
  declare readonly response?: string
  declare readonly responseCode?: number
  /** `true` only if it will not succeed for any recipient. */
  readonly permanent: boolean
  readonly accepted: readonly string[]
  readonly rejected: readonly string[]
  readonly pending: readonly string[]
  readonly rejectedErrors: readonly RecipientError[]
  readonly pendingErrors: readonly RecipientError[]
  readonly recipients: readonly RecipientReport[]

  constructor(telling: RecipientError, verdicts: Verdicts) {
    const isOne = verdicts.recipients.length === 1
    super(isOne ? telling.message : `Can't send mail, no recipient accepted it; ${telling.message}`, {
      cause: telling,
    })
    this.code = telling.code
    this.command = telling.command
    this.permanent = verdicts.pending.length === 0
    this.accepted = verdicts.accepted
    this.rejected = verdicts.rejected
    this.pending = verdicts.pending
    this.rejectedErrors = verdicts.rejectedErrors
    this.pendingErrors = verdicts.pendingErrors
    this.recipients = verdicts.recipients
    if (telling.response !== undefined) this.response = telling.response
    if (telling.responseCode !== undefined) this.responseCode = telling.responseCode
  }
}

/** Collects outcomes as they become known. */
export class Tally implements Verdicts {
  readonly accepted: string[] = []
  readonly rejected: string[] = []
  readonly pending: string[] = []
  readonly rejectedErrors: RecipientError[] = []
  readonly pendingErrors: RecipientError[] = []
  readonly recipients: RecipientReport[] = []
  #response = ''
  readonly #spelling: ReadonlyMap<string, string>

  constructor({ given }: Pick<TakenMail, 'given'>) {
    this.#spelling = new Map(given.to.map((text) => [addressKey(parseAddress(text)), text]))
  }

  add(outcome: Outcome): void {
    const address = this.#asGiven(outcome.recipient.address)
    const report = reportOutcome(outcome)
    this.recipients.push(report)
    if (outcome.kind === 'delivered') {
      this.accepted.push(address)
      this.#response = report.diagnostic
    } else if (outcome.kind === 'failed') {
      this.rejected.push(address)
      this.rejectedErrors.push(new RecipientError(address, outcome))
    } else {
      this.pending.push(address)
      this.pendingErrors.push(new RecipientError(address, outcome))
    }
  }

  /** @throws {DeliveryError} nobody accepted it */
  finish({ message, given }: TakenMail, messageTime: number): SentMessageInfo {
    // What may succeed later is told first, as by nodemailer: the whole is not permanent then.
    const telling = this.pendingErrors[0] ?? this.rejectedErrors.at(-1)
    if (this.accepted.length === 0 && telling !== undefined) throw new DeliveryError(telling, this)
    const { accepted, rejected, pending, rejectedErrors, pendingErrors, recipients } = this
    return {
      accepted,
      rejected,
      pending,
      rejectedErrors,
      pendingErrors,
      recipients,
      envelope: { from: given.from, to: [...given.to] },
      messageId: message.messageId,
      response: this.#response,
      messageSize: message.size,
      messageTime,
    }
  }

  #asGiven(address: Address): string {
    return this.#spelling.get(addressKey(address)) ?? formatAddress(address)
  }
}

/** Stopped by the caller's signal: who had it by then, and who not. */
export class AbortedError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'EABORT'
  readonly accepted: readonly string[]
  readonly rejected: readonly string[]
  readonly pending: readonly string[]

  constructor(reason: unknown, { accepted, rejected, pending }: Partial<Verdicts> = {}) {
    super('Message sending aborted', { cause: reason })
    this.accepted = accepted ?? []
    this.rejected = rejected ?? []
    this.pending = pending ?? []
  }
}
