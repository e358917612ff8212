/**
 * One transaction: MAIL, RCPT and the content for one recipient or more (RFC 5321 §3.3), in as few flights as the peer allows:
 *
 *   PIPELINING and CHUNKING   MAIL RCPT BDAT+content                  one round trip    content-bdat.ts
 *   PIPELINING                MAIL RCPT DATA | content                two               content-data.ts
 *   neither                   a flight for each command               four
 *
 * One rule: it ends with a value, not an exception, and the value says whether the content was out as a whole, because
 * from then on only the peer knows whether it has the message.
 */
import { sendByBdat } from './content-bdat.ts'
import { sendByData } from './content-data.ts'
import { Proceedings, REFUSED, type Transaction } from './proceedings.ts'
import type { Session } from './session.ts'
import type { TransactionEnd } from './transaction-end.ts'

export type { OtherRecipient, Transaction } from './proceedings.ts'
export { endFor, type TransactionEnd, type TransactionStage } from './transaction-end.ts'

/** Runs a transaction on a usable session. Never rejects; look at `session.isUsable` before the next one. */
export async function runTransaction(session: Session, transaction: Transaction): Promise<TransactionEnd> {
  session.transactions++
  const proceedings = new Proceedings(session, transaction)
  try {
    const isChunked = session.extensions.chunking && transaction.useChunking
    await (isChunked ? sendByBdat(proceedings) : sendByData(proceedings))
  } catch (error) {
    if (error !== REFUSED) proceedings.broken(error as Error)
  }
  session.usedAt = performance.now()
  return proceedings.end()
}
