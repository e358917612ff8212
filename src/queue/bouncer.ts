/**
 * The seam to whoever writes reports about mail (RFC 3464). The runner asks for the report, and queues it in the same
 * transaction that settles the entry, so that a crash can neither lose nor double it.
 *
 * One rule: a bouncer only composes. It decides from NOTIFY and the reverse-path whether there is anything to send, and
 * touches neither the store nor the network.
 */
import type { Message } from '../mail/message.ts'
import type { LastTrouble, QueueEntry } from './entry.ts'
import type { Submission } from './store.ts'

/**
 * `failed`: given up. `delayed`: still trying (RFC 3464 §2.3.3). `relayed`: taken by a server that sends no report itself,
 * and NOTIFY asks for success (RFC 3461 §5.2.2).
 */
export type ReportKind = 'failed' | 'delayed' | 'relayed'

/** One thing to report. */
export interface Reportable {
  readonly kind: ReportKind
  /** As it stood before this settlement. */
  readonly entry: QueueEntry
  /** What the report tells: the verdict's own, for `relayed` the 2xx reply. */
  readonly last: LastTrouble
  /** Some attempt may have delivered the message although nobody said so. */
  readonly uncertain: boolean
  /** The reported message, to quote from. */
  readonly message: Message
  readonly now: number
}

/** What is to be done about it. */
export type ReportDecision =
  /** Queue this; its reverse-path is null, its recipient the reverse-path of the entry. */
  | { readonly kind: 'send'; readonly report: Submission }
  /** Nobody asked: the entry just ends. */
  | { readonly kind: 'unwanted' }
  /** There is nobody to tell (null reverse-path): a failed entry is kept as dead and shown. */
  | { readonly kind: 'undeliverable' }

/** Writes reports. */
export interface Bouncer {
  /** Never rejects for what is in the message; a report that cannot quote it is made without. */
  bounce(reportable: Reportable): Promise<ReportDecision>
}
