/** A socket whose network stops taking octets at a given place, which no loopback connection does on demand. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Connection, type PlainSocket } from '../../src/client/connection.ts'
import { Session } from '../../src/client/session.ts'
import type { Timeouts } from '../../src/config/timeouts.ts'
import { parseExtensions } from '../../src/smtp/extensions.ts'
import { defaultTimeouts } from '../support/default-timeouts.ts'
import { targetOf } from './open.ts'

export class StuckSocket extends Duplex {
  /** What was handed to the network, the stuck piece included. */
  written = ''
  readonly #stuckAt: string
  readonly #onWrite: (socket: StuckSocket, piece: string) => void
  readonly #reader: PlainSocket['reader'] = { onOctets: () => {} }

  /** @param stuckAt the piece with this in it is never taken @param onWrite called with each piece */
  constructor(stuckAt: string, onWrite: (socket: StuckSocket, piece: string) => void) {
    super()
    this.#stuckAt = stuckAt
    this.#onWrite = onWrite
  }

  /** The peer says these lines. */
  say(...lines: readonly string[]): void {
    this.#reader.onOctets(Buffer.from(lines.map((line) => `${line}\r\n`).join('')))
  }

  /** A session over this socket, with a peer that offers these. */
  session(offers: readonly string[], timeouts: Partial<Timeouts> = {}): Session {
    // As much of a socket as a connection uses.
    const connection = new Connection({
      socket: this as unknown as Socket,
      reader: this.#reader,
      localAddress: null,
    })
    return new Session(targetOf({ address: '127.0.0.1', port: 25 }), connection, {
      timeouts: { ...defaultTimeouts, ...timeouts },
      extensions: parseExtensions(['mx', ...offers]),
      tls: null,
    })
  }

  override _read(): void {}

  override _write(octets: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const piece = octets.toString('latin1')
    this.written += piece
    if (!piece.includes(this.#stuckAt)) done()
    this.#onWrite(this, piece)
  }
}
