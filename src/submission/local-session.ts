/**
 * One SMTP session over a pair of streams, for `sendmail -bs`: whoever starts the program is the client.
 * One rule: it is the session of a loopback address, limits and all; only the socket is another.
 */
import type { Socket } from 'node:net'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { SubmissionListener } from './listener.ts'
import { type SubmissionOptions, shareOf } from './submission.ts'

/** Speaks SMTP with `output` and `input`; resolves when the client has said QUIT or has left. */
export async function serveSession(
  streams: { readonly input: Readable; readonly output: Writable },
  options: Omit<SubmissionOptions, 'listen'>,
): Promise<void> {
  // The program that started us decides how long it waits.
  const share = shareOf({ ...options, listen: [], idleTimeoutMs: Number.POSITIVE_INFINITY })
  new SubmissionListener(share, null).connect(new StreamSocket(streams) as unknown as Socket)
  await Promise.all([...share.connections].map(({ closed }) => closed))
}

/** As much of a socket as smtp-server asks for. */
class StreamSocket extends Duplex {
  readonly remoteAddress = '127.0.0.1'
  readonly localAddress = '127.0.0.1'
  readonly remotePort = 0
  readonly localPort = 0
  readonly #output: Writable
  readonly #input: Readable

  constructor({ input, output }: { readonly input: Readable; readonly output: Writable }) {
    super()
    this.#input = input
    this.#output = output
    input.on('data', (octets) => {
      if (!this.push(octets)) input.pause()
    })
    input.once('end', () => this.push(null))
    input.once('error', (error) => this.destroy(error))
    output.once('error', (error) => this.destroy(error))
  }

  get readyState(): string {
    return this.destroyed || this.writableEnded ? 'closed' : 'open'
  }

  /** See above. */
  setTimeout(): this {
    return this
  }

  /** What was said before the input ended is answered first: `printf … | sendmail -bs` waits for nothing. */
  override pipe<T extends NodeJS.WritableStream>(parser: T, options?: { end?: boolean }): T {
    parser.once('finish', () => this.end())
    return super.pipe(parser, options)
  }

  override _read(): void {
    this.#input.resume()
  }

  override _write(octets: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#output.write(octets, done)
  }

  override _final(done: () => void): void {
    done()
    // After QUIT or 421 there is nobody to wait for.
    this.destroy()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#input.pause()
    done(error)
  }
}
