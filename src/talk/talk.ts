/**
 * A dialogue led by hand, or by a script: lines in, what happens out. A line is sent as it is, unless it is a word to us
 * (input.ts); behind 354 it is content up to the lone dot, and behind 334 an answer that is never shown.
 *
 * One rule: half a message is never delivered; whoever stops inside content has broken the connection.
 */
import type { PlainSocket } from '../client/connection.ts'
import { withCrlf } from '../mail/message-lines.ts'
import { dotStuff } from '../smtp/dot-stuffing.ts'
import { Dialogue } from './dialogue.ts'
import { TalkInputError } from './errors.ts'
import type { Expectation } from './expectation.ts'
import { parseInput } from './input.ts'
import type { TalkMode, TalkOptions } from './options.ts'
import { expectationOf } from './script.ts'
import { hiddenAnswer, linesWithoutSecrets, withoutSecrets } from './secrets.ts'

/** Ends a content whose dots nobody doubles. */
const BARE_END = Buffer.from('\r\n.\r\n')

/** STARTTLS has eight letters; who says a megabyte without a blank need not read it again in every message. */
const LONGEST_VERB = 40

/** One dialogue over one connection. End it with `finish` or `drop`. */
export class Talk {
  readonly #options: TalkOptions
  readonly #dialogue: Dialogue
  /** The beginning of a command that `:send` left without its end. */
  #half = ''

  constructor(plain: PlainSocket, options: TalkOptions) {
    this.#options = options
    this.#dialogue = new Dialogue(plain, options)
  }

  /** What the next line is for. */
  get mode(): TalkMode {
    return this.#dialogue.mode
  }

  /** Nothing more can be said. */
  get isOver(): boolean {
    return this.#dialogue.isOver
  }

  /** Resolves when nothing more can be said. */
  get over(): Promise<void> {
    return this.#dialogue.over
  }

  /** Waits for the greeting, after the handshake with TLS from the first octet (RFC 8314 §3.3). @throws {SmtpError} */
  greet(options: { readonly implicitTls: boolean }): Promise<void> {
    return this.#dialogue.greet(options)
  }

  /**
   * Takes a line and waits for what answers it.
   * @throws {TalkInputError} {UnexpectedReplyError} {SmtpError} or what reading a file failed with
   */
  async take(line: string): Promise<void> {
    const { mode, replies } = this.#dialogue
    if (mode === 'content') return this.#takeContent(line)
    // No base64 begins with a colon.
    if (mode === 'auth' && !line.startsWith(':')) {
      replies.judgeRest()
      return this.#dialogue.say(line, { command: 'AUTH', shown: hiddenAnswer(line) })
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
        replies.judgeRest()
        return this.drop()
      case 'ehlo':
        return this.#hello()
      case 'command':
        replies.judgeRest()
        return this.#dialogue.say(line, { command: verbOf(line), shown: withoutSecrets(line) })
      case 'send':
        replies.judgeRest()
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
    if (this.mode === 'content' && !this.isOver) {
      this.drop()
      throw new TalkInputError(
        'expected a line with a single dot at the end of the content, found the end of the input; the message was not sent',
      )
    }
    const { replies } = this.#dialogue
    try {
      // Behind :send there may be replies that nobody has waited for.
      if (this.#options.isStrict) await replies.settled()
      replies.judgeRest()
      if (this.#options.isStrict && this.isOver && !this.#dialogue.isGoodbye) throw this.#dialogue.loss
    } finally {
      await this.leave()
    }
  }

  /** Says QUIT, if that can be said and nobody has; then ends the connection, and judges nothing. Never rejects. */
  leave(): Promise<void> {
    return this.#dialogue.leave()
  }

  /** Breaks the connection. */
  drop(): void {
    this.#dialogue.drop()
  }

  async #hello(): Promise<void> {
    this.#dialogue.replies.judgeRest()
    const line = `EHLO ${await this.#options.ownName()}`
    return this.#dialogue.say(line, { command: 'EHLO', shown: line })
  }

  async #expect(expectation: Expectation): Promise<void> {
    const { replies } = this.#dialogue
    if (expectation.kind === 'reply') return replies.expect(expectation)
    replies.judgeRest()
    await this.#dialogue.within(this.over, 'the connection')
    this.#dialogue.isGoodbye = true
  }

  async #takeContent(line: string): Promise<void> {
    const { isContentDue, replies } = this.#dialogue
    const expectation = isContentDue && replies.hasUnjudged ? expectationOf(line) : null
    if (expectation !== null) return this.#expect(expectation)
    this.#dialogue.isContentDue = false
    replies.judgeRest()
    if (line === '.') {
      this.#dialogue.mode = 'command'
      return this.#dialogue.say('.', { command: 'content', shown: '.' })
    }
    const sent = line.startsWith('.') && !this.#options.isRaw ? `.${line}` : line
    if (!this.isOver) this.#dialogue.tell({ kind: 'said', text: sent })
    await this.#dialogue.write(`${sent}\r\n`, 'the content')
  }

  /** Each line of it is a command that will be answered; nobody waits for that here. */
  async #send(octets: Buffer): Promise<void> {
    if (this.isOver) throw this.#dialogue.loss
    const text = octets.toString('utf8')
    this.#dialogue.tell({ kind: 'said', text: linesWithoutSecrets(text) })
    const lines = `${this.#half}${text}`.split('\n')
    this.#half = lines.pop() ?? ''
    for (const line of lines) this.#dialogue.owe(verbOf(line))
    await this.#dialogue.write(octets, 'the sending')
  }

  async #sendData(file: string): Promise<void> {
    const content = await this.#options.readFile(file)
    const { replies } = this.#dialogue
    replies.judgeRest()
    await this.#dialogue.say('DATA', { command: 'DATA', shown: 'DATA' })
    // What it is instead of 354 may be just what is expected next.
    if (!this.#dialogue.isContentDue) return
    replies.judgeRest()
    this.#dialogue.isContentDue = false
    this.#dialogue.mode = 'command'
    const octets = this.#options.isRaw ? Buffer.concat([content, BARE_END]) : dotStuff(withCrlf(content))
    this.#dialogue.tell({ kind: 'sent', what: file, octets: octets.length })
    await this.#sendContent(octets, 'content')
  }

  async #sendChunk(file: string): Promise<void> {
    const octets = await this.#options.readFile(file)
    this.#dialogue.replies.judgeRest()
    if (this.isOver) throw this.#dialogue.loss
    const content = this.#options.isRaw ? octets : withCrlf(octets)
    const line = `BDAT ${content.length} LAST`
    this.#dialogue.tell({ kind: 'said', text: line })
    this.#dialogue.tell({ kind: 'sent', what: file, octets: content.length })
    await this.#sendContent(Buffer.concat([Buffer.from(`${line}\r\n`), content]), 'BDAT')
  }

  async #sendContent(octets: Uint8Array, command: string): Promise<void> {
    const owed = this.#dialogue.owe(command)
    const written = this.#dialogue.write(octets, 'the content')
    // A server may have its say before it has read everything; what becomes of the rest is no matter then.
    written.catch(() => {})
    await Promise.race([written, owed.answered])
    await this.#dialogue.answer(owed, 'the reply to the content')
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    await Promise.race([promise, this.over])
    clearTimeout(timer)
  }
}

/** The command of a line, in upper case: `MAIL FROM:<…>` is MAIL. */
function verbOf(line: string): string {
  const verb =
    line
      .trimStart()
      .slice(0, LONGEST_VERB + 1)
      .split(/[\s:]/, 1)[0]
      ?.toUpperCase() ?? ''
  return verb.length > LONGEST_VERB ? `${verb.slice(0, LONGEST_VERB)}…` : verb
}
