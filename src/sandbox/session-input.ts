/**
 * The octets of a session that were not dealt with yet: taken out as a line, as a number of octets, or as the content
 * of a message up to its final dot. One rule: nothing is searched twice, so that large messages cost their length.
 */

const finalDot = Buffer.from('\r\n.\r\n')

/** Takes octets in any fragmentation. */
export class SessionInput {
  #chunks: Buffer[] = []
  #length = 0
  /** The last octets, where a final dot may have begun. */
  #tail: Buffer = Buffer.alloc(0)
  #mayHoldFinalDot = false

  get length(): number {
    return this.#length
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const seam = Buffer.concat([this.#tail, chunk])
    this.#mayHoldFinalDot ||= seam.includes(finalDot)
    this.#tail = seam.subarray(-(finalDot.length - 1))
  }

  /** Throws everything away: what came before a handshake (RFC 3207 §6), or after the end of the session. */
  clear(): void {
    this.#chunks = []
    this.#length = 0
    this.#tail = Buffer.alloc(0)
    this.#mayHoldFinalDot = false
  }

  /** A command without its line end; `undefined` until there is one. */
  takeLine(): string | undefined {
    const all = this.#join()
    const end = all.indexOf('\n')
    if (end < 0) return undefined
    return this.#take(end + 1)
      .toString('utf8')
      .replace(/\r?\n$/, '')
  }

  /** Exactly so many octets; `undefined` until they are there. */
  takeOctets(count: number): Buffer | undefined {
    return this.#length < count ? undefined : this.#take(count)
  }

  /** The content up to the final dot, dot-stuffing undone (RFC 5321 §4.5.2); `undefined` until it is complete. */
  takeContent(): Buffer | undefined {
    if (!this.#mayHoldFinalDot) return undefined
    const all = this.#join()
    // The line end of the DATA command counts as the one before a first dot.
    const end = all.subarray(0, 3).equals(finalDot.subarray(2)) ? -2 : all.indexOf(finalDot)
    if (end === -1) {
      this.#mayHoldFinalDot = false
      return undefined
    }
    const stuffed = Buffer.from(all.subarray(0, end + 2))
    this.#take(end + finalDot.length)
    return undoDotStuffing(stuffed)
  }

  #join(): Buffer {
    const [only = Buffer.alloc(0)] = this.#chunks
    const all = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : only
    this.#chunks = [all]
    return all
  }

  #take(count: number): Buffer {
    const all = this.#join()
    this.#chunks = [all.subarray(count)]
    this.#length -= count
    return all.subarray(0, count)
  }
}

const undoDotStuffing = (stuffed: Buffer): Buffer => {
  // latin1 keeps every octet as one character.
  const text = stuffed.toString('latin1').replace(/^\./, '').replaceAll('\r\n.', '\r\n')
  return Buffer.from(text, 'latin1')
}
