/**
 * The way in over SMTP: listens, takes messages, says 250 when the queue has them on disk.
 * One rule: nothing listens before every address has been found safe to listen at.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Log, silentLog } from '../log/log.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { Accept } from './acceptance.ts'
import { type Authenticator, createAuthenticator } from './authentication.ts'
import type { SubmissionConnection } from './connection.ts'
import {
  formatListenAddress,
  isLoopback as isLoopbackAddress,
  type ListenAddress,
  parseListenAddress,
} from './listen-address.ts'
import { type ListenerShare, SubmissionListener } from './listener.ts'
import { type Certificate, requireProtection } from './protection.ts'
import { ReceiveBudget } from './received-octets.ts'
import { readUsers } from './users-file.ts'

/** What to listen for. */
export interface SubmissionOptions {
  /** `127.0.0.1:2525`, `[::1]:2525`; port 0 lets the system choose. Any but loopback needs `tls` and `usersFile`. */
  readonly listen: readonly string[]
  /** Our own name: in the greeting, in Received, in a new Message-ID. */
  readonly hostname: string
  /** Takes the mail: `acceptInto` the queue. */
  readonly accept: Accept
  /** Largest message, in octets. Default 50 MB. */
  readonly maxSize?: number
  /** Recipients in one transaction; from 100 (RFC 5321 §4.5.3.1.8). Default 1,000. */
  readonly maxRecipients?: number
  /**
   * Clients at once, all addresses together; strangers who have not logged in get half of it, and one of them a quarter.
   * Default 200.
   */
  readonly maxConnections?: number
  /** Commands refused in one session before it is closed. Default 20, as in Postfix (`smtpd_hard_error_limit`). */
  readonly maxErrors?: number
  /**
   * How long a client may take for a command, in milliseconds, and how long the content may come slower than 500 octets a
   * second. Default 5 minutes (RFC 5321 §4.5.3.2.7). `Infinity`: for ever.
   */
  readonly idleTimeoutMs?: number
  /** How long a stranger has to log in, in milliseconds. Default 1 minute. */
  readonly loginTimeoutMs?: number
  /** Offered as STARTTLS at addresses that are not loopback. Default: none. */
  readonly tls?: Certificate
  /** Who may log in there: see `users-file.ts`. Default: none. */
  readonly usersFile?: string
  /** Messages that are coming in may hold so much memory together. Default 4 times `maxSize`. */
  readonly receiveOctets?: number
  readonly clock?: Clock
  /** Default: silent. */
  readonly log?: Log
  /** Replaces the judgement of addresses, so that tests can have strangers on a loopback interface. */
  readonly isLoopback?: (ip: string) => boolean
  /** Replaces the users file. */
  readonly authenticator?: Authenticator
}

/** Running. Close it. */
export interface RunningSubmission extends AsyncDisposable {
  /** `127.0.0.1:2525`, with the ports they got. */
  readonly addresses: readonly string[]
  /** Clients connected now. */
  readonly connections: number
  /** Another certificate for handshakes from now on. */
  replaceCertificate(certificate: Certificate): void
  /**
   * Takes no new client, lets messages past DATA finish for `graceMs` (default 8 s: systemd and operators wait 10), ends
   * everything else with 421.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/** How long clients have to close after a 421, in milliseconds. */
const lingerMs = 500

/**
 * Starts to listen.
 * @throws {ConfigError} an address is malformed, or public without protection; the users file cannot be used
 * @throws {Error} with the system's code, when an address cannot be had
 */
export async function startSubmission(options: SubmissionOptions): Promise<RunningSubmission> {
  const share = shareOf(options)
  const authenticator = await authenticatorOf(options, share.clock)
  const places = options.listen.map((text) => {
    const address = parseListenAddress(text)
    const given = { certificate: options.tls, authenticator }
    return { address, protection: share.isLoopback(address.ip) ? null : requireProtection(address, given) }
  })
  const running = new Submission(share)
  try {
    for (const { address, protection } of places) {
      await running.open(address, new SubmissionListener(share, protection))
    }
  } catch (error) {
    await running.close({ graceMs: 0 })
    throw error
  }
  return running
}

async function authenticatorOf(options: SubmissionOptions, clock: Clock): Promise<Authenticator | undefined> {
  const { authenticator, usersFile } = options
  if (authenticator !== undefined || usersFile === undefined) return authenticator
  await readUsers(usersFile)
  return createAuthenticator({ usersFile, clock })
}

/** What all listeners of these options have in common, with the defaults filled in. */
export function shareOf(options: SubmissionOptions): ListenerShare {
  const { maxSize = 50_000_000 } = options
  return {
    hostname: options.hostname,
    maxSize,
    maxRecipients: options.maxRecipients ?? 1_000,
    maxConnections: options.maxConnections ?? 200,
    maxErrors: options.maxErrors ?? 20,
    idleTimeoutMs: options.idleTimeoutMs ?? 5 * 60_000,
    loginTimeoutMs: options.loginTimeoutMs ?? 60_000,
    accept: options.accept,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    budget: new ReceiveBudget(options.receiveOctets ?? 4 * maxSize),
    connections: new Set<SubmissionConnection>(),
    open: new Set<SubmissionConnection>(),
    isLoopback: options.isLoopback ?? isLoopbackAddress,
  }
}

class Submission implements RunningSubmission {
  readonly #connections: ReadonlySet<SubmissionConnection>
  readonly #open: ReadonlySet<SubmissionConnection>
  readonly #listeners: SubmissionListener[] = []
  readonly #addresses: ListenAddress[] = []

  constructor({ connections, open }: Pick<ListenerShare, 'connections' | 'open'>) {
    this.#connections = connections
    this.#open = open
  }

  async open(address: ListenAddress, listener: SubmissionListener): Promise<void> {
    this.#addresses.push(await listener.open(address))
    this.#listeners.push(listener)
  }

  get addresses(): readonly string[] {
    return this.#addresses.map(formatListenAddress)
  }

  get connections(): number {
    return this.#connections.size
  }

  replaceCertificate({ key, cert }: Certificate): void {
    for (const listener of this.#listeners) if (listener.isPublic) listener.updateSecureContext({ key, cert })
  }

  async close({ graceMs = 8_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    const closed = this.#listeners.map((listener) => new Promise<void>((resolve) => listener.close(resolve)))
    for (const connection of this.#connections) connection.stop()
    await this.#allOf('closing', graceMs)
    await this.#allOf('closed', Math.min(graceMs, lingerMs))
    for (const connection of this.#open) connection.destroy()
    await Promise.all(closed)
  }

  /** Resolves when all connections have come so far, or the time is up. */
  async #allOf(stage: 'closing' | 'closed', limitMs: number): Promise<void> {
    using timer = new Timer(limitMs)
    const all = Promise.all([...this.#open].map((connection) => connection[stage]))
    await Promise.race([all, timer.over])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A delay that holds nothing up once it is not needed. */
class Timer implements Disposable {
  readonly #abort = new AbortController()
  readonly over: Promise<unknown>

  constructor(limitMs: number) {
    this.over = delay(limitMs, undefined, { signal: this.#abort.signal }).catch(() => {})
  }

  [Symbol.dispose](): void {
    this.#abort.abort()
  }
}
