/**
 * What has been said in a transaction so far, and what it amounts to. The commands are sent elsewhere; here every reply
 * finds its command, and the first that is not positive decides.
 *
 * One rule: a refusal that was given stands, whatever becomes of the connection afterwards.
 */

import type { Timeouts } from '../config/timeouts.ts'
import type { Address } from '../mail/address.ts'
import type { EnvelopeDsn, RecipientDsn } from '../mail/dsn-parameters.ts'
import type { Message } from '../mail/message.ts'
import { ConnectionLostError, RemoteProtocolError } from '../smtp/errors.ts'
import { formatReply, isIntermediate, isPositive, type Reply } from '../smtp/reply.ts'
import type { Connection } from './connection.ts'
import type { Session } from './session.ts'
import type { TransactionEnd, TransactionStage } from './transaction-end.ts'

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
  /** Recipients who share the transaction with the first. Default: none. */
  readonly others?: readonly OtherRecipient[]
  /** Use BDAT where it is offered; false for a peer that offers it and does not know it. */
  readonly useChunking: boolean
  /** Awaited before the first octet of the content is written; if it rejects, the transaction ends there. */
  readonly beforeContent?: (() => Promise<void> | undefined) | null
}

/** One recipient beside the first. */
export interface OtherRecipient {
  readonly forwardPath: Address
  readonly recipientDsn?: RecipientDsn | undefined
}

/** Thrown here and caught by `runTransaction`: a refusal has decided, and the rest of the transaction is not due. */
export const REFUSED = Symbol('refused')

/** One transaction's course; lives as long as it. */
export class Proceedings {
  readonly session: Session
  readonly connection: Connection
  readonly timeouts: Timeouts
  readonly transaction: Transaction
  #stage: TransactionStage = 'mail'
  #reply: Reply | null = null
  #error: Error | null = null
  #repliesSeen = 0
  #hasTakenChunk = false
  #isChunkingRefused = false
  #refusals: Map<number, Reply> | null = null
  #farewell: Reply | null = null

  constructor(session: Session, transaction: Transaction) {
    this.session = session
    this.connection = session.connection
    this.timeouts = session.timeouts
    this.transaction = transaction
    session.isPastFinalDot = false
    const { others } = transaction
    if (others === undefined || others.length === 0) return
    this.#refusals = new Map()
    this.connection.expectReplies(others.length)
  }

  /** Recipients of the transaction. */
  get recipientCount(): number {
    return 1 + (this.transaction.others?.length ?? 0)
  }

  end(): TransactionEnd {
    return {
      stage: this.#stage,
      reply: this.#reply,
      error: this.#error,
      isContentSent: this.session.isPastFinalDot,
      repliesSeen: this.#repliesSeen,
      isChunkingRefused: this.#isChunkingRefused,
      refusals: this.#refusals,
    }
  }

  /** The connection failed, the peer talked nonsense, or the content could not be read. */
  broken(error: Error): void {
    // The final dot is the last of what we wrote, so the peer has not got it while something waits in our own buffers.
    if (this.connection.failure !== null && !this.connection.isDrained) this.session.isPastFinalDot = false
    this.session.drop(error)
    if (this.#reply !== null && !isPositive(this.#reply)) return
    this.#reply = null
    if (this.#farewell === null || !(error instanceof ConnectionLostError)) this.#error = error
    else {
      this.session.isPastFinalDot = false
      this.decide('rcpt', this.#farewell)
    }
  }

  /** Nothing has been refused so far. */
  get isAccepted(): boolean {
    return this.#reply === null
  }

  /** The peer does not know BDAT, and what it took for commands were the octets of the content. */
  get isChunkingRefused(): boolean {
    return this.#isChunkingRefused
  }

  /** The content is next: what goes wrong from here goes wrong there. */
  beginContent(): Promise<void> | undefined {
    this.#stage = 'end-of-data'
    return this.announceContent()
  }

  /** The content may be in the flight that is next. `undefined`: nobody waits for that word. */
  announceContent(): Promise<void> | undefined {
    return this.transaction.beforeContent?.()
  }

  /** A chunk that is not the last was accepted: the peer knows BDAT. */
  chunkTaken(): void {
    this.#hasTakenChunk = true
  }

  /** The reply that is due, in the order of the commands (RFC 2920 §3.1). */
  async next(stage: TransactionStage): Promise<Reply> {
    this.#expect(stage)
    if (stage === 'mail') await this.resetReply()
    return this.#seen(await this.connection.readReply(STEP[stage], this.#limitMs(stage)))
  }

  /** The same without waiting; `null` when it is not there. Most replies of a flight come together with its first. */
  taken(stage: TransactionStage): Reply | null {
    if (this.session.needsReset) return null
    const reply = this.connection.takeReply()
    if (reply === null) return null
    this.#expect(stage)
    return this.#seen(reply)
  }

  /** The reply to the RSET that went before MAIL, if one did. */
  async resetReply(): Promise<void> {
    if (!this.session.needsReset) return
    this.session.needsReset = false
    const reply = await this.connection.readReply('RSET', this.timeouts.mailMs)
    this.#watchFor421(reply)
    if (reply.code === 421) {
      // The session had ended before this transaction came: as good as the answer to MAIL.
      this.session.isPastFinalDot = false
      this.refuse('mail', reply)
    }
    // Any other answer decides nothing: if the last transaction is still open, MAIL will be refused with 503.
  }

  /** A reply that decides nothing any more. */
  async ignoredReply(): Promise<void> {
    const reply = await this.connection.readReply('content', this.timeouts.dataTerminationMs)
    this.#watchFor421(reply)
  }

  /** One recipient of several is refused, which decides nothing for the others. */
  refuseRecipient(place: number, reply: Reply): void {
    if (isIntermediate(reply)) throw nonsense('a verdict at rcpt', reply)
    this.#refusals?.set(place, reply)
  }

  /**
   * Whether a reply ends the session: 421 does (RFC 5321 §3.8). But of several recipients, with the content out, some peers
   * mean one by it and answer for the others too; so it is kept, as the reason in case they close the connection.
   */
  isFarewell(reply: Reply): boolean {
    if (reply.code !== 421) return false
    if (this.session.isPastFinalDot && this.#refusals !== null) this.#farewell = reply
    return this.#farewell === null
  }

  refuse(stage: TransactionStage, reply: Reply): never {
    this.decide(stage, reply)
    throw REFUSED
  }

  decide(stage: TransactionStage, reply: Reply): void {
    if (isIntermediate(reply)) throw nonsense(`a verdict at ${stage}`, reply)
    this.#stage = stage
    this.#reply = reply
    // Whatever the peer remembers of this transaction must not become part of the next (RFC 5321 §4.1.1.5).
    if (!isPositive(reply)) this.session.needsReset = true
  }

  /** A reply before the final dot: no is the verdict; yes would be to a message that it has not got. */
  refusedEarly(reply: Reply): void {
    this.session.isPastFinalDot = false
    if (reply.code < 400) throw nonsense('no reply before the final dot', reply)
    this.decideEnd(reply)
    // The peer is still in the middle of the content, so there is no way to say QUIT.
    this.session.drop()
  }

  /** The verdict after the final dot or the last chunk (RFC 5321 §4.2.5). */
  endOfData(reply: Reply): void {
    this.#stage = 'end-of-data'
    if (isIntermediate(reply)) throw nonsense('a verdict on the content', reply)
    // Whatever it accepted, it was not the whole message; that it has nothing is not certain either.
    if (isPositive(reply) && !this.connection.isDrained) {
      throw nonsense('no acceptance before the end of the content', reply)
    }
    const surplus = this.connection.peekReply()
    this.decideEnd(reply)
    if (surplus === null || this.#isChunkingRefused) return
    // RFC 5321 §3.8: 421 may come at any time. Anything else shows that replies and commands are out of step, and
    // then the reply just read may belong to another command.
    if (surplus.code !== 421) {
      this.#reply = null
      throw nonsense('one reply for each command', surplus)
    }
    this.session.retire()
  }

  /** A reply to content or to a part of it. */
  decideEnd(reply: Reply): void {
    this.decide('end-of-data', reply)
    const isChunked = this.session.extensions.chunking && this.transaction.useChunking
    if (isChunked && !this.#hasTakenChunk && reply.code >= 500 && reply.code <= 504) {
      this.#isChunkingRefused = true
      this.session.drop()
    }
    if (isPositive(reply)) this.session.needsReset = false
  }

  #expect(stage: TransactionStage): void {
    // Once a refusal has decided, the rest of the flight is read but decides nothing.
    if (this.#reply === null) this.#stage = stage
  }

  #seen(reply: Reply): Reply {
    this.#repliesSeen++
    this.#farewell = null
    this.#watchFor421(reply)
    return reply
  }

  #limitMs(stage: TransactionStage): number {
    const { mailMs, rcptMs, dataInitiationMs, dataTerminationMs } = this.timeouts
    return { mail: mailMs, rcpt: rcptMs, data: dataInitiationMs, 'end-of-data': dataTerminationMs }[stage]
  }

  #watchFor421(reply: Reply): void {
    // RFC 5321 §3.8: after 421 the peer closes the channel, whatever was said.
    if (reply.code === 421) this.session.retire()
  }
}

const STEP = {
  mail: 'the reply to MAIL',
  rcpt: 'the reply to RCPT',
  data: 'the reply to DATA',
  'end-of-data': 'the reply to the content',
} as const

/** The peer said something that it may not say here. */
export function nonsense(expected: string, found: Reply): RemoteProtocolError {
  return new RemoteProtocolError(`expected ${expected}, found ${formatReply(found)}`)
}
