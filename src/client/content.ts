/**
 * A message cut for the wire: into chunks for BDAT, or dot-stuffed for DATA. One rule: nothing is kept per recipient;
 * the stuffed form of a message that is in memory is made once and lives as long as the message.
 */
import type { Message } from '../mail/message.ts'
import { DotStuffer, dotStuff } from '../smtp/dot-stuffing.ts'

/**
 * Octets of content in one BDAT and in one write. Below it content travels in the flight of the envelope, so it bounds what
 * is sent in vain when a recipient is refused.
 */
export const CHUNK_OCTETS = 256 * 1024

/** A piece of content; `last` is true for exactly one, at the end. */
export interface Piece {
  readonly octets: Uint8Array
  readonly last: boolean
}

/** The content in chunks of `CHUNK_OCTETS`, the last one with the rest; at least one. */
export async function* chunksOf(message: Message): AsyncGenerator<Piece> {
  let held: Uint8Array | null = null
  let left = message.size
  for await (const octets of message.content === undefined ? gathered(message) : [message.content]) {
    left -= octets.length
    for (let from = 0; from < octets.length; from += CHUNK_OCTETS) {
      if (held !== null) yield { octets: held, last: false }
      held = octets.subarray(from, from + CHUNK_OCTETS)
    }
    if (left < 0) break
  }
  expectWhole(left)
  yield { octets: held ?? new Uint8Array(0), last: true }
}

/** The parts of a stream joined up to the size of a chunk: every BDAT costs a reply, however small it is. */
async function* gathered(message: Message): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const part of message.open()) {
    for (let from = 0; from < part.length; ) {
      const taken = part.subarray(from, from + CHUNK_OCTETS - length)
      parts.push(taken)
      from += taken.length
      length += taken.length
      if (length < CHUNK_OCTETS) continue
      yield joined(parts)
      parts = []
      length = 0
    }
  }
  if (length > 0) yield joined(parts)
}

function joined(parts: Uint8Array[]): Uint8Array {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
}

const stuffedForms = new WeakMap<Message, Uint8Array>()

/** The whole content dot-stuffed, with the final dot; `null` when it is not held in memory. */
export function stuffedWhole(message: Message): Uint8Array | null {
  if (message.content === undefined) return null
  let stuffed = stuffedForms.get(message)
  if (stuffed === undefined) {
    stuffed = dotStuff(message.content)
    stuffedForms.set(message, stuffed)
  }
  return stuffed
}

/** The content dot-stuffed, the final dot in the last piece. */
export async function* stuffedOf(message: Message): AsyncGenerator<Piece> {
  const stuffed = stuffedWhole(message)
  if (stuffed !== null) {
    for (let from = 0; from < stuffed.length; from += CHUNK_OCTETS) {
      yield {
        octets: stuffed.subarray(from, from + CHUNK_OCTETS),
        last: from + CHUNK_OCTETS >= stuffed.length,
      }
    }
    return
  }
  const stuffer = new DotStuffer()
  let left = message.size
  for await (const part of message.open()) {
    left -= part.length
    if (left < 0) break
    yield { octets: stuffer.push(part), last: false }
  }
  expectWhole(left)
  yield { octets: stuffer.end(), last: true }
}

/** A file that was cut or grew since it was accepted must not be sent as if it were whole: SIZE and BDAT promised it. */
function expectWhole(left: number): void {
  if (left !== 0) throw new Error(`the content of the message is ${-left} octets away from its size`)
}
