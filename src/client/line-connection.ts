/**
 * One TCP connection, in clear or under TLS, for a dialogue that a person leads: octets out, lines in, whatever they are.
 * `connection.ts` is for a program, which can do nothing with a line that is no reply; here the person judges.
 *
 * One rule: what is kept of the peer's words is bounded, and the end of the connection is told once.
 */
import type { Socket } from 'node:net'
import { ConnectionLostError, type SmtpError } from '../smtp/errors.ts'
import { endSocket, type PlainSocket } from './connection.ts'
import type { TlsClient, TlsState } from './tls.ts'

/** The longest line that is told whole, in octets; the rest of it is dropped, and that is told. */
export const MAX_LINE_OCTETS = 4096

const CR = 13
const LF = 10

/** A line of the peer's, without its end; unescaped. */
export interface PeerLine {
  readonly text: string
  /** It was longer than `MAX_LINE_OCTETS`. */
  readonly isCut: boolean
  /** It ended with LF alone, which RFC 5321 §2.3.8 forbids. */
  readonly isBare: boolean
}

/** Who is told. */
export interface LineListener {
  onLine(line: PeerLine): void
  /** `null`: the peer ended it in order. Nothing comes after it. */
  onEnd(error: SmtpError | null): void
}

/** Owns a connected socket. End it with `end` or `destroy`. */
export class LineConnection {
  #socket: Socket
  readonly #reader: PlainSocket['reader']
  readonly #listener: LineListener
  /** What has come of a line: its beginning, its length, its last octet. */
  #line: number[] = []
  #length = 0
  #last = 0
  #isEnded = false
  /** Octets that came in clear after STARTTLS was agreed on; `null` when none are to be expected. */
  #inClear: number | null = null

  constructor({ socket, reader }: PlainSocket, listener: LineListener) {
    this.#socket = socket
    this.#reader = reader
    this.#listener = listener
    reader.onOctets = (octets) => this.#receive(octets)
    this.#attach(socket)
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** What has come of a line that has no end yet. */
  get unfinished(): string {
    return textOf(this.#line)
  }

  /** Resolves when the system has taken the octets, or the connection has ended. */
  write(octets: Uint8Array | string): Promise<void> {
    if (this.#isEnded) return Promise.resolve()
    return new Promise((resolve) => this.#socket.write(octets, () => resolve()))
  }

  /**
   * Encrypts. What arrived in clear behind the last line is thrown away (RFC 3207 §4.2, CVE-2011-0411) and counted.
   * @throws {TlsError} the handshake failed; the connection is gone then
   */
  async startTls(
    tlsClient: TlsClient,
    peer: { readonly host: string; readonly port: number; readonly limitMs: number },
  ): Promise<{ readonly state: TlsState; readonly discardedOctets: number }> {
    const plain = this.#socket
    this.#inClear = this.#length
    this.#forget()
    this.#reader.onOctets = () => {}
    for (const event of ['end', 'close', 'error']) plain.removeAllListeners(event)
    plain.on('error', () => {})
    // Those of the line that is being told now are counted when the telling returns.
    await Promise.resolve()
    const discardedOctets = this.#inClear
    this.#inClear = null
    try {
      const encrypted = await tlsClient.handshake(plain, { ...peer, requireVerified: false }, peer.limitMs)
      this.#socket = encrypted.socket
      this.#attach(encrypted.socket)
      encrypted.socket.on('data', (octets: Buffer) => this.#receive(octets))
      return { state: encrypted.state, discardedOctets }
    } catch (error) {
      this.#tellEnd(error as SmtpError)
      throw error
    }
  }

  /** Ends the connection in good order: what was written is sent first. */
  end(): Promise<void> {
    return endSocket(this.#socket)
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  #attach(socket: Socket): void {
    socket.on('end', () => this.#tellEnd(null))
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      this.#tellEnd(
        new ConnectionLostError(`the connection broke: ${cause.code ?? cause.message}`, { cause }),
      ),
    )
    socket.on('close', () => this.#tellEnd(null))
    if (socket.destroyed) this.#tellEnd(null)
  }

  #receive(octets: Uint8Array): void {
    for (const [at, octet] of octets.entries()) {
      if (this.#isEnded) return
      if (octet !== LF) this.#keep(octet)
      else this.#tellLine()
      if (this.#inClear !== null) {
        this.#inClear += octets.length - at - 1
        return
      }
    }
  }

  #keep(octet: number): void {
    if (this.#line.length < MAX_LINE_OCTETS) this.#line.push(octet)
    this.#length++
    this.#last = octet
  }

  #tellLine(): void {
    const isBare = this.#last !== CR
    const length = isBare ? this.#length : this.#length - 1
    const text = textOf(this.#line.slice(0, length))
    this.#forget()
    this.#listener.onLine({ text, isCut: length > MAX_LINE_OCTETS, isBare })
  }

  #forget(): void {
    this.#line = []
    this.#length = 0
    this.#last = 0
  }

  #tellEnd(error: SmtpError | null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#socket.destroySoon()
    this.#listener.onEnd(error)
  }
}

// RFC 6531 §3.7.4: UTF-8 may stand in replies; anything malformed becomes U+FFFD.
function textOf(octets: readonly number[]): string {
  return Buffer.from(octets).toString('utf8')
}
