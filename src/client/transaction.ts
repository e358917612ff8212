/**
 * One transaction: MAIL, RCPT and the content for one recipient (RFC 5321 §3.3), in as few flights as the peer allows:
 *
 *   PIPELINING and CHUNKING   MAIL RCPT BDAT+content                  one round trip
 *   PIPELINING                MAIL RCPT DATA | content                two
 *   neither                   a flight for each command               four
 *
 * One rule: it ends with a value, not an exception, and the value says whether the content was out as a whole, because
 * from then on only the peer knows whether it has the message.
 */
import type { Address } from '../mail/address.ts'
import type { EnvelopeDsn, RecipientDsn } from '../mail/dsn-parameters.ts'
import type { Message } from '../mail/message.ts'
import { bdatCommand, type MailParameters, mailCommand, rcptCommand } from '../smtp/command.ts'
import { RemoteProtocolError } from '../smtp/errors.ts'
import { formatReply, type Reply } from '../smtp/reply.ts'
import type { Connection } from './connection.ts'
import { CHUNK_OCTETS, chunksOf, stuffedOf, stuffedWhole } from './content.ts'
import type { Session } from './session.ts'
import type { Timeouts } from './timeouts.ts'

/** The commands of a transaction, and its last reply. */
export type TransactionStage = 'mail' | 'rcpt' | 'data' | 'end-of-data'

/** What is to be sent; the caller has made sure that the peer's extensions suffice. */
export interface Transaction {
  readonly reversePath: Address | null
  readonly forwardPath: Address
  readonly message: Message
  /** Declare SMTPUTF8 (RFC 6531 §3.4). */
  readonly smtpUtf8: boolean
  /** Wishes about reports: said to a peer that offers DSN, and to no other (RFC 3461 §5.2.1, §5.2.2). */
  readonly envelopeDsn?: EnvelopeDsn | undefined
  readonly recipientDsn?: RecipientDsn | undefined
  /** Use BDAT where it is offered; false for a peer that offers it and does not know it. */
  readonly useChunking: boolean
}

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
}

/** Runs a transaction on a usable session. Never rejects; look at `session.isUsable` before the next one. */
export async function runTransaction(session: Session, transaction: Transaction): Promise<TransactionEnd> {
  session.transactions++
  const run = new Run(session, transaction)
  try {
    const { pipelining, chunking } = session.extensions
    if (chunking && transaction.useChunking) await (pipelining ? run.bdatPipelined() : run.bdat())
    else await (pipelining ? run.dataPipelined() : run.data())
  } catch (error) {
    if (error !== REFUSED) run.broken(error as Error)
  }
  return run.end()
}

/** Thrown and caught in this file only: a negative reply has decided and the rest of the transaction is not due. */
const REFUSED = Symbol('refused')

class Run {
  readonly #session: Session
  readonly #connection: Connection
  readonly #timeouts: Timeouts
  readonly #transaction: Transaction
  #stage: TransactionStage = 'mail'
  #reply: Reply | null = null
  #error: Error | null = null
  #repliesSeen = 0
  #isChunkingRefused = false

  constructor(session: Session, transaction: Transaction) {
    this.#session = session
    this.#connection = session.connection
    this.#timeouts = session.timeouts
    this.#transaction = transaction
    session.isPastFinalDot = false
  }

  end(): TransactionEnd {
    return {
      stage: this.#stage,
      reply: this.#reply,
      error: this.#error,
      isContentSent: this.#session.isPastFinalDot,
      repliesSeen: this.#repliesSeen,
      isChunkingRefused: this.#isChunkingRefused,
    }
  }

  /** The connection failed, the peer talked nonsense, or the content could not be read. */
  broken(error: Error): void {
    // The final dot is the last of what we wrote, so the peer has not got it while something waits in our own buffers.
    if (this.#connection.failure !== null && !this.#connection.isDrained) this.#session.isPastFinalDot = false
    this.#session.drop(error)
    // A refusal stands, whatever became of the connection while the rest of the flight was read.
    if (this.#reply === null || isPositive(this.#reply)) {
      this.#reply = null
      this.#error = error
    }
  }

  async bdatPipelined(): Promise<void> {
    const { message } = this.#transaction
    if (message.content !== undefined && message.size <= CHUNK_OCTETS) {
      this.#writeWithContent(this.#envelope() + bdatCommand(message.size, { last: true }), message.content)
      this.#session.isPastFinalDot = true
      if (!(await this.#envelopeAccepted())) {
        // The chunk was in the flight; the server reads it and refuses it too (RFC 3030 §2). Its words do not count.
        await this.#ignoredReply()
        throw REFUSED
      }
      this.#endOfData(this.#taken('end-of-data') ?? (await this.#next('end-of-data')))
      return
    }
    this.#write(this.#envelope())
    if (!(await this.#envelopeAccepted())) throw REFUSED
    await this.#chunks()
  }

  async bdat(): Promise<void> {
    await this.#envelopeInSteps()
    await this.#chunks()
  }

  async dataPipelined(): Promise<void> {
    this.#write(`${this.#envelope()}DATA\r\n`)
    const isAccepted = await this.#envelopeAccepted()
    const initiation = this.#taken('data') ?? (await this.#next('data'))
    if (!isAccepted) {
      // RFC 2920 §3.1: a 354 although no recipient was accepted is answered with a lone dot, and the reply thrown away.
      if (isIntermediate(initiation)) await this.#loneDot()
      throw REFUSED
    }
    this.#expectInitiation(initiation)
    await this.#stuffed()
  }

  async data(): Promise<void> {
    await this.#envelopeInSteps()
    this.#write('DATA\r\n')
    this.#expectInitiation(await this.#next('data'))
    await this.#stuffed()
  }

  #envelope(): string {
    return `${this.#takeReset()}${this.#mail()}${this.#rcpt()}`
  }

  /** The same for every recipient of a message in a session; made once. */
  #mail(): string {
    const known = this.#session.mailLine
    const { message, reversePath, smtpUtf8, envelopeDsn } = this.#transaction
    // RET and ENVID belong to an envelope, not to a message.
    if (envelopeDsn === undefined && known?.message === message) {
      if (known.reversePath === reversePath && known.smtpUtf8 === smtpUtf8) return known.line
    }
    const { extensions } = this.#session
    const parameters: MailParameters = {
      ...(extensions.size ? { size: message.size } : {}),
      eightBit: message.requires.has('8BITMIME') && extensions.eightBitMime,
      smtpUtf8,
      dsn: extensions.dsn ? envelopeDsn : undefined,
    }
    const line = mailCommand(reversePath, parameters)
    if (envelopeDsn === undefined) this.#session.mailLine = { message, reversePath, smtpUtf8, line }
    return line
  }

  #rcpt(): string {
    const { forwardPath, recipientDsn, smtpUtf8 } = this.#transaction
    if (recipientDsn === undefined || !this.#session.extensions.dsn) {
      return rcptCommand(forwardPath, this.#transaction)
    }
    return rcptCommand(forwardPath, { smtpUtf8, dsn: recipientDsn })
  }

  #takeReset(): string {
    return this.#session.needsReset ? 'RSET\r\n' : ''
  }

  async #resetReply(): Promise<void> {
    if (!this.#session.needsReset) return
    this.#session.needsReset = false
    const reply = await this.#connection.readReply('RSET', this.#timeouts.mailMs)
    this.#watchFor421(reply)
    if (reply.code === 421) {
      // The session had ended before this transaction came: as good as the answer to MAIL.
      this.#session.isPastFinalDot = false
      this.#refuse('mail', reply)
    }
    if (!isPositive(reply)) throw new RemoteProtocolError(`expected 250 to RSET, found ${formatReply(reply)}`)
  }

  /** The replies to MAIL and RCPT of one flight; the first refusal decides at once, whatever becomes of the rest. */
  async #envelopeAccepted(): Promise<boolean> {
    for (const stage of ['mail', 'rcpt'] as const) {
      const reply = this.#taken(stage) ?? (await this.#next(stage))
      if (this.#reply !== null || isPositive(reply)) continue
      this.#decide(stage, reply)
      this.#session.isPastFinalDot = false
      // RFC 5321 §3.8: nothing more is to come.
      if (reply.code === 421) throw REFUSED
    }
    return this.#reply === null
  }

  async #envelopeInSteps(): Promise<void> {
    const reset = this.#takeReset()
    if (reset !== '') {
      this.#write(reset)
      await this.#resetReply()
    }
    this.#write(this.#mail())
    const mail = await this.#next('mail')
    if (!isPositive(mail)) this.#refuse('mail', mail)
    this.#write(this.#rcpt())
    const rcpt = await this.#next('rcpt')
    if (!isPositive(rcpt)) this.#refuse('rcpt', rcpt)
  }

  /** The content in chunks (RFC 3030 §2): one on its way while the reply to the one before is awaited. */
  async #chunks(): Promise<void> {
    this.#stage = 'end-of-data'
    // Said before there was a chunk to answer: 421, or out of step.
    if (this.#connection.hasReply) return this.#refusedEarly(await this.#next('end-of-data'))
    const { pipelining } = this.#session.extensions
    let owed = 0
    for await (const { octets, last } of chunksOf(this.#transaction.message)) {
      const takesMore = this.#writeWithContent(bdatCommand(octets.length, { last }), octets)
      owed++
      if (last) break
      if (!takesMore) await this.#connection.drained('content', this.#timeouts.dataBlockMs)
      while (owed > (pipelining ? 1 : 0) || (owed > 0 && this.#connection.hasReply)) {
        const reply = await this.#next('end-of-data')
        owed--
        if (!isPositive(reply)) return this.#chunkRefused(reply, owed)
      }
    }
    this.#session.isPastFinalDot = true
    for (; owed > 1; owed--) {
      const reply = await this.#next('end-of-data')
      // The peer refused a part, so it cannot take the whole, whatever it says of the last chunk.
      if (!isPositive(reply)) return this.#chunkRefused(reply, owed - 1)
    }
    this.#endOfData(await this.#next('end-of-data'))
  }

  /** RFC 3030 §2: a refused chunk ends the message; chunks on their way are refused too, then RSET. */
  async #chunkRefused(reply: Reply, owed: number): Promise<void> {
    this.#decideEnd(reply)
    this.#session.isPastFinalDot = false
    for (let i = 0; i < owed && !this.#isChunkingRefused; i++) await this.#ignoredReply()
  }

  /** The content dot-stuffed, and the final dot; an early refusal ends the writing. */
  async #stuffed(): Promise<void> {
    this.#stage = 'end-of-data'
    const whole = stuffedWhole(this.#transaction.message)
    if (whole !== null && whole.length <= CHUNK_OCTETS && !this.#connection.hasReply) {
      this.#traceContent(whole.length)
      this.#connection.write(whole)
    } else if (!(await this.#stuffedPieces())) {
      return this.#refusedEarly(await this.#next('end-of-data'))
    }
    this.#session.isPastFinalDot = true
    const reply = await this.#next('end-of-data')
    if (reply.code >= 400 && !this.#connection.isDrained) return this.#refusedEarly(reply)
    this.#endOfData(reply)
  }

  /** @returns whether all of it was written: a reply before the end ends the writing. */
  async #stuffedPieces(): Promise<boolean> {
    for await (const { octets, last } of stuffedOf(this.#transaction.message)) {
      if (this.#connection.hasReply) return false
      this.#traceContent(octets.length)
      const takesMore = this.#connection.write(octets)
      if (!last && !takesMore) await this.#connection.drained('content', this.#timeouts.dataBlockMs)
    }
    return true
  }

  /** A reply before the final dot: no is the verdict; yes would be to a message that it has not got. */
  #refusedEarly(reply: Reply): void {
    this.#session.isPastFinalDot = false
    if (reply.code < 400) throw nonsense('no reply before the final dot', reply)
    this.#decideEnd(reply)
    // The peer is still in the middle of the content, so there is no way to say QUIT.
    this.#session.drop()
  }

  /** The verdict after the final dot or the last chunk (RFC 5321 §4.2.5). */
  #endOfData(reply: Reply): void {
    this.#stage = 'end-of-data'
    if (isIntermediate(reply)) throw nonsense('a verdict on the content', reply)
    // Whatever it accepted, it was not the whole message; that it has nothing is not certain either.
    if (isPositive(reply) && !this.#connection.isDrained) {
      throw nonsense('no acceptance before the end of the content', reply)
    }
    const surplus = this.#connection.peekReply()
    this.#decideEnd(reply)
    if (surplus === null || this.#isChunkingRefused) return
    // RFC 5321 §3.8: 421 may come at any time. Anything else shows that replies and commands are out of step, and
    // then the reply just read may belong to another command.
    if (surplus.code !== 421) {
      this.#reply = null
      throw nonsense('one reply for each command', surplus)
    }
    this.#session.retire()
  }

  #decideEnd(reply: Reply): void {
    this.#decide('end-of-data', reply)
    const { chunking } = this.#session.extensions
    if (chunking && this.#transaction.useChunking && reply.code >= 500 && reply.code <= 504) {
      // What the peer took for commands were the octets of the content, so this session is out of step.
      this.#isChunkingRefused = true
      this.#session.drop()
    }
    if (isPositive(reply)) this.#session.needsReset = false
  }

  async #loneDot(): Promise<void> {
    this.#write('.\r\n')
    await this.#ignoredReply()
  }

  async #ignoredReply(): Promise<void> {
    const reply = await this.#connection.readReply('content', this.#timeouts.dataTerminationMs)
    this.#watchFor421(reply)
  }

  #expectInitiation(reply: Reply): void {
    if (isIntermediate(reply)) return
    if (reply.code < 400) throw nonsense('354 to DATA', reply)
    this.#refuse('data', reply)
  }

  #refuse(stage: TransactionStage, reply: Reply): never {
    this.#decide(stage, reply)
    throw REFUSED
  }

  #decide(stage: TransactionStage, reply: Reply): Reply {
    if (isIntermediate(reply)) throw nonsense(`a verdict at ${stage}`, reply)
    this.#stage = stage
    this.#reply = reply
    // Whatever the peer remembers of this transaction must not become part of the next (RFC 5321 §4.1.1.5).
    if (!isPositive(reply)) this.#session.needsReset = true
    return reply
  }

  /** The reply that is due, in the order of the commands (RFC 2920 §3.1). */
  async #next(stage: TransactionStage): Promise<Reply> {
    this.#expect(stage)
    if (stage === 'mail') await this.#resetReply()
    return this.#seen(await this.#connection.readReply(STEP[stage], this.#limitMs(stage)))
  }

  /** The same without waiting; `null` when it is not there. Most replies of a flight come together with its first. */
  #taken(stage: TransactionStage): Reply | null {
    if (this.#session.needsReset) return null
    const reply = this.#connection.takeReply()
    if (reply === null) return null
    this.#expect(stage)
    return this.#seen(reply)
  }

  #expect(stage: TransactionStage): void {
    // Once a refusal has decided, the rest of the flight is read but decides nothing.
    if (this.#reply === null) this.#stage = stage
  }

  #seen(reply: Reply): Reply {
    this.#repliesSeen++
    this.#watchFor421(reply)
    return reply
  }

  #limitMs(stage: TransactionStage): number {
    const { mailMs, rcptMs, dataInitiationMs, dataTerminationMs } = this.#timeouts
    return { mail: mailMs, rcpt: rcptMs, data: dataInitiationMs, 'end-of-data': dataTerminationMs }[stage]
  }

  #watchFor421(reply: Reply): void {
    // RFC 5321 §3.8: after 421 the peer closes the channel, whatever was said.
    if (reply.code === 421) this.#session.retire()
  }

  #write(flight: string): void {
    this.#traceCommands(flight)
    this.#connection.write(flight)
  }

  #writeWithContent(head: string, content: Uint8Array): boolean {
    this.#traceCommands(head)
    this.#traceContent(content.length)
    return this.#connection.writeTogether(head, content)
  }

  #traceCommands(flight: string): void {
    if (!this.#connection.isTraced) return
    for (const line of flight.trimEnd().split('\r\n')) this.#connection.trace('client', line)
  }

  #traceContent(octets: number): void {
    if (this.#connection.isTraced) this.#connection.trace('client', `[${octets} octets of content]`)
  }
}

const STEP = {
  mail: 'the reply to MAIL',
  rcpt: 'the reply to RCPT',
  data: 'the reply to DATA',
  'end-of-data': 'the reply to the content',
} as const

function nonsense(expected: string, found: Reply): RemoteProtocolError {
  return new RemoteProtocolError(`expected ${expected}, found ${formatReply(found)}`)
}

// RFC 5321 §4.2.1, §3.3: any 2xx, so 251 and 252 too (§3.4, §3.5.3).
function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300
}

// RFC 5321 §4.2.1: 354 is the only one there is; another one is judged by its first digit.
function isIntermediate(reply: Reply): boolean {
  return reply.code >= 300 && reply.code < 400
}
