/**
 * The seam to the queue: what a way in (SMTP, sendmail) asks of whoever keeps the mail.
 * One rule: when the promise resolves, the mail is on disk for every recipient; when it rejects, for none.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import { Refusal } from './refusal.ts'

/** A message ready for the wire, its trace field included, and whom it is for. */
export interface SubmittedMail {
  readonly message: Message
  readonly envelope: Envelope
}

/** What became of it. */
export interface Acceptance {
  /** What the queue calls it; the 250 names it. */
  readonly queueId: string
}

/**
 * Takes responsibility for a mail.
 * @throws {QueueFullError} no room: 452, come back later. Anything else that is thrown becomes 451.
 */
export type Accept = (mail: SubmittedMail) => Promise<Acceptance>

/** The reply for what `accept` threw. The client keeps the mail and tries again, so none of them is final. */
export function refusalOfError(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // RFC 3463 §3.4: X.3.1, the system's storage is full. The queue's words stay in the log: they name paths.
  if (code === 'ERR_QUEUE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return new Refusal(452, '4.3.1', 'no room in the queue, try again later', { cause: error })
  }
  return new Refusal(451, '4.3.0', 'the queue cannot take mail just now, try again later', { cause: error })
}
