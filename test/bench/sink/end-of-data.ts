/**
 * Finds the end of DATA content, CRLF.CRLF (RFC 5321 §4.1.1.4), however the octets are cut.
 * One rule: the search itself is native; by hand go only the few octets at a chunk's border.
 */

const terminator = Buffer.from('\r\n.\r\n')
const CR = 13
/** The line end of the DATA command counts: content may begin with the final dot. */
const matchedByCommand = 2

/** One content's search. */
export class EndOfData {
  /** How many octets of the terminator the last chunk ended with. */
  #matched = matchedByCommand

  /** @returns the offset in `chunk` just behind the terminator, or -1 when the content goes on. */
  findEnd(chunk: Buffer, from: number): number {
    let at = from
    while (this.#matched > 0 && at < chunk.length) {
      this.#step(chunk[at++])
      if (this.#matched === terminator.length) return at
    }
    if (this.#matched > 0) return -1
    const found = chunk.indexOf(terminator, at)
    if (found !== -1) return found + terminator.length
    for (at = Math.max(at, chunk.length - terminator.length + 1); at < chunk.length; at++)
      this.#step(chunk[at])
    return -1
  }

  #step(octet: number | undefined): void {
    if (octet === terminator[this.#matched]) this.#matched++
    else this.#matched = octet === CR ? 1 : 0
  }
}
