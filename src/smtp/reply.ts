/**
 * Replies of the peer, parsed incrementally: octets in, `Reply` out (RFC 5321 §4.2). One rule: every dimension of what
 * the peer can send is bounded here, and the bounds hold however the octets are cut.
 *
 * A reply line is `ddd-text`, `ddd text` or, from servers that forget the space, `ddd` alone. Lines end in CRLF; a bare
 * LF is taken as a line end too, because a client that waits for a CR that never comes waits for nothing.
 */

import { type EnhancedStatus, statusOfLine, withoutStatus } from './enhanced-status.ts'
import { RemoteProtocolError } from './errors.ts'

/** One whole reply. */
export interface Reply {
  /** Three digits, 200 to 599; decide by it alone, unknown ones by the first digit (RFC 5321 §4.2.1). */
  readonly code: number
  /** The peer's enhanced status, if its class agrees with the code (RFC 2034 §4). */
  readonly status: EnhancedStatus | null
  /** The text lines without code and status, as they came: escape before showing. */
  readonly lines: readonly string[]
}

/** The longest reply line that is read, in octets without its line end; RFC 5321 §4.5.3.1.5 promises 512 with it. */
export const MAX_REPLY_LINE_OCTETS = 4096
/** The most lines one reply may have. */
export const MAX_REPLY_LINES = 1000
/** The largest reply altogether, in octets. */
export const MAX_REPLY_OCTETS = 1024 * 1024

const CR = 13
const HYPHEN = 45
const SPACE = 32
const ZERO = 48
const NON_ASCII = /[^\0-\x7f]/

/**
 * Takes octets as they arrive and gives out replies as they become whole. One parser per connection. Octets are handled
 * as a Latin-1 string, one character each: a string is cut and searched at a fraction of what views of memory cost.
 */
export class ReplyParser {
  /** The part of a line that has arrived so far, when a line was cut. */
  #pending = ''
  #code = 0
  #lines: string[] = []
  #octets = 0

  /**
   * Parses what has arrived and appends every reply that is now whole to `replies`.
   * @throws {RemoteProtocolError} when the octets are no reply or exceed a bound; the connection is useless after it.
   */
  push(chunk: Uint8Array, replies: Reply[]): void {
    const octets = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    const arrived = this.#pending + octets.toString('latin1')
    let start = 0
    for (;;) {
      const end = arrived.indexOf('\n', start)
      if (end === -1) break
      this.#line(arrived, start, end, replies)
      start = end + 1
    }
    this.#keep(start === 0 ? arrived : arrived.slice(start))
  }

  /** Whether a reply has begun and is not whole yet. */
  get isMidReply(): boolean {
    return this.#pending !== '' || this.#lines.length > 0
  }

  /** Forgets everything that has arrived (RFC 3207 §4.2: nothing from before TLS counts after it). */
  reset(): void {
    this.#pending = ''
    this.#code = 0
    this.#lines = []
    this.#octets = 0
  }

  #keep(rest: string): void {
    // The CR of the line end is not counted; a line that was cut behind it must not be longer for that.
    const length = rest.endsWith('\r') ? rest.length - 1 : rest.length
    if (length > MAX_REPLY_LINE_OCTETS) throw tooLongLine()
    this.#pending = rest
  }

  /** One line, from `start` to its LF at `end`. */
  #line(arrived: string, start: number, end: number, replies: Reply[]): void {
    const stop = end > start && arrived.charCodeAt(end - 1) === CR ? end - 1 : end
    const length = stop - start
    if (length > MAX_REPLY_LINE_OCTETS) throw tooLongLine()
    const code = codeAt(arrived, start, stop)
    if (this.#lines.length > 0 && code !== this.#code) {
      // RFC 5321 §4.2.1: all lines of a reply carry the same code.
      throw new RemoteProtocolError(`expected the next line of a ${this.#code} reply, found one of ${code}`)
    }
    this.#octets += length
    if (this.#lines.length >= MAX_REPLY_LINES || this.#octets > MAX_REPLY_OCTETS) {
      throw new RemoteProtocolError(
        `expected a reply of at most ${MAX_REPLY_LINES} lines and ${MAX_REPLY_OCTETS} octets, found a longer one`,
      )
    }
    this.#code = code
    this.#lines.push(length <= 4 ? '' : decoded(arrived.slice(start + 4, stop)))
    if (length > 3 && arrived.charCodeAt(start + 3) === HYPHEN) return
    replies.push(replyOf(code, this.#lines))
    this.#lines = []
    this.#octets = 0
  }
}

// RFC 6531 §3.7.4: UTF-8 may stand in replies; anything malformed becomes U+FFFD, never an exception.
function decoded(latin1: string): string {
  return NON_ASCII.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1
}

function tooLongLine(): RemoteProtocolError {
  return new RemoteProtocolError(
    `expected a reply line of at most ${MAX_REPLY_LINE_OCTETS} octets, found a longer one`,
  )
}

function codeAt(arrived: string, start: number, stop: number): number {
  const hundreds = digitAt(arrived, start, stop)
  const tens = digitAt(arrived, start + 1, stop)
  const ones = digitAt(arrived, start + 2, stop)
  const separator = start + 3 < stop ? arrived.charCodeAt(start + 3) : SPACE
  // RFC 5321 §4.2.1: the first digit is 2 to 5; 1yz is not used in SMTP.
  if (hundreds < 2 || hundreds > 5 || tens < 0 || ones < 0 || (separator !== SPACE && separator !== HYPHEN)) {
    const found = JSON.stringify(arrived.slice(start, Math.min(stop, start + 60)))
    throw new RemoteProtocolError(`expected a reply line (three digits and text), found ${found}`)
  }
  return hundreds * 100 + tens * 10 + ones
}

/** The digit's value, or -1 where there is none. */
function digitAt(arrived: string, at: number, stop: number): number {
  const value = at < stop ? arrived.charCodeAt(at) - ZERO : -1
  return value >= 0 && value <= 9 ? value : -1
}

function replyOf(code: number, texts: string[]): Reply {
  const status = statusOfLine(code, texts[0] ?? '')
  if (status === null) return { code, status, lines: texts }
  // RFC 2034 §4: the status stands in every line of a multi-line reply.
  return { code, status, lines: texts.map((line) => withoutStatus(line, status)) }
}

/** RFC 5321 §4.2.1: any 2xx is yes, so 251 and 252 too (§3.4, §3.5.3). */
export function isPositive({ code }: Reply): boolean {
  return code >= 200 && code < 300
}

/** RFC 5321 §4.2.1: any 3xx asks for more; 354 to DATA and 334 to AUTH (RFC 4954 §4) are the ones there are. */
export function isIntermediate({ code }: Reply): boolean {
  return code >= 300 && code < 400
}

/** The reply on one line as logs and reports show it, still unescaped: `550 5.1.1 No such user`. */
export function formatReply(reply: Reply): string {
  const text = reply.lines.length === 1 ? reply.lines[0] : reply.lines.join(' ')
  const code = reply.status === null ? `${reply.code}` : `${reply.code} ${reply.status}`
  return text === '' ? code : `${code} ${text}`
}
