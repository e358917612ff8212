/**
 * SIGINT and SIGTERM. The first stops the taking of new work and lets what is past the final dot finish; the second
 * ends the program at once, because a person who presses Ctrl-C twice means it.
 */
import { exitCodes } from './exit-code.ts'

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const

/** Listens from its creation until it is disposed of. */
export class Stop {
  readonly #controller = new AbortController()
  #code: (typeof codes)[keyof typeof codes] | null = null
  readonly #listeners: readonly (() => void)[]

  constructor() {
    this.#listeners = Object.entries(codes).map(([name, code]) => {
      const listener = (): void => this.#stop(name, code)
      process.on(name, listener)
      return () => process.off(name, listener)
    })
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** 130 or 143 after a signal, `null` before. */
  get exitCode(): 130 | 143 | null {
    return this.#code
  }

  /** Resolves at the first signal. */
  async wait(): Promise<void> {
    if (this.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  [Symbol.dispose](): void {
    for (const remove of this.#listeners) remove()
  }

  #stop(name: string, code: 130 | 143): void {
    if (this.#code !== null) process.exit(code)
    this.#code = code
    this.#controller.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
  }
}
