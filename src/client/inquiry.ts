/**
 * One command and its reply in an open session, for whoever asks without sending a message: MAIL, RCPT, VRFY, RSET.
 *
 * One rule: after a reply that nobody asked for, nothing more is asked; whose answer the next one was could not be told.
 */
import { RemoteProtocolError } from '../smtp/errors.ts'
import { formatReply, isIntermediate, type Reply } from '../smtp/reply.ts'
import { say } from './say.ts'
import type { Session } from './session.ts'

/**
 * Says a command (with its CRLF) and reads the reply, whatever it is.
 * @throws {SmtpError} the session is over then.
 */
export async function ask(session: Session, command: string, limitMs: number): Promise<Reply> {
  const { connection } = session
  expectInStep(session)
  const line = command.trimEnd()
  say(connection, command)
  const reply = await connection.readReply(`the reply to ${line.split(' ')[0]}`, limitMs)
  // RFC 5321 §3.8: after 421 the peer closes the channel, whatever was said.
  if (reply.code === 421) session.retire()
  // RFC 5321 §4.2.1: an intermediate reply answers DATA and AUTH only.
  if (isIntermediate(reply)) {
    throw dropped(session, `expected a verdict on ${line.split(' ')[0]}, found ${formatReply(reply)}`)
  }
  return reply
}

/**
 * Ends a session whose answers nobody waits for any longer: QUIT behind whatever is under way, and the end. Who waits for a
 * reply gets the connection's failure. A session that is over already is dropped.
 */
export function leave(session: Session): void {
  const { connection } = session
  if (!session.isUsable) {
    session.drop()
    return
  }
  session.retire()
  say(connection, 'QUIT\r\n')
  void connection.end()
}

function expectInStep(session: Session): void {
  const { connection } = session
  if (connection.failure !== null) throw connection.failure
  if (!connection.hasUnasked) return
  const surplus = connection.takeReply()
  const found = surplus === null ? 'the beginning of another' : formatReply(surplus)
  throw dropped(session, `expected one reply for each command, found ${found}`)
}

function dropped(session: Session, message: string): RemoteProtocolError {
  const error = new RemoteProtocolError(message)
  session.drop(error)
  return error
}
