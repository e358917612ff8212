/**
 * The envelope on the wire: RSET if the last transaction was left open, MAIL and RCPT (RFC 5321 §3.3), in one flight or in
 * steps. One rule: the first refusal decides.
 */
import { type MailParameters, mailCommand, rcptCommand } from '../smtp/command.ts'
import { isPositive, type Proceedings, REFUSED } from './proceedings.ts'

/** The commands of the envelope in one go, for a peer that offers PIPELINING; the next command may follow in the flight. */
export function envelopeFlight(proceedings: Proceedings): string {
  return `${resetOf(proceedings)}${mailOf(proceedings)}${rcptOf(proceedings)}`
}

/** The replies to them; the first refusal decides at once, whatever becomes of the rest of the flight. */
export async function isEnvelopeAccepted(proceedings: Proceedings): Promise<boolean> {
  for (const stage of ['mail', 'rcpt'] as const) {
    const reply = proceedings.taken(stage) ?? (await proceedings.next(stage))
    if (!proceedings.isAccepted || isPositive(reply)) continue
    proceedings.decide(stage, reply)
    proceedings.session.isPastFinalDot = false
    // RFC 5321 §3.8: nothing more is to come.
    if (reply.code === 421) throw REFUSED
  }
  return proceedings.isAccepted
}

/** One command after the other, for a peer without PIPELINING. Throws `REFUSED` at the first refusal. */
export async function sendEnvelopeInSteps(proceedings: Proceedings): Promise<void> {
  const reset = resetOf(proceedings)
  if (reset !== '') {
    proceedings.write(reset)
    await proceedings.resetReply()
  }
  proceedings.write(mailOf(proceedings))
  const mail = await proceedings.next('mail')
  if (!isPositive(mail)) proceedings.refuse('mail', mail)
  proceedings.write(rcptOf(proceedings))
  const rcpt = await proceedings.next('rcpt')
  if (!isPositive(rcpt)) proceedings.refuse('rcpt', rcpt)
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

function rcptOf({ session, transaction }: Proceedings): string {
  const { forwardPath, recipientDsn, smtpUtf8 } = transaction
  if (recipientDsn === undefined || !session.extensions.dsn) return rcptCommand(forwardPath, transaction)
  return rcptCommand(forwardPath, { smtpUtf8, dsn: recipientDsn })
}
