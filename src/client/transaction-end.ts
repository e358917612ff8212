/** How a transaction ended, for all of its recipients and for each. One rule: it is a value; what it means is decided elsewhere. */
import type { Reply } from '../smtp/reply.ts'

/** The commands of a transaction, and its last reply. */
export type TransactionStage = 'mail' | 'rcpt' | 'data' | 'end-of-data'

/** How a transaction ended. */
export interface TransactionEnd {
  /** The command whose reply decided, or was waited for. */
  readonly stage: TransactionStage
  /** The reply that decided; `null` when the connection failed first, then `error` says how. */
  readonly reply: Reply | null
  readonly error: Error | null
  /** The final dot or the last chunk was written: without a reply the peer may have the message. */
  readonly isContentSent: boolean
  /** Replies the peer gave in this transaction before it ended. */
  readonly repliesSeen: number
  /** The peer took MAIL and RCPT and does not know BDAT: a new session and DATA will do. */
  readonly isChunkingRefused: boolean
  /**
   * Refusals of single recipients at RCPT, by their place, the first's being 0; `null` where there was but one recipient.
   * `endFor` says what the end is for each.
   */
  readonly refusals?: ReadonlyMap<number, Reply> | null
}

/** What the end is for one recipient of several: its own refusal, which stands whatever became of the others; else theirs. */
export function endFor(end: TransactionEnd, place: number): TransactionEnd {
  const reply = end.refusals?.get(place)
  if (reply === undefined) return end
  return { ...end, stage: 'rcpt', reply, error: null, isContentSent: false, isChunkingRefused: false }
}
