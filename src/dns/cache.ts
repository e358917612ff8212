/**
 * A resolver that remembers. One rule: however many ask, a question is open at the name server once.
 *
 * Node tells no time to live for MX, so an answer is kept for a fixed, short life, whatever its type. The host's own
 * caching resolver obeys the real ones; this one only spares a run of messages the round trips.
 */
import { type Clock, systemClock } from '../time/clock.ts'
import { DnsError, type MxRecord, type Resolver } from './resolver.ts'
import { unlessAborted } from './wait.ts'

/** How long and how much to remember. */
export interface CachingResolverOptions {
  /** Default: the host's clock. */
  readonly clock?: Clock
  /** Milliseconds that records live. Default 5 minutes: the shortest time to live that mail domains commonly publish. */
  readonly positiveMs?: number
  /** Milliseconds that "no such domain" and "no such records" live. Default 1 minute. */
  readonly negativeMs?: number
  /**
   * Milliseconds that a failure of the name servers lives. Default 5 seconds: the recipients of one message do not each
   * wait for the same time-out; a retry minutes later asks afresh.
   */
  readonly temporaryMs?: number
  /** Answers kept; the one unused for longest goes first. Default 20,000, which is about 10 MB. */
  readonly maxEntries?: number
}

interface Entry {
  readonly expiresAt: number
  readonly answer: Answer
}

type Answer = readonly unknown[] | DnsError

/** The answers that still count. */
class Memory {
  // A Map keeps insertion order: an entry is put back when used, so the first key is the one unused for longest.
  readonly #entries = new Map<string, Entry>()
  readonly #options: Required<CachingResolverOptions>

  constructor(options: Required<CachingResolverOptions>) {
    this.#options = options
  }

  remember(key: string, answer: Answer): void {
    const { clock, maxEntries } = this.#options
    this.#entries.set(key, { answer, expiresAt: clock.monotonic() + this.#lifeMs(answer) })
    if (this.#entries.size > maxEntries) this.#entries.delete(this.#entries.keys().next().value ?? key)
  }

  recall(key: string): Answer | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.expiresAt <= this.#options.clock.monotonic()) return undefined
    this.#entries.set(key, entry)
    return entry.answer
  }

  #lifeMs(answer: Answer): number {
    if (!(answer instanceof DnsError)) return this.#options.positiveMs
    return answer.kind === 'temporary' ? this.#options.temporaryMs : this.#options.negativeMs
  }
}

type Ask<T> = (name: string) => Promise<readonly T[]>

const defaults = {
  clock: systemClock,
  positiveMs: 300_000,
  negativeMs: 60_000,
  temporaryMs: 5_000,
  maxEntries: 20_000,
} as const satisfies CachingResolverOptions

/** `resolver` with a memory; a waiter's abort ends its own waiting only. */
export function createCachingResolver(resolver: Resolver, options: CachingResolverOptions = {}): Resolver {
  const memory = new Memory({ ...defaults, ...options })
  const open = new Map<string, Promise<readonly unknown[]>>()

  async function fetch<T>(key: string, name: string, ask: Ask<T>): Promise<readonly T[]> {
    try {
      const answer = await ask(name)
      memory.remember(key, answer)
      return answer
    } catch (error) {
      if (error instanceof DnsError) memory.remember(key, error)
      throw error
    }
  }

  function join<T>(key: string, name: string, ask: Ask<T>): Promise<readonly T[]> {
    const running = open.get(key) ?? fetch(key, name, ask).finally(() => open.delete(key))
    open.set(key, running)
    return running as Promise<readonly T[]>
  }

  async function lookUp<T>(
    type: string,
    name: string,
    ask: Ask<T>,
    signal?: AbortSignal,
  ): Promise<readonly T[]> {
    signal?.throwIfAborted()
    const asked = name.toLowerCase().replace(/\.$/, '')
    const key = `${type} ${asked}`
    const known = memory.recall(key)
    if (known instanceof DnsError) throw known
    if (known !== undefined) return known as readonly T[]
    return unlessAborted(join(key, asked, ask), signal)
  }

  return {
    resolveMx: (name, { signal } = {}) =>
      lookUp<MxRecord>('MX', name, (asked) => resolver.resolveMx(asked), signal),
    resolve4: (name, { signal } = {}) =>
      lookUp<string>('A', name, (asked) => resolver.resolve4(asked), signal),
    resolve6: (name, { signal } = {}) =>
      lookUp<string>('AAAA', name, (asked) => resolver.resolve6(asked), signal),
  }
}
