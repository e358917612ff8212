/**
 * The plug-in that nodemailer calls. One rule: every `send` calls back once, whatever happens, and never from within itself.
 */
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Agent } from '../agent/agent.ts'
import { RelayError, TransportError, withCode } from './nodemailer-errors.ts'
import { type MailData, type NodemailerMail, type TakenMail, takeMail } from './nodemailer-mail.ts'
import { AbortedError, type SentMessageInfo, Tally } from './nodemailer-result.ts'

// The same two steps up from src/adapters/ and from dist/adapters/.
const packageFile = new URL('../../package.json', import.meta.url)

/** Options of the transport itself; those of the agent are its own. */
export interface TransportOptions {
  /**
   * Put mail into the agent's queue instead of sending it: `sendMail` resolves when it is on disk, and it is delivered, tried
   * again and reported on from there, by this agent or by `mxpress serve`. Default `false`.
   */
  readonly queue?: boolean
  /** Messages in work at once up to which `isIdle()` is true; more are taken all the same. Default 100. */
  readonly idleBelow?: number
}

/** How `send` tells what became of the message. */
export type SendCallback = (error: Error | null, info: SentMessageInfo) => void
/** How `verify` tells that the transport can be used. */
export type VerifyCallback = (error: Error | null, success: true) => void

/** A transport for `nodemailer.createTransport`. Close it, by itself or with nodemailer's `close`. */
export class Transport extends EventEmitter implements AsyncDisposable {
  readonly name = 'mxpress'
  readonly version: string = JSON.parse(readFileSync(packageFile, 'utf8')).version
  /** For nodemailer: `signal` is obeyed here. */
  readonly supportsAbortSignal = true
  readonly #agent: Agent
  readonly #ownsAgent: boolean
  readonly #queue: boolean
  readonly #idleBelow: number
  readonly #inWork = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null
  #wasIdle = true

  constructor(
    agent: Agent,
    { queue, idleBelow, ownsAgent }: Required<TransportOptions> & { readonly ownsAgent: boolean },
  ) {
    super()
    this.#agent = agent
    this.#queue = queue
    this.#idleBelow = idleBelow
    this.#ownsAgent = ownsAgent
    // As nodemailer's pool does it: whoever waits for the event to begin gets one.
    setImmediate(() => this.isIdle() && this.emit('idle'))
  }

  /** Called by nodemailer for each `sendMail`. */
  send(mail: NodemailerMail, callback: SendCallback): void {
    const working = this.#closing === null ? this.#send(mail) : Promise.reject(closedError())
    const told = working.then(
      (info) => tell(() => callback(null, info)),
      (error: unknown) => tell(() => (callback as (error: unknown) => void)(error)),
    )
    this.#inWork.add(told)
    this.#wasIdle = this.isIdle()
    void told.then(() => {
      this.#inWork.delete(told)
      this.#noticeIdle()
    })
  }

  /** Whether another message is best given now; 'idle' says when that becomes true again. */
  isIdle(): boolean {
    return this.#closing === null && this.#inWork.size < this.#idleBelow
  }

  /**
   * Checks the options, the host's name, the files of certificates and keys, the log; then, as nodemailer's SMTP transport
   * does, that each relay of the options can be connected to and takes the login. Without a relay nobody is connected to:
   * that port 25 is open and that others want our mail is no matter of options.
   */
  verify(callback: VerifyCallback): void
  verify(): Promise<true>
  verify(callback?: VerifyCallback): Promise<true> | undefined {
    const verifying = this.#verify()
    if (callback === undefined) return verifying
    void verifying.then(
      () => tell(() => callback(null, true)),
      (error: unknown) => tell(() => (callback as (error: unknown) => void)(error)),
    )
    return undefined
  }

  /** Waits for what is being sent, ends the sessions and, unless it was given one, closes the agent. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #verify(): Promise<true> {
    if (this.#closing !== null) throw closedError()
    const relays = await this.#agent.checkRelays().catch((error: unknown) => {
      throw withCode(error)
    })
    for (const relay of relays) {
      if (relay.failure !== null) throw new RelayError(relay, relay.failure)
    }
    return true
  }

  async #close(): Promise<void> {
    await Promise.all(this.#inWork)
    if (this.#ownsAgent) await this.#agent.close()
    this.emit('close')
  }

  async #send(mail: NodemailerMail): Promise<SentMessageInfo> {
    const { signal, idempotencyKey }: MailData = mail.data
    const startedAt = performance.now()
    let tally: Tally | undefined
    try {
      const taken = await takeMail(mail, this.#agent)
      signal?.throwIfAborted()
      if (this.#queue) return await this.#enqueue(taken, { startedAt, idempotencyKey })
      tally = new Tally(taken)
      const { message, envelope } = taken
      for await (const outcome of this.#agent.deliver(
        message,
        envelope,
        signal === undefined ? {} : { signal },
      )) {
        tally.add(outcome)
      }
      return tally.finish(taken, Math.round(performance.now() - startedAt))
    } catch (error) {
      throw signal?.aborted && error === signal.reason ? new AbortedError(error, tally) : error
    }
  }

  async #enqueue(
    taken: TakenMail,
    {
      startedAt,
      idempotencyKey,
    }: { readonly startedAt: number; readonly idempotencyKey: string | null | undefined },
  ): Promise<SentMessageInfo> {
    const { queueId, messageId } = await this.#agent.enqueue(taken, idempotencyKey ? { idempotencyKey } : {})
    const { from, to } = taken.given
    return {
      accepted: [...to],
      rejected: [],
      pending: [],
      rejectedErrors: [],
      pendingErrors: [],
      recipients: [],
      envelope: { from, to: [...to] },
      messageId,
      response: `250 2.0.0 Ok: queued as ${queueId}`,
      messageSize: taken.message.size,
      messageTime: Math.round(performance.now() - startedAt),
      queueId,
    }
  }

  #noticeIdle(): void {
    const isIdle = this.isIdle()
    if (isIdle && !this.#wasIdle) setImmediate(() => this.emit('idle'))
    this.#wasIdle = isIdle
  }
}

/** Outside of any promise: what a callback throws is its caller's, as with any other transport. */
function tell(call: () => void): Promise<void> {
  return new Promise((resolve) =>
    setImmediate(() => {
      try {
        call()
      } finally {
        resolve()
      }
    }),
  )
}

function closedError(): TransportError {
  return new TransportError('ECONNECTION', 'The transport is closed: make a new one to send more')
}
