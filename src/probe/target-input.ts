/** The targets as they are read. One rule: nothing is read before it is wanted, and an abort ends the waiting at once. */
import { unlessAborted } from '../dns/wait.ts'
import { type ProbeTarget, parseProbeTarget } from './target.ts'

/** Reads targets one by one, from whoever gives them. */
export class TargetInput {
  readonly #iterator: Iterator<string> | AsyncIterator<string>
  readonly #signal: AbortSignal
  #next: Promise<{ readonly target: ProbeTarget } | 'no more'> | null = null
  #isOver = false
  #failure: unknown = null

  constructor(targets: Iterable<string> | AsyncIterable<string>, signal: AbortSignal) {
    this.#iterator =
      Symbol.asyncIterator in targets ? targets[Symbol.asyncIterator]() : targets[Symbol.iterator]()
    this.#signal = signal
  }

  /** The next target, the same until it is taken; `null` once there was `no more`. */
  next(): Promise<{ readonly target: ProbeTarget } | 'no more'> | null {
    if (this.#isOver) return null
    this.#next ??= this.#read()
    return this.#next
  }

  /** Why there is no more, when that is not the end: to be thrown behind what was known by then. */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** The target that `next` gave is taken. */
  take(): void {
    this.#next = null
  }

  /** Tells the giver that no more is wanted; not waited for, because it may be waiting for input itself. */
  close(): void {
    this.#isOver = true
    void Promise.resolve(this.#iterator.return?.()).catch(() => {})
  }

  async #read(): Promise<{ readonly target: ProbeTarget } | 'no more'> {
    try {
      const result = await unlessAborted(Promise.resolve(this.#iterator.next()), this.#signal)
      if (result.done !== true) return { target: parseProbeTarget(result.value) }
    } catch (error) {
      if (!this.#signal.aborted) this.#failure = error
    }
    this.#isOver = true
    return 'no more'
  }
}
