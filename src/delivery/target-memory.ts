/**
 * What is remembered of targets for a while (RFC 5321 §4.5.4.1 asks for a memory by host): which did not answer, and whose
 * TLS or BDAT is broken; and which logins were refused. One rule: it changes the order and the manner of trying, never what
 * is tried, but that a refused password is not said twice.
 */
import type { RefusedSecrets } from '../client/authenticate.ts'
import type { LoginSettings } from '../config/relay-settings.ts'
import type { Target } from '../route/targets.ts'
import type { Clock } from '../time/clock.ts'
import { targetKey } from './job.ts'
import { RefusedLogins } from './refused-logins.ts'

/** Long enough that the sessions of one delivery do not each wait for a dead host, short enough to notice its return. */
const UNREACHABLE_MS = 30_000
/** What is set up wrongly is rarely mended within minutes, and each new try costs a connection. */
const BROKEN_MS = 10 * 60_000
/** Entries kept; the oldest goes. */
const MAX_ENTRIES = 10_000

/** One per agent. */
export class TargetMemory {
  readonly #clock: Clock
  readonly #unreachable = new Map<string, number>()
  readonly #brokenTls = new Map<string, number>()
  readonly #brokenChunking = new Map<string, number>()
  readonly #refusedLogins: RefusedLogins

  constructor(clock: Clock) {
    this.#clock = clock
    this.#refusedLogins = new RefusedLogins(clock)
  }

  rememberUnreachable(host: string): void {
    this.#remember(this.#unreachable, host, UNREACHABLE_MS)
  }

  rememberReachable(host: string): void {
    this.#unreachable.delete(host)
  }

  isUnreachable(host: string): boolean {
    return this.#isIn(this.#unreachable, host)
  }

  rememberBrokenTls(target: Target): void {
    this.#remember(this.#brokenTls, targetKey(target), BROKEN_MS)
  }

  forgetBrokenTls(target: Target): void {
    this.#brokenTls.delete(targetKey(target))
  }

  hasBrokenTls(target: Target): boolean {
    return this.#isIn(this.#brokenTls, targetKey(target))
  }

  /** The target offers CHUNKING and does not know BDAT. */
  rememberBrokenChunking(target: Target): void {
    this.#remember(this.#brokenChunking, targetKey(target), BROKEN_MS)
  }

  hasBrokenChunking(target: Target): boolean {
    return this.#brokenChunking.size > 0 && this.#isIn(this.#brokenChunking, targetKey(target))
  }

  refusedSecretsOf(login: LoginSettings): RefusedSecrets {
    return this.#refusedLogins.of(login)
  }

  #remember(memory: Map<string, number>, key: string, lifeMs: number): void {
    memory.delete(key)
    memory.set(key, this.#clock.monotonic() + lifeMs)
    if (memory.size <= MAX_ENTRIES) return
    for (const oldest of memory.keys()) {
      memory.delete(oldest)
      return
    }
  }

  #isIn(memory: Map<string, number>, key: string): boolean {
    const until = memory.get(key)
    if (until === undefined) return false
    if (until > this.#clock.monotonic()) return true
    memory.delete(key)
    return false
  }
}
