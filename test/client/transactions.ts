/** Messages and transactions for the tests of this folder. */
import type { Session } from '../../src/client/session.ts'
import { runTransaction, type Transaction, type TransactionEnd } from '../../src/client/transaction.ts'
import { parseAddress } from '../../src/mail/address.ts'
import { type Message, messageFromBytes } from '../../src/mail/message.ts'

export const ALICE = parseAddress('alice@sender.test')
export const BOB = parseAddress('bob@example.test')

/** A message with dots where they hurt. */
export const smallContent = Buffer.from('Subject: dots\r\n\r\n.first\r\n.\r\n..\r\nend.\r\n')
export const smallMessage = messageFromBytes(smallContent)
/** The same as DATA puts it on the wire, without the final dot. */
export const smallStuffed = 'Subject: dots\r\n\r\n..first\r\n..\r\n...\r\nend.\r\n'

/** Lines of text of exactly this size, different everywhere, so that a chunk in the wrong place is seen. */
export function contentOf(octets: number): Buffer {
  const content = Buffer.from(
    'Subject: large\r\n\r\n'.padEnd(octets, '0123456789abcdefghijklmnopqrstuvwxyz.'),
  )
  for (let at = 62; at + 2 < octets; at += 64) content.write('\r\n', at)
  for (let line = 1; line * 64 + 8 < octets - 2; line++) content.write(`.${line}`, line * 64)
  content.write('\r\n', octets - 2)
  return content
}

/** A message that is read from somewhere in these parts; its size is theirs unless it lies. */
export function streamedMessage(
  parts: readonly Uint8Array[],
  size?: number,
): Message & { partsRead(): number } {
  let read = 0
  return {
    messageId: '<streamed@sender.test>',
    size: size ?? parts.reduce((sum, part) => sum + part.length, 0),
    requires: new Set(),
    async *open() {
      for (const part of parts) {
        read++
        yield part
      }
    },
    partsRead: () => read,
  }
}

/** Runs a transaction from Alice to Bob with the small message, but for what is said otherwise. */
export function transact(session: Session, changes: Partial<Transaction> = {}): Promise<TransactionEnd> {
  return runTransaction(session, {
    reversePath: ALICE,
    forwardPath: BOB,
    message: smallMessage,
    smtpUtf8: false,
    useChunking: true,
    ...changes,
  })
}

/** An end by a reply, with the words `<code> <text>`. */
export function endedBy(stage: TransactionEnd['stage'], code: number): object {
  return { stage, reply: { code }, error: null }
}
