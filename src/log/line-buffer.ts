/**
 * Gathers lines and hands them on in batches, so that thousands of lines cost one write.
 * One rule: a batch is whole lines.
 */

/** Octets at which a batch is handed on at once. 64 KiB is some 300 lines a write. */
export const batchSize = 64 * 1024

/** A line up to this many UTF-16 units, at most three octets each, finds room behind a batch that is not full yet. */
const roomySize = 16 * 1024

/** How long a line may wait for company. A person who follows the file does not see the difference. */
const delayMs = 100

/** Takes over a batch and says how many lines are in it. */
export type TakeBatch = (text: string, lines: number) => void

/**
 * The lines since the last batch, as octets in memory that is used again. Kept as one growing string, their hundreds of
 * pieces outlive the collection of short-lived objects, and the young generation grows to its largest (64 MiB).
 */
export class LineBuffer {
  readonly #take: TakeBatch
  readonly #octets = Buffer.allocUnsafeSlow(batchSize + 3 * roomySize)
  #length = 0
  #lines = 0
  #timer: NodeJS.Timeout | undefined

  constructor(take: TakeBatch) {
    this.#take = take
  }

  /** Adds a line that ends in a line feed. The timer keeps the process alive, so that no line is forgotten at its end. */
  add(line: string): void {
    if (line.length > roomySize) {
      this.handOver()
      this.#take(line, 1)
      return
    }
    this.#length += this.#octets.write(line, this.#length)
    this.#lines++
    if (this.#length >= batchSize) this.handOver()
    else this.#timer ??= setTimeout(() => this.handOver(), delayMs)
  }

  /** Hands on what there is, if anything. */
  handOver(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines === 0) return
    const text = this.#octets.toString('utf8', 0, this.#length)
    const lines = this.#lines
    this.#length = 0
    this.#lines = 0
    this.#take(text, lines)
  }
}
