/**
 * A connection of smtp-server, corrected where submission needs more than it does by itself.
 * One rule: everything that relies on smtp-server's insides stands here and in `listener.ts`, and has a test.
 */
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { parsePathCommand } from './command-path.ts'
import { Pace } from './pace.ts'
import { MESSAGE_TOO_BIG, TOO_MANY_RECIPIENTS } from './refusal.ts'

/** What a connection is held to. */
export interface ConnectionLimits {
  /** Refused commands before 421. */
  readonly maxErrors: number
  /** Until a client has logged in where it must; `null` where it need not. */
  readonly loginTimeoutMs: number | null
  /** For each command, and see `pace.ts`; `null`: for ever. */
  readonly commandTimeoutMs: number | null
  /** Whether there is room for it. */
  readonly isWelcome: (connection: SubmissionConnection) => boolean
}

const ownStatus = /^[245]\.\d{1,3}\.\d{1,3} /
/** RFC 5321 §2.3.8 knows CR before LF only, and NUL nowhere; text after either is text for some other reader. */
const strayOctet = /[\0\r]/

/** One client. */
export class SubmissionConnection extends SMTPConnection {
  limits: ConnectionLimits = {
    maxErrors: 20,
    loginTimeoutMs: null,
    commandTimeoutMs: null,
    isWelcome: () => true,
  }
  #errors = 0
  #isStopping = false
  #loginTimer: NodeJS.Timeout | undefined
  #pace: Pace | undefined
  readonly #closing = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()

  /** Without the 100 ms that smtp-server waits for clients who speak too soon: here they are programs, not spammers. */
  override init(): void {
    const socket = this._socket
    // smtp-server replies to a socket that is `open`; where the client has closed his side it is `writeOnly`.
    Object.defineProperty(socket, 'readyState', { get: () => (socket.writable ? 'open' : 'closed') })
    this._setListeners(() => {
      if (!this.limits.isWelcome(this)) {
        this.send(421, `${this.name} too many connections, try again later`, false)
        return
      }
      this.connectionReady(() => {
        this.#expectLogin()
        this.#expectPace()
      })
    })
  }

  /** Whether it came where strangers can come, and has not logged in (yet). */
  get isStranger(): boolean {
    return this.limits.loginTimeoutMs !== null && !this.session.user
  }

  #expectPace(): void {
    const { commandTimeoutMs: limitMs } = this.limits
    if (limitMs === null) return
    this.#pace = new Pace({
      limitMs,
      octets: () => this.#octetsSoFar(),
      onSlow: () => this.send(421, '4.4.2 too slow'),
    })
  }

  #octetsSoFar(): number | null {
    if (this._parser !== false && this._parser._dataMode) return this._parser.dataBytes
    return this._handlerPending || this._dataStream ? null : 0
  }

  /** An idle timer alone lets a client that says one octet a minute stay for ever. */
  #expectLogin(): void {
    const { loginTimeoutMs } = this.limits
    if (loginTimeoutMs === null) return
    this.#loginTimer = setTimeout(() => {
      if (!this.session.user) this.send(421, '4.7.0 no login in time')
    }, loginTimeoutMs).unref()
  }

  /** Ends the session with 421: now, or once the message that is coming in has had its reply. */
  stop(): void {
    this.#isStopping = true
    if (!this._dataStream) this.send(421, '4.3.2 going down, try again later')
  }

  /**
   * smtp-server forgets what waits behind a message when that was written together with the message before it, and the
   * session stands still: `continue` clears what the callback has just set. `sendmail -bs` gets all its input at once.
   */
  override _createParser(): ReturnType<SMTPConnection['_createParser']> {
    const parser = super._createParser()
    parser.continue = () => {
      const next = parser._continueCallback
      parser._continueCallback = typeof next !== 'function'
      if (typeof next === 'function') next()
    }
    // Everything that was said before has been answered; a message that is not whole is dropped with the connection.
    parser.once('finish', () => this._socket.end())
    return parser
  }

  /** Under TLS both sides close together, and so do they while they agree on it. */
  override upgrade(...callbacks: Parameters<SMTPConnection['upgrade']>): void {
    this._socket.allowHalfOpen = false
    super.upgrade(...callbacks)
  }

  override _resetSession(): void {
    super._resetSession()
    this.#pace?.advance()
    // smtp-server calls this after the reply to the content, before it looks at what was pipelined behind it.
    if (this.#isStopping) this.stop()
  }

  override close(): void {
    super.close()
    this.#closing.resolve()
  }

  override _onClose(): void {
    clearTimeout(this.#loginTimer)
    this.#pace?.stop()
    super._onClose()
    this.#closing.resolve()
    this.#closed.resolve()
  }

  /** Resolves when nothing more will be said: QUIT, 421, or the client has left. */
  get closing(): Promise<void> {
    return this.#closing.promise
  }

  /** Resolves when the socket is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Without a word. */
  destroy(): void {
    this._socket.destroy()
  }

  override _onCommand(command: Buffer, callback: () => void): void {
    this.#pace?.advance()
    const isSecret = this._nextHandler !== false
    if (this._ready && !this._upgrading && !isSecret && strayOctet.test(command.toString('latin1'))) {
      this.send(500, '5.5.2 NUL or bare CR in a command')
      this._whenWritable(callback)
      return
    }
    super._onCommand(command, callback)
  }

  /** See `command-path.ts`. The path is judged in `transaction.ts`, which can say what is wrong with it. */
  override _parseAddressCommand(_name: string, command: Buffer | string) {
    const parsed = parsePathCommand(Buffer.from(command))
    if (parsed === null) return false
    return {
      address: parsed.path,
      args: { ...parsed.parameters },
      ...(parsed.duplicate === null ? {} : { duplicate: parsed.duplicate }),
    }
  }

  override send(code: number, text?: string | string[] | null, context?: string | false): void {
    if (this._closing) return
    // One thing, one text: the same words as at the end of a content that did not say its size.
    const said = asAscii(
      context === 'MESSAGE_TOO_BIG' ? `${MESSAGE_TOO_BIG.status} ${MESSAGE_TOO_BIG.text}` : text,
    )
    super.send(code, this.#offers(said), typeof said === 'string' && ownStatus.test(said) ? false : context)
    if (code < 400 || code === 421 || this.#isOvershoot(code, said)) return
    this.#errors += 1
    if (this.#errors >= this.limits.maxErrors) super.send(421, '4.7.0 too many errors', false)
  }

  /**
   * A recipient too many. RFC 5321 §4.5.3.1.10 has the client go on with those that were taken: whoever pipelines all of a
   * long list must not lose the session over the rest. (Postfix: `smtpd_recipient_overshoot_limit`.)
   */
  #isOvershoot(code: number, text: string | string[] | null | undefined): boolean {
    return code === 452 && typeof text === 'string' && text.startsWith(TOO_MANY_RECIPIENTS)
  }

  /** RFC 4954 §4: PLAIN is not to be offered in clear. */
  #offers(text: string | string[] | null | undefined): string | string[] | null {
    if (!Array.isArray(text) || this.secure) return text ?? null
    return text.filter((line) => !line.startsWith('AUTH '))
  }
}

/** RFC 5321 §4.2: the text of a reply is printable ASCII; ours quotes addresses, and cuts them with an ellipsis. */
function asAscii(text: string | string[] | null | undefined): string | string[] | null | undefined {
  if (typeof text !== 'string') return text
  return text.replaceAll('…', '...').replace(/[^\t -~]/gu, '?')
}
