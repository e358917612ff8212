/**
 * From addresses to one open connection. The next address is dialled when the one before it has failed, and also when
 * it has not answered within a quarter of a second (RFC 8305 §5), so that a dead family costs no more than that.
 *
 * One rule: every address dialled ends as the winner, as a failure that is reported, or destroyed because another won.
 */
import { connect, type Socket } from 'node:net'
import type { Target } from '../route/targets.ts'
import { ConnectError } from '../smtp/errors.ts'
import type { PlainSocket } from './connection.ts'
import { sourceFor, unmapped } from './source-address.ts'

/** RFC 8305 §5, "Connection Attempt Delay": 250 ms is recommended. */
const STAGGER_MS = 250

/** Replies of a few hundred octets come here; a longer one comes in several pieces. */
const READ_BUFFER_OCTETS = 4096

export interface DialOptions {
  /** For each address, from its SYN on. */
  readonly connectMs: number
  /** Local addresses to bind to; one of the target's family is taken in turn. None: the system chooses. */
  readonly sourceAddresses?: readonly string[]
  /** One of `sourceAddresses`, taken instead of the next in turn for targets of its family. Default `null`: none. */
  readonly preferredSource?: string | null
  readonly signal?: AbortSignal
  /** Called as each address is dialled. */
  readonly onDial?: (target: Target) => void
}

/** An address that did not answer, or refused. */
export interface DialFailure {
  readonly target: Target
  readonly error: ConnectError
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
}

/** What came of dialling: `connected` is `null` when every address failed. */
export interface DialResult {
  readonly connected: (PlainSocket & { readonly target: Target; readonly startedAt: number }) | null
  readonly failures: readonly DialFailure[]
}

/** Dials the targets in their order. @throws `signal.reason` when aborted. */
export function dial(targets: readonly Target[], options: DialOptions): Promise<DialResult> {
  return new Dialling(targets, options).run()
}

class Dialling {
  readonly #targets: readonly Target[]
  readonly #options: DialOptions
  readonly #open = new Set<Socket>()
  readonly #failures: DialFailure[] = []
  #next = 0
  #stagger: NodeJS.Timeout | null = null
  #finish: (result: DialResult) => void = () => {}

  constructor(targets: readonly Target[], options: DialOptions) {
    this.#targets = targets
    this.#options = options
  }

  run(): Promise<DialResult> {
    const { signal } = this.#options
    return new Promise<DialResult>((resolve, reject) => {
      const onAbort = (): void => {
        this.#stop()
        reject(signal?.reason)
      }
      this.#finish = (result) => {
        this.#stop()
        signal?.removeEventListener('abort', onAbort)
        resolve(result)
      }
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#dialNext()
    })
  }

  #stop(): void {
    if (this.#stagger !== null) clearTimeout(this.#stagger)
    this.#stagger = null
    for (const socket of this.#open) socket.destroy()
    this.#open.clear()
    this.#next = this.#targets.length
  }

  #dialNext(): void {
    if (this.#stagger !== null) clearTimeout(this.#stagger)
    this.#stagger = null
    const target = this.#targets[this.#next]
    if (target === undefined) {
      if (this.#open.size === 0) this.#finish({ connected: null, failures: this.#failures })
      return
    }
    this.#next++
    if (this.#next < this.#targets.length) this.#stagger = setTimeout(() => this.#dialNext(), STAGGER_MS)
    this.#dialOne(target)
  }

  #dialOne(target: Target): void {
    const startedAt = Date.now()
    const begun = performance.now()
    this.#options.onDial?.(target)
    const { sourceAddresses = [], preferredSource = null } = this.#options
    const localAddress = sourceFor(target.family, sourceAddresses, preferredSource)
    const reader: PlainSocket['reader'] = { onOctets: () => {} }
    const socket = connect({
      host: target.ip,
      port: target.exchanger.port,
      noDelay: true,
      // One buffer for the life of the socket: spares an allocation and the stream machinery at every reply.
      onread: {
        buffer: Buffer.allocUnsafe(READ_BUFFER_OCTETS),
        callback: (length, buffer) => {
          reader.onOctets(buffer.subarray(0, length))
          return true
        },
      },
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    this.#open.add(socket)
    const { connectMs } = this.#options
    let settled = false
    const failed = (error: ConnectError): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      // Whoever won in the meantime has taken this socket out already.
      if (!this.#open.delete(socket)) return
      socket.destroy()
      this.#failures.push({ target, error, startedAt, durationMs: performance.now() - begun })
      this.#dialNext()
    }
    const timer = setTimeout(() => failed(new ConnectError(`no answer within ${connectMs} ms`)), connectMs)
    socket.on('error', (cause: NodeJS.ErrnoException) => failed(connectError(cause)))
    socket.once('close', () => {
      clearTimeout(timer)
      failed(new ConnectError('the connection was closed while it was opened'))
    })
    socket.once('connect', () => {
      settled = true
      clearTimeout(timer)
      this.#open.delete(socket)
      const connected = { target, socket, reader, startedAt, localAddress: localAddressOf(socket) }
      this.#finish({ connected, failures: this.#failures })
    })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'connection reset while it was opened',
  EADDRNOTAVAIL: 'source address not available on this host',
}

function connectError(cause: NodeJS.ErrnoException): ConnectError {
  const code = cause.code ?? ''
  return new ConnectError(`${REASONS[code] ?? cause.message}${code === '' ? '' : ` (${code})`}`, { cause })
}

/** `null` when the connection is gone again already. */
function localAddressOf({ localAddress }: Socket): string | null {
  return localAddress === undefined ? null : unmapped(localAddress)
}
