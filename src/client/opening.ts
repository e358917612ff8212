/**
 * A fresh connection made into a session (RFC 5321 §3.1):
 * greeting → EHLO, or HELO for a server that does not know it → STARTTLS as the policy says → EHLO again → AUTH at a relay.
 * Where TLS is implicit (RFC 8314 §3.3) the handshake comes first, and there is one EHLO.
 *
 * One rule: every stage tells how it ended, and the first that fails closes the connection.
 */
import type { Target } from '../route/targets.ts'
import { helloCommand } from '../smtp/command.ts'
import { AuthError, RemoteProtocolError, TlsError } from '../smtp/errors.ts'
import { type Extensions, noExtensions, parseExtensions } from '../smtp/extensions.ts'
import { formatReply, isPositive, type Reply } from '../smtp/reply.ts'
import { mayEncrypt, mayGoInClear, mustVerify, type TlsPolicy } from '../tls/policy.ts'
import { authenticate } from './authenticate.ts'
import type { Connection } from './connection.ts'
import { say } from './say.ts'
import { Session } from './session.ts'
import { type OpeningStage, SessionOpenError } from './session-open-error.ts'
import type { SessionOptions } from './session-options.ts'
import type { TlsState } from './tls.ts'

/**
 * Makes a fresh connection into a session. On failure the connection is closed.
 * @throws {SessionOpenError} with the stage, and the peer's refusal or the error.
 */
export async function openSession(
  connection: Connection,
  target: Target,
  options: SessionOptions,
): Promise<Session> {
  const opening = new Opening(connection, target, options)
  try {
    return await opening.run()
  } catch (error) {
    connection.destroy(error as Error)
    if (error instanceof SessionOpenError) throw error
    throw new SessionOpenError(opening.stage, { cause: error as Error, isTlsBroken: opening.isTlsUntried })
  }
}

class Opening {
  stage: OpeningStage = 'greeting'
  /** STARTTLS was said, and nothing has come back under TLS yet. In TLS 1.3 a refusal shows only then. */
  isTlsUntried = false
  /** Of the running stage: its last reply, and when it was over although QUIT was still to be said. */
  #reply: Reply | null = null
  #overAt: number | null = null
  readonly #connection: Connection
  readonly #target: Target
  readonly #options: SessionOptions

  constructor(connection: Connection, target: Target, options: SessionOptions) {
    this.#connection = connection
    this.#target = target
    this.#options = options
  }

  async run(): Promise<Session> {
    const { until, isTlsImplicit = false } = this.#options
    const implicit = isTlsImplicit ? await this.#at('starttls', () => this.#handshake()) : null
    await this.#at('greeting', () => this.#greeting())
    if (until === 'greeting') return this.#opened(noExtensions, implicit)
    const offered = await this.#at('ehlo', () => this.#hello())
    if (until === 'ehlo') return this.#opened(offered, implicit)
    const tls = implicit ?? (await this.#startTls(offered))
    // RFC 3207 §4.2: what was offered before TLS does not count after it.
    const extensions = tls === implicit ? offered : await this.#at('ehlo', () => this.#hello())
    this.isTlsUntried = false
    await this.#expectInStep()
    await this.#authenticate(extensions, tls)
    return this.#opened(extensions, tls)
  }

  #opened(extensions: Extensions, tls: TlsState | null): Session {
    return new Session(this.#target, this.#connection, { timeouts: this.#options.timeouts, extensions, tls })
  }

  /** Runs a stage and tells how it ended. */
  async #at<T>(stage: OpeningStage, run: () => Promise<T>): Promise<T> {
    this.stage = stage
    this.#reply = null
    const begun = performance.now()
    const tell = (error: Error | null): void => {
      const durationMs = (this.#overAt ?? performance.now()) - begun
      this.#options.onStage?.({ stage, reply: this.#reply, error, durationMs })
    }
    try {
      const result = await run()
      tell(null)
      return result
    } catch (error) {
      tell(error as Error)
      throw error
    }
  }

  async #greeting(): Promise<void> {
    // RFC 5321 §4.3.1: nothing is said before the 220.
    const reply = await this.#connection.readReply('greeting', this.#options.timeouts.greetingMs)
    this.#reply = reply
    if (!isPositive(reply)) await this.#refused(reply)
  }

  /** A receiver compares it with the name of the address that it sees (RFC 5321 §4.1.4 forbids to refuse for that; many do). */
  get #hostname(): string {
    const { hostname, sourceHostnames } = this.#options
    return sourceHostnames?.get(this.#connection.localAddress ?? '') ?? hostname
  }

  async #hello(): Promise<Extensions> {
    const reply = await this.#ask(helloCommand('EHLO', this.#hostname), this.#options.timeouts.ehloMs)
    if (isPositive(reply)) return parseExtensions(reply.lines)
    // RFC 5321 §3.2, §4.1.1.1: a server that does not know EHLO is greeted with HELO.
    if (reply.code < 500 || reply.code > 504) return this.#refused(reply)
    const second = await this.#ask(helloCommand('HELO', this.#hostname), this.#options.timeouts.ehloMs)
    return isPositive(second) ? noExtensions : this.#refused(second)
  }

  /** Up the ladder as far as the peer goes, and as the policy asks. @returns `null` when the session stays in clear. */
  async #startTls(offered: Extensions): Promise<TlsState | null> {
    const policy = this.#options.tlsPolicy
    if (!mayEncrypt(policy) || (!offered.startTls && mayGoInClear(policy))) return null
    return this.#at('starttls', () => this.#encrypt(offered, policy))
  }

  async #encrypt(offered: Extensions, policy: TlsPolicy): Promise<TlsState | null> {
    if (!offered.startTls) {
      // RFC 3207 §4.1: an insufficient level of privacy ends the session with QUIT.
      await this.#farewell()
      throw new TlsError('unavailable', `TLS is ${policy.mode}, and the server does not offer STARTTLS`)
    }
    this.isTlsUntried = true
    const reply = await this.#ask('STARTTLS\r\n', this.#options.timeouts.startTlsMs)
    if (isPositive(reply)) return this.#handshake()
    this.isTlsUntried = false
    if (reply.code === 421 || !mayGoInClear(policy)) return this.#refused(reply)
    return null
  }

  async #handshake(): Promise<TlsState> {
    const { tlsClient, tlsPolicy, timeouts, onHandshake } = this.#options
    const { host, port } = this.#target.exchanger
    const peer = { host, port, requireVerified: mustVerify(tlsPolicy) }
    const { socket, state } = await tlsClient.handshake(this.#connection.detach(), peer, timeouts.startTlsMs)
    onHandshake?.(state)
    this.#connection.adopt(socket)
    if (this.#connection.isTraced) {
      const trust = state.verified ? 'verified' : `not verified: ${state.reason}`
      this.#connection.trace('client', `[TLS ${state.protocol} ${state.cipher}, ${trust}]`)
    }
    if (mustVerify(tlsPolicy) && !state.verified) {
      this.isTlsUntried = false
      // Before a greeting there is nothing to say (RFC 5321 §4.3.1).
      if (this.#options.isTlsImplicit !== true) await this.#farewell()
      throw new TlsError('certificate', `certificate not accepted: ${state.reason}`)
    }
    return state
  }

  async #authenticate({ auth }: Extensions, tls: TlsState | null): Promise<void> {
    const { login = null, timeouts } = this.#options
    if (login === null) return
    const connection = this.#connection
    const place = { connection, offered: auth, isEncrypted: tls !== null, limitMs: timeouts.ehloMs }
    await this.#at('auth', async () => {
      const reply = await authenticate(login, place).catch(async (error: unknown) => {
        if (error instanceof AuthError) await this.#farewell()
        throw error
      })
      this.#reply = reply
      if (!isPositive(reply)) await this.#refused(reply)
    })
    await this.#expectInStep()
  }

  /** A reply too many would be taken for the answer to MAIL, that to MAIL for the next, and a wrong one for the verdict. */
  async #expectInStep(): Promise<void> {
    if (!this.#connection.hasUnasked) return
    if (this.stage !== 'auth') this.stage = 'ehlo'
    const surplus = this.#connection.takeReply()
    // RFC 5321 §3.8: 421 may come at any time.
    if (surplus?.code === 421) return this.#refused(surplus)
    const found = surplus === null ? 'the beginning of another' : formatReply(surplus)
    throw new RemoteProtocolError(
      `expected one reply to ${this.stage === 'auth' ? 'AUTH' : 'EHLO'}, found ${found} behind it`,
    )
  }

  async #ask(command: string, limitMs: number): Promise<Reply> {
    const line = command.trimEnd()
    say(this.#connection, command)
    const reply = await this.#connection.readReply(line.split(' ')[0] ?? line, limitMs)
    if (this.#overAt === null) this.#reply = reply
    return reply
  }

  async #refused(reply: Reply): Promise<never> {
    // RFC 5321 §4.1.1.10: QUIT closes every session but one that the peer has closed with 421.
    if (reply.code !== 421) await this.#farewell()
    if (reply.code < 400)
      throw new RemoteProtocolError(`expected 2xx or a refusal, found ${formatReply(reply)}`)
    throw new SessionOpenError(this.stage, { reply })
  }

  async #farewell(): Promise<void> {
    this.#overAt = performance.now()
    await this.#ask('QUIT\r\n', this.#options.timeouts.quitMs).catch(() => {})
  }
}
