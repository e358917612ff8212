/**
 * The envelope on the wire: RSET if the last transaction was left open, MAIL and RCPT (RFC 5321 §3.3), in one flight or in
 * steps. One rule: a transaction goes on as long as MAIL and one recipient are accepted; the refusal of the last one decides.
 */
import { type MailParameters, mailCommand, rcptCommand } from '../smtp/command.ts'
import { isPositive, type Reply } from '../smtp/reply.ts'
import { type Proceedings, REFUSED } from './proceedings.ts'
import { say } from './say.ts'

/** The commands of the envelope in one go, for a peer that offers PIPELINING; the next command may follow in the flight. */
export function envelopeFlight(proceedings: Proceedings): string {
  const head = `${resetOf(proceedings)}${mailOf(proceedings)}${rcptOf(proceedings, 0)}`
  const others = proceedings.transaction.others ?? []
  return others.reduce((flight, _, at) => flight + rcptOf(proceedings, at + 1), head)
}

/**
 * The replies to them. The first refusal of MAIL decides at once, and that of the last recipient left, whatever becomes of
 * the rest of the flight.
 */
export async function isEnvelopeAccepted(proceedings: Proceedings): Promise<boolean> {
  const mail = proceedings.taken('mail') ?? (await proceedings.next('mail'))
  if (!isPositive(mail)) refusedInFlight(proceedings, 'mail', mail)
  let accepted = 0
  for (let place = 0; place < proceedings.recipientCount; place++) {
    const reply = proceedings.taken('rcpt') ?? (await proceedings.next('rcpt'))
    if (!proceedings.isAccepted) continue
    if (isPositive(reply)) accepted++
    else {
      proceedings.refuseRecipient(place, reply)
      const isLast = place === proceedings.recipientCount - 1
      const isOver = proceedings.isFarewell(reply) || (isLast && accepted === 0)
      if (isOver) refusedInFlight(proceedings, 'rcpt', reply)
    }
  }
  return proceedings.isAccepted
}

function refusedInFlight(proceedings: Proceedings, stage: 'mail' | 'rcpt', reply: Reply): void {
  proceedings.decide(stage, reply)
  proceedings.session.isPastFinalDot = false
  // RFC 5321 §3.8: nothing more is to come.
  if (reply.code === 421) throw REFUSED
}

/** One command after the other, for a peer without PIPELINING. Throws `REFUSED` when nobody is left to send to. */
export async function sendEnvelopeInSteps(proceedings: Proceedings): Promise<void> {
  const reset = resetOf(proceedings)
  if (reset !== '') {
    say(proceedings.connection, reset)
    await proceedings.resetReply()
  }
  say(proceedings.connection, mailOf(proceedings))
  const mail = await proceedings.next('mail')
  if (!isPositive(mail)) proceedings.refuse('mail', mail)
  let accepted = 0
  for (let place = 0; place < proceedings.recipientCount; place++) {
    say(proceedings.connection, rcptOf(proceedings, place))
    const rcpt = await proceedings.next('rcpt')
    if (isPositive(rcpt)) accepted++
    else {
      proceedings.refuseRecipient(place, rcpt)
      const isLast = place === proceedings.recipientCount - 1
      if (rcpt.code === 421 || (isLast && accepted === 0)) proceedings.refuse('rcpt', rcpt)
    }
  }
}

function resetOf({ session }: Proceedings): string {
  return session.needsReset ? 'RSET\r\n' : ''
}

/** The same for every recipient of a message in a session; made once. */
function mailOf({ session, transaction }: Proceedings): string {
  const { message, reversePath, smtpUtf8, envelopeDsn } = transaction
  const known = session.mailLine
  // RET and ENVID belong to an envelope, not to a message.
  if (envelopeDsn === undefined && known?.message === message) {
    if (known.reversePath === reversePath && known.smtpUtf8 === smtpUtf8) return known.line
  }
  const { extensions } = session
  const parameters: MailParameters = {
    ...(extensions.size ? { size: message.size } : {}),
    eightBit: message.requires.has('8BITMIME') && extensions.eightBitMime,
    smtpUtf8,
    dsn: extensions.dsn ? envelopeDsn : undefined,
  }
  const line = mailCommand(reversePath, parameters)
  if (envelopeDsn === undefined) session.mailLine = { message, reversePath, smtpUtf8, line }
  return line
}

function rcptOf({ session, transaction }: Proceedings, place: number): string {
  const { smtpUtf8 } = transaction
  const { forwardPath, recipientDsn } = transaction.others?.[place - 1] ?? transaction
  if (recipientDsn === undefined || !session.extensions.dsn) return rcptCommand(forwardPath, transaction)
  return rcptCommand(forwardPath, { smtpUtf8, dsn: recipientDsn })
}
