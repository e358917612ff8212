/**
 * Content by BDAT (RFC 3030): octets counted, not stuffed. A small message travels in the flight of its envelope, which
 * makes the transaction one round trip; a large one in chunks, so that a refused recipient costs no more than the envelope.
 */
import { bdatCommand } from '../smtp/command.ts'
import { isPositive, type Reply } from '../smtp/reply.ts'
import { CHUNK_OCTETS, chunksOf } from './content.ts'
import { envelopeFlight, isEnvelopeAccepted, sendEnvelopeInSteps } from './envelope.ts'
import { type Proceedings, REFUSED } from './proceedings.ts'
import { say, sayTogether } from './say.ts'

/** Envelope and content, for a peer that offers CHUNKING. */
export async function sendByBdat(proceedings: Proceedings): Promise<void> {
  const { message } = proceedings.transaction
  if (!proceedings.session.extensions.pipelining) {
    await sendEnvelopeInSteps(proceedings)
    await sendChunks(proceedings)
  } else if (message.content !== undefined && message.size <= CHUNK_OCTETS && !hasIdled(proceedings)) {
    await sendInOneFlight(proceedings, message.content)
  } else {
    say(proceedings.connection, envelopeFlight(proceedings))
    if (!(await isEnvelopeAccepted(proceedings))) throw REFUSED
    await sendChunks(proceedings)
  }
}

/**
 * A peer may be closing a session that has idled just as the flight goes out, and content in it could not be told from
 * content that was lost on its way. So there the envelope goes first; what follows hard on another message does not wait.
 */
const IDLE_MS = 1000

function hasIdled({ session }: Proceedings): boolean {
  return session.transactions > 1 && performance.now() - session.usedAt > IDLE_MS
}

async function sendInOneFlight(proceedings: Proceedings, content: Uint8Array): Promise<void> {
  const head = envelopeFlight(proceedings) + bdatCommand(content.length, { last: true })
  const announced = proceedings.announceContent()
  if (announced !== undefined) await announced
  sayTogether(proceedings.connection, head, content)
  proceedings.session.isPastFinalDot = true
  if (!(await isEnvelopeAccepted(proceedings))) {
    // The chunk was in the flight; the server reads it and refuses it too (RFC 3030 §2). Its words do not count.
    await proceedings.ignoredReply()
    throw REFUSED
  }
  proceedings.endOfData(proceedings.taken('end-of-data') ?? (await proceedings.next('end-of-data')))
}

/** The content in chunks (RFC 3030 §2): one on its way while the reply to the one before is awaited. */
async function sendChunks(proceedings: Proceedings): Promise<void> {
  const { connection, session, timeouts, transaction } = proceedings
  await proceedings.beginContent()
  // Said before there was a chunk to answer: 421, or out of step.
  if (connection.hasReply) return proceedings.refusedEarly(await proceedings.next('end-of-data'))
  const mostOwed = session.extensions.pipelining ? 1 : 0
  let owed = 0
  for await (const { octets, last } of chunksOf(transaction.message)) {
    const takesMore = sayTogether(connection, bdatCommand(octets.length, { last }), octets)
    owed++
    if (last) break
    if (!takesMore) await connection.drained('content', timeouts.dataBlockMs)
    while (owed > mostOwed || (owed > 0 && connection.hasReply)) {
      const reply = await proceedings.next('end-of-data')
      owed--
      if (!isPositive(reply)) return chunkRefused(proceedings, reply, owed)
      proceedings.chunkTaken()
    }
  }
  session.isPastFinalDot = true
  for (; owed > 1; owed--) {
    const reply = await proceedings.next('end-of-data')
    // The peer refused a part, so it cannot take the whole, whatever it says of the last chunk.
    if (!isPositive(reply)) return chunkRefused(proceedings, reply, owed - 1)
    proceedings.chunkTaken()
  }
  proceedings.endOfData(await proceedings.next('end-of-data'))
}

/** RFC 3030 §2: a refused chunk ends the message; chunks on their way are refused too, then RSET. */
async function chunkRefused(proceedings: Proceedings, reply: Reply, owed: number): Promise<void> {
  proceedings.decideEnd(reply)
  proceedings.session.isPastFinalDot = false
  for (let i = 0; i < owed && !proceedings.isChunkingRefused; i++) await proceedings.ignoredReply()
}
