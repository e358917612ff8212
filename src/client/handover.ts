/**
 * One message for all its recipients in one transaction (RFC 5321 §3.3), for a server that keeps it for us: the listener
 * of this host. In transaction.ts the refusal of a recipient is that recipient's alone.
 *
 * One rule: all or nothing. The first refusal ends it before the content, and then the server has nothing. So DATA is not
 * sent ahead: its 354 could only be answered with a message, if an empty one, for those who were accepted.
 */

import type { Timeouts } from '../config/timeouts.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import { mailCommand, rcptCommand } from '../smtp/command.ts'
import { isIntermediate, isPositive, type Reply } from '../smtp/reply.ts'
import { stuffedOf } from './content.ts'
import { nonsense } from './proceedings.ts'
import { say } from './say.ts'
import type { Session } from './session.ts'
import type { TransactionStage } from './transaction-end.ts'

/** What is handed over; the caller has made sure that the server's extensions suffice. */
export interface HandOver {
  readonly message: Message
  readonly envelope: Envelope
  /** Declare SMTPUTF8 (RFC 6531 §3.4). */
  readonly smtpUtf8: boolean
}

/** The reply that decided, and to what: 2xx at `end-of-data`, and the server has it. */
export interface HandOverEnd {
  readonly stage: TransactionStage
  readonly reply: Reply
}

const limits = {
  mail: 'mailMs',
  rcpt: 'rcptMs',
  data: 'dataInitiationMs',
  'end-of-data': 'dataTerminationMs',
} as const satisfies Record<TransactionStage, keyof Timeouts>

/**
 * Runs it on a fresh session; end the session afterwards, which takes back what was refused.
 * @throws {SmtpError} the connection failed or the server talks nonsense; after the content it may have the message
 */
export async function handOver(session: Session, mail: HandOver): Promise<HandOverEnd> {
  for (const [stage, command] of commandsOf(session, mail)) {
    const reply = await ask(session, stage, command)
    const isGranted = stage === 'data' ? isIntermediate(reply) : isPositive(reply)
    if (!isGranted) return refusedAt(stage, reply)
  }
  const early = await sendContent(session, mail.message)
  if (early === null) return { stage: 'end-of-data', reply: await read(session, 'end-of-data') }
  // It is in the middle of the content: there is no way to say QUIT.
  session.drop()
  return refusedAt('end-of-data', early)
}

function* commandsOf(
  { extensions }: Session,
  { message, envelope, smtpUtf8 }: HandOver,
): Generator<readonly [TransactionStage, string], void, undefined> {
  const { reversePath, recipients } = envelope
  const dsnOf = <T>(dsn: T): T | undefined => (extensions.dsn ? dsn : undefined)
  const parameters = {
    ...(extensions.size ? { size: message.size } : {}),
    eightBit: message.requires.has('8BITMIME') && extensions.eightBitMime,
    smtpUtf8,
    dsn: dsnOf(envelope.dsn),
  }
  yield ['mail', mailCommand(reversePath, parameters)]
  for (const { address, dsn } of recipients)
    yield ['rcpt', rcptCommand(address, { smtpUtf8, dsn: dsnOf(dsn) })]
  yield ['data', 'DATA\r\n']
}

function ask(session: Session, stage: TransactionStage, command: string): Promise<Reply> {
  say(session.connection, command)
  return read(session, stage)
}

function read({ connection, timeouts }: Session, stage: TransactionStage): Promise<Reply> {
  return connection.readReply(`the reply at ${stage}`, timeouts[limits[stage]])
}

function refusedAt(stage: TransactionStage, reply: Reply): HandOverEnd {
  if (reply.code < 400) throw nonsense(`a verdict at ${stage}`, reply)
  return { stage, reply }
}

/** @returns a reply that came before the end, which ends the writing; else `null` */
async function sendContent({ connection, timeouts }: Session, message: Message): Promise<Reply | null> {
  connection.trace('client', `[${message.size} octets of content]`)
  for await (const { octets, last } of stuffedOf(message)) {
    if (connection.hasReply) return connection.takeReply()
    const takesMore = connection.write(octets)
    if (!last && !takesMore) await connection.drained('content', timeouts.dataBlockMs)
  }
  return null
}
