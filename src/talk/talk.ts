/**
 * A dialogue led by hand, or by a script: lines in, what happens out. A line is sent as it is; besides, three commands have
 * effects that a telnet session lacks: a 220 to STARTTLS is followed by the handshake, 354 to DATA turns what comes next
 * into content up to the lone dot, and 334 to AUTH turns it into answers that are never shown.
 *
 * One rule: half a message is never delivered; whoever stops inside content has broken the connection.
 */
import type { PlainSocket } from '../client/connection.ts'
import { LineConnection, type PeerLine } from '../client/line-connection.ts'
import { withCrlf } from '../mail/message-lines.ts'
import { dotStuff } from '../smtp/dot-stuffing.ts'
import { ConnectionLostError, RemoteProtocolError, type SmtpError } from '../smtp/errors.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { TalkInputError } from './errors.ts'
import type { Happening, TalkEvent } from './events.ts'
import type { Expectation } from './expectation.ts'
import { ReplyAssembler } from './heard-reply.ts'
import { parseInput } from './input.ts'
import type { TalkMode, TalkOptions } from './options.ts'
import { type Owed, Replies, within } from './replies.ts'
import { expectationOf } from './script.ts'
import { hiddenAnswer, linesWithoutSecrets, withoutSecrets } from './secrets.ts'

/** Lines in a row that the peer may say without being spoken to. An EHLO reply has a dozen. */
const MAX_LINES_UNASKED = 1000

/** Ends a content whose dots nobody doubles. */
const BARE_END = Buffer.from('\r\n.\r\n')

/** One dialogue over one connection. End it with `finish` or `drop`. */
export class Talk {
  readonly #options: TalkOptions
  readonly #clock: Clock
  readonly #connection: LineConnection
  readonly #assembler = new ReplyAssembler()
  readonly #replies: Replies
  readonly #over = Promise.withResolvers<void>()
  #mode: TalkMode = 'command'
  #handshake: Promise<void> | null = null
  #failure: SmtpError | null = null
  #linesUnasked = 0
  /** The end is wanted: by QUIT, or by us. */
  #isGoodbye = false
  #isOver = false
  #isFirstOfContent = false
  /** The beginning of a command that `:send` left without its end. */
  #half = ''

  constructor(plain: PlainSocket, options: TalkOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#replies = new Replies(options)
    this.#connection = new LineConnection(plain, {
      onLine: (line) => this.#hear(line),
      onEnd: (error) => this.#end(error),
    })
  }

  /** What the next line is for. */
  get mode(): TalkMode {
    return this.#mode
  }

  /** Nothing more can be said. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves when nothing more can be said. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Waits for the greeting, after the handshake with TLS from the first octet (RFC 8314 §3.3). @throws {SmtpError} */
  async greet({ implicitTls }: { readonly implicitTls: boolean }): Promise<void> {
    const owed = this.#owe('greeting')
    if (implicitTls) await this.#encrypt()
    await this.#answer(owed, 'the greeting')
  }

  /**
   * Takes a line and waits for what answers it.
   * @throws {TalkInputError} {UnexpectedReplyError} {SmtpError} or what reading a file failed with
   */
  async take(line: string): Promise<void> {
    if (this.#mode === 'content') return this.#takeContent(line)
    // No base64 begins with a colon.
    if (this.#mode === 'auth' && !line.startsWith(':')) {
      this.#replies.judgeRest()
      return this.#say(line, { command: 'AUTH', shown: hiddenAnswer(line) })
    }
    const input = parseInput(line)
    switch (input.kind) {
      case 'nothing':
      case 'help':
        return
      case 'expect':
        return this.#expect(input.expectation)
      case 'wait':
        return this.#pause(input.ms)
      case 'drop':
        this.#replies.judgeRest()
        return this.drop()
      case 'command':
        this.#replies.judgeRest()
        return this.#say(input.line, { command: verbOf(input.line), shown: withoutSecrets(input.line) })
      case 'send':
        this.#replies.judgeRest()
        return this.#send(input.octets)
      case 'data':
        return this.#sendData(input.file)
      case 'bdat':
        return this.#sendChunk(input.file)
      default:
        throw input satisfies never
    }
  }

  /**
   * There are no more lines: judges what is left, says QUIT if nobody did, and ends the connection.
   * @throws as `take`; inside content the connection is dropped
   */
  async finish(): Promise<void> {
    if (this.#mode === 'content' && !this.isOver) {
      this.drop()
      throw new TalkInputError(
        'expected a line with a single dot at the end of the content, found the end of the input; the message was not sent',
      )
    }
    try {
      this.#replies.judgeRest()
      if (this.#options.isStrict && this.isOver && !this.#isGoodbye) throw this.#loss()
    } finally {
      await this.#quit()
    }
  }

  /** Breaks the connection. */
  drop(): void {
    this.#isGoodbye = true
    this.#connection.destroy()
    this.#end(null)
  }

  async #quit(): Promise<void> {
    if (!this.isOver && !this.#isGoodbye && this.#mode === 'command') {
      await this.#say('QUIT', { command: 'QUIT', shown: 'QUIT' }).catch(() => {})
    }
    this.#isGoodbye = true
    await this.#connection.end()
    this.#end(null)
  }

  #tell(happening: Happening): void {
    this.#options.onEvent({ at: this.#clock.now(), ...happening } as TalkEvent)
  }

  #owe(command: string): Owed {
    this.#linesUnasked = 0
    return this.#replies.owe(command, this.#clock.monotonic())
  }

  async #say(
    line: string,
    { command, shown }: { readonly command: string; readonly shown: string },
  ): Promise<void> {
    if (this.isOver) throw this.#loss()
    this.#isGoodbye ||= command === 'QUIT'
    this.#tell({ kind: 'said', text: shown })
    const owed = this.#owe(command)
    void this.#connection.write(`${line}\r\n`)
    await this.#answer(owed, `the reply to ${command}`)
  }

  async #answer({ answered }: Owed, what: string): Promise<void> {
    await this.#within(answered, what)
    await this.#handshake
  }

  #within<T>(promise: Promise<T>, step: string): Promise<T> {
    return within(promise, this.#options.timeoutMs, step)
  }

  async #expect(expectation: Expectation): Promise<void> {
    if (expectation.kind === 'reply') return this.#replies.expect(expectation)
    this.#replies.judgeRest()
    await this.#within(this.over, 'the connection')
    this.#isGoodbye = true
  }

  async #takeContent(line: string): Promise<void> {
    const mayExpect = this.#isFirstOfContent && this.#replies.hasUnjudged
    const expectation = mayExpect ? expectationOf(line) : null
    if (expectation !== null) return this.#expect(expectation)
    if (this.isOver) throw this.#loss()
    this.#isFirstOfContent = false
    this.#replies.judgeRest()
    if (line === '.') {
      this.#mode = 'command'
      return this.#say('.', { command: 'content', shown: '.' })
    }
    const sent = line.startsWith('.') && !this.#options.isRaw ? `.${line}` : line
    this.#tell({ kind: 'said', text: sent })
    this.#linesUnasked = 0
    await this.#within(this.#connection.write(`${sent}\r\n`), 'the content')
  }

  /** Each line of it is a command that will be answered; nobody waits for that here. */
  async #send(octets: Buffer): Promise<void> {
    if (this.isOver) throw this.#loss()
    const text = octets.toString('utf8')
    this.#tell({ kind: 'said', text: linesWithoutSecrets(text) })
    const lines = `${this.#half}${text}`.split('\n')
    this.#half = lines.pop() ?? ''
    for (const line of lines) this.#owe(verbOf(line))
    await this.#within(this.#connection.write(octets), 'the sending')
  }

  async #sendData(file: string): Promise<void> {
    const content = await this.#options.readFile(file)
    this.#replies.judgeRest()
    await this.#say('DATA', { command: 'DATA', shown: 'DATA' })
    // What it is instead of 354 may be just what is expected next.
    if (!this.#isFirstOfContent) return
    this.#replies.judgeRest()
    this.#isFirstOfContent = false
    this.#mode = 'command'
    const stuffed = this.#options.isRaw ? Buffer.concat([content, BARE_END]) : dotStuff(withCrlf(content))
    await this.#sendContent(stuffed, { command: 'content', what: file })
  }

  async #sendChunk(file: string): Promise<void> {
    const octets = await this.#options.readFile(file)
    const content = this.#options.isRaw ? octets : withCrlf(octets)
    this.#replies.judgeRest()
    if (this.isOver) throw this.#loss()
    const line = `BDAT ${content.length} LAST`
    this.#tell({ kind: 'said', text: line })
    void this.#connection.write(`${line}\r\n`)
    await this.#sendContent(content, { command: 'BDAT', what: file })
  }

  async #sendContent(
    content: Uint8Array,
    { command, what }: { readonly command: string; readonly what: string },
  ): Promise<void> {
    this.#tell({ kind: 'sent', what, octets: content.length })
    const owed = this.#owe(command)
    await this.#within(Promise.race([this.#connection.write(content), owed.answered]), 'the content')
    await this.#answer(owed, 'the reply to the content')
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    await Promise.race([promise, this.over])
    clearTimeout(timer)
  }

  #hear(line: PeerLine): void {
    if (this.isOver) return
    const reply = this.#assembler.push(line.text)
    const owed = this.#replies.next
    const durationMs = reply === null || owed === null ? null : this.#clock.monotonic() - owed.saidAt
    this.#tell({ kind: 'heard', line, command: owed?.command ?? null, reply, durationMs })
    this.#linesUnasked++
    if (this.#linesUnasked > MAX_LINES_UNASKED) this.#flooded()
    if (reply === null || this.isOver) return
    this.#apply(owed?.command ?? '', reply.code)
    this.#replies.arrive(reply)
  }

  #flooded(): void {
    this.#connection.destroy()
    this.#end(
      new RemoteProtocolError(`expected replies, found a flood of more than ${MAX_LINES_UNASKED} lines`),
    )
  }

  /** What a reply changes for what comes next. */
  #apply(command: string, code: number | null): void {
    if (command === 'AUTH') this.#mode = code === 334 ? 'auth' : 'command'
    if (command === 'STARTTLS' && code === 220) {
      this.#handshake = this.#encrypt()
      // Whoever waits for the reply hears of it.
      this.#handshake.catch(() => {})
    }
    if (command === 'DATA' && code === 354) {
      this.#mode = 'content'
      this.#isFirstOfContent = true
    }
  }

  async #encrypt(): Promise<void> {
    const { target, tlsClient, timeoutMs } = this.#options
    const { host, port } = target.exchanger
    const peer = { host, port, limitMs: timeoutMs }
    const { state, discardedOctets } = await this.#connection.startTls(tlsClient, peer)
    this.#handshake = null
    this.#tell({ kind: 'encrypted', tls: state, discardedOctets })
  }

  #end(error: SmtpError | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = error
    const { unfinished } = this.#connection
    if (unfinished !== '') this.#tell({ kind: 'noted', text: `the last line has no end: ${unfinished}` })
    this.#tell({ kind: 'ended', reason: error === null && this.#isGoodbye ? null : this.#loss().message })
    this.#replies.end(this.#loss())
    this.#over.resolve()
  }

  #loss(): SmtpError {
    if (this.#failure !== null) return this.#failure
    return new ConnectionLostError(this.#isGoodbye ? 'the session is over' : 'the peer closed the connection')
  }
}

/** The command of a line, in upper case: `MAIL FROM:<…>` is MAIL. */
function verbOf(line: string): string {
  return line.trim().split(/[\s:]/, 1)[0]?.toUpperCase() ?? ''
}
