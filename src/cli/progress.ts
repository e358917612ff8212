/**
 * One line that counts recipients or targets, on standard error and only on a terminal. It is wiped before anything else is
 * printed, so that it never mixes with the result.
 */

/** Below this many recipients the outcomes themselves are progress enough. */
const WORTH_COUNTING = 10

const WIPE = '\r\u001b[K'

/** What is counted. */
export interface ProgressOptions {
  /** Default `recipients`. */
  readonly noun?: string
  /** Default standard error. */
  readonly stream?: NodeJS.WriteStream
}

/** Counts outcomes and shows how many are still awaited. */
export class Progress {
  readonly #total: number | null
  readonly #noun: string
  readonly #stream: NodeJS.WriteStream
  readonly #isShown: boolean
  #done = 0

  /** `total`: `null` when nobody knows how many there will be. */
  constructor(total: number | null, { noun = 'recipients', stream = process.stderr }: ProgressOptions = {}) {
    this.#total = total
    this.#noun = noun
    this.#stream = stream
    this.#isShown = stream.isTTY === true && (total === null || total >= WORTH_COUNTING)
  }

  /** Counts one more and prints what `print` has to say about it. */
  step(print: () => void): void {
    this.#done++
    this.wipe()
    print()
    if (this.#isShown) this.#stream.write(this.#text)
  }

  get #text(): string {
    return this.#total === null
      ? `${this.#done} ${this.#noun}`
      : `${this.#done} of ${this.#total} ${this.#noun}`
  }

  /** Takes the line away; the next step brings it back. */
  wipe(): void {
    if (this.#isShown) this.#stream.write(WIPE)
  }
}
