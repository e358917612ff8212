/**
 * The handshake after STARTTLS, and what is kept between handshakes with one exchanger.
 *
 * One rule: the handshake itself never judges. It always completes if the peer can do TLS at all, and says whether the
 * certificate chains to a trusted CA and names the exchanger; the session compares that with its policy.
 */
import type { Socket } from 'node:net'
import tls, { type SecureContext, type TLSSocket } from 'node:tls'
import { TlsError } from '../smtp/errors.ts'
import { handshakeProblem, verdictReason } from '../tls/verdict-reason.ts'
import { type CertificateFacts, certificateOf } from './certificate.ts'

/** What protects a session. */
export interface TlsState {
  readonly protocol: string
  readonly cipher: string
  readonly verified: boolean
  /** Why `verified` is false; `null` when it is true. */
  readonly reason: string | null
  readonly resumed: boolean
  /** What the peer's certificate says, `null` when it showed none; absent unless the client inspects them. */
  readonly certificate?: CertificateFacts | null
}

interface Ticket {
  readonly session: Buffer
  /** Node does not compare names again on resumption, so the verdict is kept with the ticket. */
  readonly verified: boolean
  readonly reason: string | null
}

/** Tickets kept at most; the oldest goes. One is 2 to 4 KB. */
const MAX_TICKETS = 1000

/** The client's side of TLS: one context for all sessions, and the latest ticket of each exchanger. */
export class TlsClient {
  readonly #minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly #ca: readonly string[]
  readonly #inspects: boolean
  #context: SecureContext | null = null
  readonly #tickets = new Map<string, Ticket>()

  /**
   * `ca`: PEM certificates trusted beside the system's own; checked at once. `minVersion`: RFC 8996 forbids less than
   * TLS 1.2. `inspects`: tell what each certificate says; no session is resumed then, because only a whole handshake
   * shows the certificate.
   */
  constructor(
    options: {
      readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
      readonly ca?: readonly string[]
      readonly inspects?: boolean
    } = {},
  ) {
    this.#inspects = options.inspects ?? false
    this.#minVersion = options.minVersion ?? 'TLSv1.2'
    this.#ca = options.ca ?? []
    if (this.#ca.length > 0) this.#sharedContext()
  }

  /** Made for the first handshake: it holds all trusted certificates, which is megabytes. */
  #sharedContext(): SecureContext {
    this.#context ??= tls.createSecureContext({
      minVersion: this.#minVersion,
      ...(this.#ca.length > 0 ? { ca: [...tls.getCACertificates('default'), ...this.#ca] } : {}),
    })
    return this.#context
  }

  /**
   * Encrypts a connected socket on which the peer has said 220 to STARTTLS. `host` is the exchanger's name: it goes
   * into SNI and is what the certificate has to name (as RFC 8461 §4.2 has it).
   * @throws {TlsError} `handshake` when it breaks or takes longer than `limitMs`.
   */
  async handshake(
    socket: Socket,
    peer: { readonly host: string; readonly port: number; readonly requireVerified: boolean },
    limitMs: number,
  ): Promise<{ readonly socket: TLSSocket; readonly state: TlsState }> {
    const key = `${peer.host}:${peer.port}`
    const known = this.#tickets.get(key)
    // A session that was not verified then would not be verified now; a new certificate might be.
    const ticket = known !== undefined && (known.verified || !peer.requireVerified) ? known : undefined
    const isLiteral = peer.host.startsWith('[')
    const name = isLiteral ? peer.host.slice(1, -1).replace(/^IPv6:/i, '') : peer.host
    const encrypted = tls.connect({
      socket,
      secureContext: this.#sharedContext(),
      rejectUnauthorized: false,
      host: name,
      // RFC 6066 §3: an address literal is no server name.
      ...(isLiteral ? {} : { servername: name }),
      ...(ticket === undefined ? {} : { session: ticket.session }),
    })
    // Before the handshake: in TLS 1.2 the ticket comes at its end, in 1.3 after it.
    if (!this.#inspects) {
      encrypted.on('session', (session: Buffer) =>
        this.#keep(key, { session, ...verdictOf(stateOf(encrypted, ticket)) }),
      )
    }
    await secured(socket, encrypted, limitMs)
    const state = stateOf(encrypted, ticket)
    if (!this.#inspects) return { socket: encrypted, state }
    return { socket: encrypted, state: { ...state, certificate: certificateOf(encrypted) } }
  }

  #keep(key: string, ticket: Ticket): void {
    this.#tickets.delete(key)
    this.#tickets.set(key, ticket)
    if (this.#tickets.size > MAX_TICKETS) {
      for (const oldest of this.#tickets.keys()) {
        this.#tickets.delete(oldest)
        break
      }
    }
  }
}

function verdictOf({ verified, reason }: TlsState): { verified: boolean; reason: string | null } {
  return { verified, reason }
}

function stateOf(socket: TLSSocket, ticket: Ticket | undefined): TlsState {
  const resumed = socket.isSessionReused()
  const { verified, reason } =
    resumed && ticket !== undefined
      ? ticket
      : {
          verified: socket.authorized,
          reason: socket.authorized ? null : reasonOf(socket.authorizationError),
        }
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    verified,
    reason,
    resumed,
  }
}

function reasonOf(error: Error | string | null | undefined): string {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : error
  return verdictReason(code ?? '')
}

function secured(plain: Socket, encrypted: TLSSocket, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const broken = (message: string, cause?: Error): void => {
      settle()
      encrypted.destroy()
      plain.destroy()
      reject(new TlsError('handshake', message, cause === undefined ? {} : { cause }))
    }
    const timer = setTimeout(() => broken(`no end of the TLS handshake within ${limitMs} ms`), limitMs)
    const onError = (cause: NodeJS.ErrnoException): void =>
      broken(`the TLS handshake failed: ${handshakeProblem(cause.code ?? cause.message)}`, cause)
    const onClose = (): void => broken('the peer closed the connection during the TLS handshake')
    const settle = (): void => {
      clearTimeout(timer)
      encrypted.off('close', onClose)
      plain.off('close', onClose)
      encrypted.off('error', onError)
      // A socket that dies later must find a listener, or the process ends.
      encrypted.on('error', () => {})
      plain.on('error', () => {})
    }
    encrypted.on('error', onError)
    encrypted.on('close', onClose)
    plain.on('close', onClose)
    encrypted.once('secureConnect', () => {
      settle()
      resolve()
    })
  })
}
