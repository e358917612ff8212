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
  #waiting: PromiseWithResolvers<IteratorResult<Outcome, undefined>>[] = []
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
    const asker = this.#waiting.shift()
    if (asker === undefined) this.#known.push(outcome)
    else asker.resolve({ done: false, value: outcome })
    this.#left--
    if (this.#left > 0) return
    this.#wasAborted = this.#signal.aborted
    this.#settled.resolve()
    for (const late of this.#waiting.splice(0)) late.resolve(this.#end())
  }

  // Not an async function: at tens of thousands a second its additional promise shows.
  next(): Promise<IteratorResult<Outcome, undefined>> {
    const outcome = this.#known[this.#read]
    if (outcome !== undefined) {
      this.#read++
      if (this.#read === this.#known.length) {
        this.#known = []
        this.#read = 0
      }
      return Promise.resolve({ done: false, value: outcome })
    }
    if (this.#left <= 0) return this.#end()
    const asker = Promise.withResolvers<IteratorResult<Outcome, undefined>>()
    this.#waiting.push(asker)
    return asker.promise
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

  #end(): Promise<IteratorResult<Outcome, undefined>> {
    return this.#wasAborted
      ? Promise.reject(this.#signal.reason)
      : Promise.resolve({ done: true, value: undefined })
  }
}

/** Outcomes of a delivery that starts when the first one is asked for. */
export class OutcomesOnDemand implements AsyncIterableIterator<Outcome> {
  readonly #start: () => Promise<AsyncIterableIterator<Outcome>>
  #starting: Promise<AsyncIterableIterator<Outcome>> | null = null
  #started: AsyncIterableIterator<Outcome> | null = null

  constructor(start: () => Promise<AsyncIterableIterator<Outcome>>) {
    this.#start = start
  }

  next(): Promise<IteratorResult<Outcome, undefined>> {
    if (this.#started !== null) return this.#started.next()
    this.#starting ??= this.#start().then((outcomes) => {
      this.#started = outcomes
      return outcomes
    })
    return this.#starting.then((outcomes) => outcomes.next())
  }

  async return(): Promise<IteratorResult<Outcome, undefined>> {
    const outcomes = await this.#starting
    await outcomes?.return?.()
    // Who leaves before the start must not find it starting afterwards.
    this.#started ??= new OutcomeStream(0, new AbortController().signal, () => {})
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
