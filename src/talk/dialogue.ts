/**
 * The mechanics of a dialogue: commands out, lines and replies in, and what replies lead to. Three have effects that a telnet
 * session lacks: a 220 to STARTTLS is followed by the handshake, 354 to DATA makes what comes next content, and 334 to AUTH
 * makes it an answer. talk.ts knows what people write; here are the words of SMTP only.
 *
 * One rule: the end comes once, is told once, and whoever waits for anything hears of it.
 */
import type { PlainSocket } from '../client/connection.ts'
import { LineConnection, type PeerLine } from '../client/line-connection.ts'
import { ConnectionLostError, RemoteProtocolError, type SmtpError } from '../smtp/errors.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { Happening, TalkEvent } from './events.ts'
import { ReplyAssembler } from './heard-reply.ts'
import type { TalkMode, TalkOptions } from './options.ts'
import { type Owed, Replies, within } from './replies.ts'

/** Lines in a row that the peer may say without being spoken to. An EHLO reply has a dozen. */
const MAX_LINES_UNASKED = 1000

/** How long a last word is waited for; nothing depends on it (RFC 5321 §4.1.1.10). */
const QUIT_MS = 5_000

/** One connection, spoken over. End it with `leave` or `drop`. */
export class Dialogue {
  readonly replies: Replies
  readonly #options: TalkOptions
  readonly #clock: Clock
  readonly #connection: LineConnection
  readonly #assembler = new ReplyAssembler()
  readonly #over = Promise.withResolvers<void>()
  #handshake: Promise<void> | null = null
  #failure: SmtpError | null = null
  #linesUnasked = 0
  #isOver = false
  /** The end is wanted: by QUIT, or by us. */
  isGoodbye = false
  /** What the next line is for. */
  mode: TalkMode = 'command'
  /** The 354 has come, and nothing of the content has been said yet. */
  isContentDue = false

  constructor(plain: PlainSocket, options: TalkOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.replies = new Replies(options)
    this.#connection = new LineConnection(plain, {
      onLine: (line) => this.#hear(line),
      onEnd: (error) => this.#end(error),
    })
  }

  /** Nothing more can be said. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves when nothing more can be said. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Why nothing more can be said. */
  get loss(): SmtpError {
    if (this.#failure !== null) return this.#failure
    return new ConnectionLostError(this.isGoodbye ? 'the session is over' : 'the peer closed the connection')
  }

  tell(happening: Happening): void {
    this.#options.onEvent({ at: this.#clock.now(), ...happening } as TalkEvent)
  }

  /** Waits for the greeting, after the handshake where TLS comes first. @throws {SmtpError} */
  async greet({ implicitTls }: { readonly implicitTls: boolean }): Promise<void> {
    const owed = this.owe('greeting')
    if (implicitTls) await this.#encrypt()
    await this.answer(owed, 'the greeting')
  }

  /** Says a command, shown as it may be, and waits for its reply. @throws {SmtpError} */
  async say(
    line: string,
    { command, shown }: { readonly command: string; readonly shown: string },
  ): Promise<void> {
    if (this.isOver) throw this.loss
    this.isGoodbye ||= command === 'QUIT'
    this.tell({ kind: 'said', text: shown })
    const owed = this.owe(command)
    void this.#connection.write(`${line}\r\n`)
    await this.answer(owed, `the reply to ${command}`)
  }

  /** Writes what is no command, or more than one. @throws {TimeoutError} the peer does not read */
  async write(octets: Uint8Array | string, step: string): Promise<void> {
    if (this.isOver) throw this.loss
    this.#linesUnasked = 0
    await this.within(this.#connection.write(octets), step)
  }

  /** A reply to the command will come. */
  owe(command: string): Owed {
    this.#linesUnasked = 0
    return this.replies.owe(command, this.#clock.monotonic())
  }

  /** Waits for a reply, and for what it leads to. @throws {SmtpError} */
  async answer({ answered }: Owed, step: string): Promise<void> {
    await this.within(answered, step)
    await this.#handshake
  }

  /** @throws {TimeoutError} */
  within<T>(promise: Promise<T>, step: string): Promise<T> {
    return within(promise, this.#options.timeoutMs, step)
  }

  /** Says QUIT, if that can be said and nobody has; then ends the connection. Never rejects. */
  async leave(): Promise<void> {
    const limitMs = Math.min(QUIT_MS, this.#options.timeoutMs)
    if (!this.isOver && !this.isGoodbye && this.mode === 'command') {
      const quitting = this.say('QUIT', { command: 'QUIT', shown: 'QUIT' })
      await within(quitting, limitMs, 'QUIT').catch(() => {})
    }
    this.isGoodbye = true
    // A peer that reads no more would keep what is unsent, and us.
    await within(this.#connection.end(), limitMs, 'the end').catch(() => this.#connection.destroy())
    this.#end(null)
  }

  /** Breaks the connection. */
  drop(): void {
    this.isGoodbye = true
    this.#connection.destroy()
    this.#end(null)
  }

  #hear(line: PeerLine): void {
    if (this.isOver) return
    const reply = this.#assembler.push(line.text)
    const owed = this.replies.next
    const durationMs = reply === null || owed === null ? null : this.#clock.monotonic() - owed.saidAt
    this.tell({ kind: 'heard', line, command: owed?.command ?? null, reply, durationMs })
    this.#linesUnasked++
    if (this.#linesUnasked > MAX_LINES_UNASKED) this.#flooded()
    if (reply === null || this.isOver) return
    this.#apply(owed?.command ?? '', reply.code)
    this.replies.arrive(reply)
  }

  #flooded(): void {
    this.#connection.destroy()
    this.#end(
      new RemoteProtocolError(`expected replies, found a flood of more than ${MAX_LINES_UNASKED} lines`),
    )
  }

  /** What a reply changes for what comes next. */
  #apply(command: string, code: number | null): void {
    if (command === 'AUTH') this.mode = code === 334 ? 'auth' : 'command'
    if (command === 'STARTTLS' && code === 220) {
      this.#handshake = this.#encrypt()
      // Whoever waits for the reply hears of it.
      this.#handshake.catch(() => {})
    }
    if (command === 'DATA' && code === 354) {
      this.mode = 'content'
      this.isContentDue = true
    }
  }

  async #encrypt(): Promise<void> {
    const { target, tlsClient, timeoutMs } = this.#options
    const { host, port } = target.exchanger
    const peer = { host, port, limitMs: timeoutMs }
    const { state, discardedOctets } = await this.#connection.startTls(tlsClient, peer)
    this.#handshake = null
    this.tell({ kind: 'encrypted', tls: state, discardedOctets })
  }

  #end(error: SmtpError | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = error
    const { unfinished } = this.#connection
    if (unfinished !== '') this.tell({ kind: 'noted', text: `the last line has no end: ${unfinished}` })
    this.tell({ kind: 'ended', reason: error === null && this.isGoodbye ? null : this.loss.message })
    this.replies.end(this.loss)
    this.#over.resolve()
  }
}
