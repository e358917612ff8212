/**
 * Transparency for DATA (RFC 5321 §4.5.2): a line that begins with a dot gets another one, and a line with a single dot
 * ends the content. One rule: the message has CRLF line ends only, so a line begins at the start and after CRLF.
 */

const DOT = 46
const CR = 13
const LF = 10
const LINE_THEN_DOT = Buffer.from('\r\n.')

/** The octets that follow the last chunk: `.CRLF`, on a line of its own. */
const END = Buffer.from('.\r\n')
const END_AFTER_OPEN_LINE = Buffer.from('\r\n.\r\n')

/** Stuffs a content that comes in chunks; one per transaction. */
export class DotStuffer {
  /** The last octets given out; the content begins as if after a CRLF. */
  #beforeLast = CR
  #last = LF

  /** The chunk with its dots doubled; the same memory when there was nothing to double. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk
    const parts: Uint8Array[] = []
    let from = 0
    for (const at of lineDots(chunk, this.#beforeLast, this.#last)) {
      // The part up to and with the dot; the next part begins with the same dot again.
      parts.push(chunk.subarray(from, at + 1))
      from = at
    }
    this.#beforeLast = chunk.length > 1 ? (chunk[chunk.length - 2] ?? 0) : this.#last
    this.#last = chunk[chunk.length - 1] ?? 0
    if (parts.length === 0) return chunk
    parts.push(chunk.subarray(from))
    return Buffer.concat(parts)
  }

  /** What ends the content; RFC 5321 §4.1.1.4: no additional empty line when it ended with CRLF already. */
  end(): Uint8Array {
    return this.#beforeLast === CR && this.#last === LF ? END : END_AFTER_OPEN_LINE
  }
}

/** The positions of dots that stand first in a line. */
function* lineDots(chunk: Uint8Array, beforeLast: number, last: number): Generator<number> {
  if (chunk[0] === DOT && beforeLast === CR && last === LF) yield 0
  if (chunk[0] === LF && chunk[1] === DOT && last === CR) yield 1
  const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
  for (let at = view.indexOf(LINE_THEN_DOT); at !== -1; at = view.indexOf(LINE_THEN_DOT, at + 3)) yield at + 2
}

/** A whole content stuffed and ended, ready for one write. */
export function dotStuff(content: Uint8Array): Uint8Array {
  const stuffer = new DotStuffer()
  const stuffed = stuffer.push(content)
  return Buffer.concat([stuffed, stuffer.end()])
}
