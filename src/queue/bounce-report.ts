/** What a delivery status notification tells (RFC 3464): plain values, from which bounce.ts writes the message. */
import type { Stage } from '../delivery/outcome.ts'
import type { Address } from '../mail/address.ts'
import type { ReturnedPart } from '../mail/dsn-parameters.ts'
import type { Message } from '../mail/message.ts'
import type { EnhancedStatus } from '../smtp/enhanced-status.ts'
import type { LastTrouble } from './entry.ts'

/** RFC 3464 §2.3.3; `expanded` is for hosts with aliases. */
export type Action = 'failed' | 'delayed' | 'relayed' | 'delivered'

/** One message, reported to its sender. */
export interface DsnReport {
  /** The reported message. */
  readonly message: Message
  /** Who is told. */
  readonly reversePath: Address
  /** `null`: not asked for. */
  readonly ret: ReturnedPart | null
  /** Decoded; `null`: not given, and then not told (RFC 3464 §2.2.1). */
  readonly envid: string | null
  /** Milliseconds since the epoch: when this host took the message. */
  readonly arrivedAt: number
  /** At least one. */
  readonly recipients: readonly ReportedRecipient[]
}

/** What became of one recipient. */
export interface ReportedRecipient {
  readonly address: Address
  /** `type;address`, decoded; `null`: not given, and then not told (RFC 3464 §2.3.1). */
  readonly orcpt: string | null
  readonly action: Action
  /** The status is the true one: given up after days of 4xx, it is the last 4.x.x (RFC 3464 §2.3.3). */
  readonly last: LastTrouble
  /** `delayed`: when it will be given up, in milliseconds since the epoch. */
  readonly retryUntil: number | null
  /** Some attempt may have delivered it although nobody said so. */
  readonly uncertain: boolean
}

/** Whether any address in the report needs UTF-8, so that RFC 6533's forms are to be used. */
export function namesUtf8(report: DsnReport): boolean {
  return [report.reversePath, ...report.recipients.map(({ address }) => address)]
    .map(({ localPart }) => localPart)
    .concat(report.recipients.map(({ orcpt }) => orcpt ?? ''))
    .some((text) => /[^\0-\x7f]/.test(text))
}

/** The action that matters most to the reader: `failed` before `delayed` before the others. */
export function gravestAction(report: DsnReport): Action {
  const order: readonly Action[] = ['failed', 'delayed', 'relayed', 'delivered']
  return order.find((action) => report.recipients.some((one) => one.action === action)) ?? 'failed'
}

/**
 * The status of the action. RFC 3464 §2.3.4, RFC 3463 §2: what is delayed is a persistent transient failure, class 4, though
 * a host has said 5 of the session, such as 535 to a login, which is no verdict on the recipient.
 */
export function statusOf({ action, last: { status } }: ReportedRecipient): EnhancedStatus {
  return action === 'delayed' && status.startsWith('5') ? (`4${status.slice(1)}` as EnhancedStatus) : status
}

/** What a host says there is never its last word on a recipient. */
const SESSION_STAGES: ReadonlySet<Stage> = new Set(['connect', 'greeting', 'ehlo', 'starttls', 'auth'])

/** Given up because time ran out: no server has refused it for good. */
export function isExpired({ action, last }: ReportedRecipient): boolean {
  if (action !== 'failed') return false
  return last.status.startsWith('4') || (last.isReply && SESSION_STAGES.has(last.stage))
}
