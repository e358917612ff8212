/** One connection of a scripted server: what it heard, in which pieces, and the ways to answer. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import tls, { type SecureContext } from 'node:tls'

/** How the octets of the server are handed to the network; an offset counts from the greeting's first octet. */
export type Fragmentation = 'whole' | 'octets' | { readonly cutAt: number }

/** The client closed while the script still waited for it. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

/** The server's side of one connection. */
export class Conversation {
  /** What the client sent without waiting for an answer, in clear text; one string per flight. */
  readonly flights: string[] = []
  /** Every command line read, without CRLF. */
  readonly commands: string[] = []
  /** Every content read, as it came over the wire: dots doubled in DATA, a chunk each in BDAT. */
  readonly contents: Buffer[] = []
  /** Pieces in which the octets came out of the network. */
  arrivals = 0
  /** The name asked for in the TLS handshake; `null` where none was. */
  serverName: string | null = null
  /** Whether the client ended the connection in order (FIN), broke it, or has not yet. */
  ending: 'open' | 'ended' | 'broken' = 'open'
  /** The address the client came from. */
  readonly remoteAddress: string
  readonly #plain: Socket
  readonly #fragmentation: Fragmentation
  #stream: Duplex
  #tap: Tap | null = null
  #input = Buffer.alloc(0)
  #wake: () => void = () => {}
  #hasSpoken = true
  #octetsSaid = 0

  constructor(socket: Socket, fragmentation: Fragmentation) {
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#plain = socket
    this.#stream = socket
    this.#fragmentation = fragmentation
    socket.on('data', (octets: Buffer) => this.#arrive(octets))
    socket.on('end', () => this.#gone('ended'))
    socket.on('error', () => this.#gone('broken'))
    socket.on('close', () => this.#gone('broken'))
  }

  /** Octets said so far, in clear text. */
  get octetsSaid(): number {
    return this.#octetsSaid
  }

  /** Round trips so far: times the client spoke after it had been answered. */
  get roundTrips(): number {
    return this.flights.length
  }

  /** The next command line. @throws {ClientGone} */
  async command(): Promise<string> {
    const line = await this.#until((input) => input.indexOf('\r\n'), 2)
    const command = line.toString('utf8')
    this.commands.push(command)
    return command
  }

  /** The next `count` octets, as after `BDAT count`. @throws {ClientGone} */
  async octets(count: number): Promise<Buffer> {
    const content = await this.#until((input) => (input.length >= count ? count : -1), 0)
    this.contents.push(content)
    return content
  }

  /** Content up to the lone dot, without it; the CRLF before the dot belongs to the content. @throws {ClientGone} */
  async dataContent(): Promise<Buffer> {
    const content = await this.#until(endOfData, 3)
    this.contents.push(content)
    return content
  }

  /** Waits for the first octets of something and leaves them. @throws {ClientGone} */
  async something(): Promise<void> {
    while (this.#input.length === 0) await this.#more()
  }

  /** Says a reply: one string per line, each complete but for its CRLF. */
  reply(...lines: readonly string[]): Promise<void> {
    return this.send(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** Sends octets as they are, in the fragments the server was started with. */
  async send(octets: string | Uint8Array): Promise<void> {
    const whole = Buffer.from(octets as Uint8Array)
    const pieces = fragments(whole, this.#octetsSaid, this.#fragmentation)
    this.#octetsSaid += whole.length
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await clientHasRead()
      if (this.#stream.destroyed) return
      this.#hasSpoken = true
      this.#stream.write(piece)
    }
  }

  /** Becomes the server of a TLS handshake; say 220 first. Resolves when the handshake is done. @throws {ClientGone} */
  async startTls(secureContext: SecureContext): Promise<void> {
    if (this.#input.length > 0) throw new Error(`octets between STARTTLS and the handshake: ${this.#input}`)
    const tap = new Tap(this.#plain)
    const secure = new tls.TLSSocket(tap, {
      isServer: true,
      secureContext,
      SNICallback: (name, done) => {
        this.serverName = name
        done(null)
      },
    })
    this.#tap = tap
    this.#stream = secure
    secure.on('error', () => this.#gone('broken'))
    secure.on('end', () => this.#gone('ended'))
    secure.on('data', (octets: Buffer) => this.#hear(octets))
    await new Promise<void>((resolve) => {
      secure.once('secure', resolve)
      this.#wake = resolve
    })
    if (this.ending !== 'open') throw new ClientGone()
  }

  /** Reads nothing more from now on: the client's octets pile up. */
  stopReading(): void {
    this.#plain.pause()
  }

  /** Reads on. */
  resumeReading(): void {
    this.#plain.resume()
  }

  /** Closes in order: what was said arrives first. */
  close(): void {
    this.#stream.end()
  }

  /** Breaks the connection with RST. */
  reset(): void {
    this.#plain.resetAndDestroy()
  }

  /** Waits until the client has closed or broken the connection. */
  async untilGone(): Promise<void> {
    while (this.ending === 'open') await this.#more().catch(() => {})
  }

  #arrive(octets: Buffer): void {
    this.arrivals++
    if (this.#tap === null) this.#hear(octets)
    else this.#tap.push(octets)
  }

  #hear(octets: Buffer): void {
    if (this.#hasSpoken) this.flights.push('')
    this.#hasSpoken = false
    this.flights.push(`${this.flights.pop() ?? ''}${octets.toString('latin1')}`)
    this.#input = Buffer.concat([this.#input, octets])
    this.#wake()
  }

  #gone(how: 'ended' | 'broken'): void {
    if (this.ending === 'open') this.ending = how
    this.#tap?.push(null)
    this.#wake()
  }

  async #until(end: (input: Buffer) => number, skip: number): Promise<Buffer> {
    for (;;) {
      const at = end(this.#input)
      if (at !== -1) {
        const taken = this.#input.subarray(0, at)
        this.#input = this.#input.subarray(at + skip)
        return taken
      }
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    if (this.ending !== 'open') throw new ClientGone()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }
}

/** The network under a TLS server, so that what arrives can be counted before it is decrypted. */
class Tap extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    this.on('error', () => {})
  }

  override _read(): void {}

  override _write(octets: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(octets, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}

/** RFC 5321 §4.1.1.4: the dot stands first in a line, and the content may be empty. */
function endOfData(input: Buffer): number {
  if (input.subarray(0, 3).equals(DOT)) return 0
  const at = input.indexOf(LINE_END_AND_DOT)
  return at === -1 ? -1 : at + 2
}

const DOT = Buffer.from('.\r\n')
const LINE_END_AND_DOT = Buffer.from('\r\n.\r\n')

function fragments(octets: Buffer, said: number, how: Fragmentation): readonly Buffer[] {
  if (how === 'octets') return Array.from(octets, (octet) => Buffer.of(octet))
  const at = how === 'whole' ? 0 : how.cutAt - said
  return at > 0 && at < octets.length ? [octets.subarray(0, at), octets.subarray(at)] : [octets]
}

/** Client and server share this process: after two turns of the event loop every socket has been polled once. */
async function clientHasRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
