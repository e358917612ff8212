/**
 * One line that counts recipients, on standard error and only on a terminal. It is wiped before anything else is
 * printed, so that it never mixes with the result.
 */

/** Below this many recipients the outcomes themselves are progress enough. */
const WORTH_COUNTING = 10

const WIPE = '\r\u001b[K'

/** Counts outcomes and shows how many are still awaited. */
export class Progress {
  readonly #total: number
  readonly #stream: NodeJS.WriteStream
  readonly #isShown: boolean
  #done = 0

  constructor(total: number, stream: NodeJS.WriteStream = process.stderr) {
    this.#total = total
    this.#stream = stream
    this.#isShown = stream.isTTY === true && total >= WORTH_COUNTING
  }

  /** Counts one more recipient and prints what `print` has to say about it. */
  step(print: () => void): void {
    this.#done++
    this.wipe()
    print()
    if (this.#isShown) this.#stream.write(`${this.#done} of ${this.#total} recipients`)
  }

  /** Takes the line away; the next step brings it back. */
  wipe(): void {
    if (this.#isShown) this.#stream.write(WIPE)
  }
}
