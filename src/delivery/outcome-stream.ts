/**
 * Outcomes as each becomes known. One rule: as many outcomes as recipients, then the end; nothing a consumer does or
 * leaves undone can lose one or hold up a delivery.
 */
import type { Outcome } from './outcome.ts'

/** Filled by the delivery, emptied by one consumer. */
export class OutcomeStream implements AsyncIterableIterator<Outcome> {
  readonly #signal: AbortSignal
  readonly #onReturn: () => void
  readonly #settled = Promise.withResolvers<void>()
  #known: Outcome[] = []
  #read = 0
  #left: number
  #wake: (() => void) | null = null
  #wasAborted = false

  /** `signal` says whether the iteration ends or throws; `onReturn` is called when the consumer leaves before the end. */
  constructor(count: number, signal: AbortSignal, onReturn: () => void) {
    this.#left = count
    this.#signal = signal
    this.#onReturn = onReturn
    if (count === 0) this.#settled.resolve()
  }

  /** Resolves when no outcome is owed any more. */
  get settled(): Promise<void> {
    return this.#settled.promise
  }

  push(outcome: Outcome): void {
    this.#known.push(outcome)
    this.#left--
    if (this.#left === 0) {
      this.#wasAborted = this.#signal.aborted
      this.#settled.resolve()
    }
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  async next(): Promise<IteratorResult<Outcome, undefined>> {
    for (;;) {
      const outcome = this.#known[this.#read]
      if (outcome !== undefined) {
        this.#read++
        if (this.#read === this.#known.length) {
          this.#known = []
          this.#read = 0
        }
        return { done: false, value: outcome }
      }
      if (this.#left <= 0) {
        if (this.#wasAborted) throw this.#signal.reason
        return { done: true, value: undefined }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async return(): Promise<IteratorResult<Outcome, undefined>> {
    if (this.#left > 0) this.#onReturn()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
