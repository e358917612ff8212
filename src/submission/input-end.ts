/** Where a message on standard input ends: at a line with a dot alone, as sendmail(8) has always had it, or with the input. */

const LF = 10
const CR = 13
const DOT = 46

/** How far to read. */
export interface ReadMessageOptions {
  /** A line that is a dot alone ends the message, and is not part of it. */
  readonly endsAtDot: boolean
  /** Beyond this nothing is read; what has been read is then longer. Default: no limit. */
  readonly limitOctets?: number
}

/** Reads to the end of the input, or to what ends it before. */
export async function readMessage(
  input: AsyncIterable<Uint8Array>,
  { endsAtDot, limitOctets = Number.POSITIVE_INFINITY }: ReadMessageOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const search = new DotSearch()
  let length = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    length += chunk.length
    if (endsAtDot && search.take(chunk)) break
    if (length > limitOctets) break
  }
  const all = Buffer.concat(chunks)
  return endsAtDot ? all.subarray(0, search.end ?? (search.isAtDot ? length - search.pending : length)) : all
}

/** Octet by octet, so that it does not matter how the input is cut. */
class DotSearch {
  /** Offset of the line with the dot; `null` until it has been found. */
  end: number | null = null
  #at = 0
  /** How much of LF, dot, CR, LF has been seen; the start counts as the end of a line. */
  #state: 'line-start' | 'dot' | 'dot-cr' | 'within' = 'line-start'
  #lineStart = 0

  /** @returns whether the end has been found */
  take(chunk: Uint8Array): boolean {
    for (const octet of chunk) {
      this.#at += 1
      if ((this.#state === 'dot' || this.#state === 'dot-cr') && octet === LF) {
        this.end = this.#lineStart
        return true
      }
      if (octet === LF) {
        this.#state = 'line-start'
        this.#lineStart = this.#at
      } else if (this.#state === 'line-start' && octet === DOT) this.#state = 'dot'
      else this.#state = this.#state === 'dot' && octet === CR ? 'dot-cr' : 'within'
    }
    return false
  }

  /** Whether the input ended in a line that is a dot so far. */
  get isAtDot(): boolean {
    return this.#state === 'dot' || this.#state === 'dot-cr'
  }

  /** Octets since the start of the line. */
  get pending(): number {
    return this.#at - this.#lineStart
  }
}
