/**
 * Content by DATA (RFC 5321 §4.1.1.4): dot-stuffed, ended by a lone dot, sent only after 354. A reply before the end is
 * watched for: a server that has heard enough says so, and then the writing ends.
 */
import { isIntermediate, type Reply } from '../smtp/reply.ts'
import { CHUNK_OCTETS, stuffedOf, stuffedWhole } from './content.ts'
import { envelopeFlight, isEnvelopeAccepted, sendEnvelopeInSteps } from './envelope.ts'
import { nonsense, type Proceedings, REFUSED } from './proceedings.ts'
import { say, sayContent } from './say.ts'

/** Envelope and content, for every peer. */
export async function sendByData(proceedings: Proceedings): Promise<void> {
  if (proceedings.session.extensions.pipelining) await initiateInOneFlight(proceedings)
  else {
    await sendEnvelopeInSteps(proceedings)
    say(proceedings.connection, 'DATA\r\n')
    expectInitiation(proceedings, await proceedings.next('data'))
  }
  await sendStuffed(proceedings)
}

async function initiateInOneFlight(proceedings: Proceedings): Promise<void> {
  say(proceedings.connection, `${envelopeFlight(proceedings)}DATA\r\n`)
  const isAccepted = await isEnvelopeAccepted(proceedings)
  const initiation = proceedings.taken('data') ?? (await proceedings.next('data'))
  if (isAccepted) return expectInitiation(proceedings, initiation)
  if (isIntermediate(initiation)) {
    // RFC 2920 §3.1: a 354 although no recipient was accepted is answered with a lone dot, and the reply thrown away.
    say(proceedings.connection, '.\r\n')
    await proceedings.ignoredReply()
  }
  throw REFUSED
}

function expectInitiation(proceedings: Proceedings, reply: Reply): void {
  if (isIntermediate(reply)) return
  if (reply.code < 400) throw nonsense('354 to DATA', reply)
  proceedings.refuse('data', reply)
}

/** The content, and the final dot. */
async function sendStuffed(proceedings: Proceedings): Promise<void> {
  const { connection, session } = proceedings
  await proceedings.beginContent()
  const whole = stuffedWhole(proceedings.transaction.message)
  if (whole !== null && whole.length <= CHUNK_OCTETS && !connection.hasReply) sayContent(connection, whole)
  else if (!(await sendPieces(proceedings))) {
    return proceedings.refusedEarly(await proceedings.next('end-of-data'))
  }
  session.isPastFinalDot = true
  const reply = await proceedings.next('end-of-data')
  if (reply.code >= 400 && !connection.isDrained) return proceedings.refusedEarly(reply)
  proceedings.endOfData(reply)
}

/** @returns whether all of it was written: a reply before the end ends the writing. */
async function sendPieces(proceedings: Proceedings): Promise<boolean> {
  const { connection, timeouts, transaction } = proceedings
  for await (const { octets, last } of stuffedOf(transaction.message)) {
    if (connection.hasReply) return false
    const takesMore = sayContent(connection, octets)
    if (!last && !takesMore) await connection.drained('content', timeouts.dataBlockMs)
  }
  return true
}
