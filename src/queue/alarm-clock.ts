/** Sleeping until a time, or until woken. One rule: a wake-up that comes while nobody sleeps ends the next sleep at once. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits; rejects when aborted. The seam for tests. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>

/** A timer that does not keep the process alive. */
export const waitForTimer: Wait = (ms, signal) => sleep(ms, undefined, { signal, ref: false })

/** For one sleeper. */
export class AlarmClock {
  readonly #wait: Wait
  #isRung = false
  #sleep: AbortController | null = null

  constructor(wait: Wait) {
    this.#wait = wait
  }

  async sleep(ms: number): Promise<void> {
    if (!this.#isRung) {
      this.#sleep = new AbortController()
      // Rejected: rung.
      await this.#wait(ms, this.#sleep.signal).catch(() => {})
      this.#sleep = null
    }
    this.#isRung = false
  }

  ring(): void {
    this.#isRung = true
    this.#sleep?.abort()
  }
}
