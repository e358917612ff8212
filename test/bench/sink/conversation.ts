/**
 * One client's dialogue with the sink: octets in, replies out, no I/O. As little as a mail server can do and still
 * notice what is wrong. One rule: all replies that are due go out in one write when the client's octets are used up,
 * as PIPELINING asks of a server (RFC 2920 §3.2).
 */
import type { Arrivals, Transport } from './arrivals.ts'
import { EndOfData } from './end-of-data.ts'

const LF = 10

/** Where the dialogue stands: between commands or inside one, or in content. */
type State = 'command' | 'half-command' | Transport

/** One connection's state. */
export class Conversation {
  readonly #arrivals: Arrivals
  readonly #ehloReply: string
  #state: State = 'command'
  /** A command whose line end has not arrived. */
  #half = ''
  #endOfData = new EndOfData()
  /** Octets of this message so far; of DATA, the final dot's included. */
  #octets = 0
  /** Octets of the chunk that have not arrived. */
  #chunkLeft = 0
  #isLastChunk = false
  /** The content as a whole, when it will be compared. */
  #kept: Buffer[] | null = null
  /** The client has said QUIT. */
  hasQuit = false

  constructor(arrivals: Arrivals, ehloReply: string) {
    this.#arrivals = arrivals
    this.#ehloReply = ehloReply
  }

  /** @returns the replies that are due; empty while the client has more to say. */
  receive(octets: Buffer): string {
    if (this.#isAwaited(octets)) this.#arrivals.roundTrips++
    let replies = ''
    let at = 0
    while (at < octets.length) {
      const start = at
      if (this.#state === 'BDAT') {
        at = Math.min(octets.length, start + this.#chunkLeft)
        replies += this.#chunk(octets.subarray(start, at))
      } else if (this.#state === 'DATA') {
        const end = this.#endOfData.findEnd(octets, start)
        at = end === -1 ? octets.length : end
        replies += this.#content(octets.subarray(start, at), end !== -1)
      } else {
        const end = octets.indexOf(LF, start)
        at = end === -1 ? octets.length : end + 1
        replies += this.#line(octets.toString('latin1', start, at), end !== -1)
      }
    }
    return replies
  }

  /** A client speaks again after it had to wait: a transaction command begins, or the content after 354. */
  #isAwaited(octets: Buffer): boolean {
    if (this.#state === 'DATA') return this.#octets === 0
    return this.#state === 'command' && octets[0] !== undefined && transactionInitials.has(octets[0] & ~32)
  }

  #line(text: string, isWhole: boolean): string {
    if (!isWhole) {
      this.#half += text
      this.#state = 'half-command'
      return ''
    }
    const line = this.#half + text
    this.#half = ''
    this.#state = 'command'
    return this.#command(line)
  }

  #command(line: string): string {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'MAIL':
        return '250 2.1.0 Ok\r\n'
      case 'RCPT':
        return '250 2.1.5 Ok\r\n'
      case 'BDAT':
        return this.#beginChunk(line)
      case 'DATA':
        this.#begin('DATA')
        this.#endOfData = new EndOfData()
        return '354 End data with <CR><LF>.<CR><LF>\r\n'
      case 'RSET':
        this.#kept = null
        this.#octets = 0
        return '250 2.0.0 Ok\r\n'
      case 'EHLO':
        return this.#ehloReply
      case 'HELO':
        return '250 sink.test\r\n'
      case 'QUIT':
        this.hasQuit = true
        return '221 2.0.0 Bye\r\n'
      default:
        return '500 5.5.2 unknown command\r\n'
    }
  }

  #beginChunk(line: string): string {
    const match = /^BDAT (\d+)( LAST)?\r\n$/i.exec(line)
    if (match === null) return '501 5.5.4 BDAT wants a size\r\n'
    if (this.#octets === 0) this.#begin('BDAT')
    this.#state = 'BDAT'
    this.#chunkLeft = Number(match[1])
    this.#isLastChunk = match[2] !== undefined
    return this.#chunkLeft === 0 ? this.#endChunk() : ''
  }

  #begin(transport: Transport): void {
    this.#state = transport
    this.#octets = 0
    this.#kept = this.#arrivals.wantsComparison ? [] : null
  }

  #chunk(octets: Buffer): string {
    this.#keep(octets)
    this.#chunkLeft -= octets.length
    return this.#chunkLeft === 0 ? this.#endChunk() : ''
  }

  #endChunk(): string {
    this.#state = 'command'
    return this.#isLastChunk ? this.#take('BDAT') : '250 2.0.0 Ok\r\n'
  }

  #content(octets: Buffer, isEnd: boolean): string {
    this.#keep(octets)
    if (!isEnd) return ''
    this.#state = 'command'
    this.#dropFinalDot()
    return this.#take('DATA')
  }

  /** `.CRLF` is not content (RFC 5321 §4.1.1.4); the CRLF before it is. */
  #dropFinalDot(): void {
    this.#octets -= 3
    if (this.#kept !== null) this.#kept = [Buffer.concat(this.#kept).subarray(0, -3)]
  }

  #keep(octets: Buffer): void {
    this.#octets += octets.length
    this.#kept?.push(octets)
  }

  #take(transport: Transport): string {
    const reply = this.#arrivals.take(transport, this.#octets, this.#kept)
    this.#octets = 0
    this.#kept = null
    return reply
  }
}

/** MAIL, RCPT and RSET, DATA, BDAT; lower case differs by one bit. EHLO, NOOP and QUIT are no part of a transaction. */
const transactionInitials = new Set(Array.from('MRDB', (letter) => letter.charCodeAt(0)))
