/**
 * Gathers lines and hands them on in batches, so that thousands of lines cost one write.
 * One rule: a batch is whole lines.
 */

/** Octets (counted as UTF-16 units) at which a batch is handed on at once. 64 KiB is some 300 lines a write. */
export const batchSize = 64 * 1024

/** How long a line may wait for company. A person who follows the file does not see the difference. */
const delayMs = 100

/** Takes over a batch and says how many lines are in it. */
export type TakeBatch = (text: string, lines: number) => void

/** The lines since the last batch. */
export class LineBuffer {
  readonly #take: TakeBatch
  #text = ''
  #lines = 0
  #timer: NodeJS.Timeout | undefined

  constructor(take: TakeBatch) {
    this.#take = take
  }

  /** Adds a line that ends in a line feed. The timer keeps the process alive, so that no line is forgotten at its end. */
  add(line: string): void {
    this.#text += line
    this.#lines++
    if (this.#text.length >= batchSize) this.handOver()
    else this.#timer ??= setTimeout(() => this.handOver(), delayMs)
  }

  /** Hands on what there is, if anything. */
  handOver(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines === 0) return
    const text = this.#text
    const lines = this.#lines
    this.#text = ''
    this.#lines = 0
    this.#take(text, lines)
  }
}
