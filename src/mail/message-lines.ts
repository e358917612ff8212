/**
 * Lines of a message. One rule: CRLF, a bare CR and a bare LF each end a line, everywhere and in the same way, so that
 * no two readers of one message can disagree on where a line ends (that is how mail gets smuggled).
 */

const NUL = 0
const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32

/** RFC 5321 §4.5.3.1.6 and RFC 5322 §2.1.1: 1,000 octets with the CRLF. */
export const lineLimitOctets = 998

/** Offsets of one line: its text is `[start, end)`, the next line starts at `next`. */
export interface Line {
  readonly start: number
  readonly end: number
  readonly next: number
}

/** The lines of `bytes` from the offset `from` on; the last one may lack its line end. */
export function* linesOf(bytes: Uint8Array, from = 0): Generator<Line, void, undefined> {
  // Both are looked up once and kept until passed: a file without any CR is not searched to its end for each line.
  let cr = indexOrEnd(bytes, CR, from)
  let lf = indexOrEnd(bytes, LF, from)
  let start = from
  while (start < bytes.length) {
    const end = Math.min(cr, lf)
    const next = cr + 1 === lf ? end + 2 : end + 1
    yield { start, end, next: Math.min(next, bytes.length) }
    start = next
    if (cr < start) cr = indexOrEnd(bytes, CR, start)
    if (lf < start) lf = indexOrEnd(bytes, LF, start)
  }
}

function indexOrEnd(bytes: Uint8Array, octet: number, from: number): number {
  const index = bytes.indexOf(octet, from)
  return index === -1 ? bytes.length : index
}

/** The end of `[start, end)` without the blanks and tabs it closes with. */
export function withoutBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at -= 1
  return at
}

/** The number, from 1, of the line in which `offset` lies. */
export function lineNumberAt(bytes: Uint8Array, offset: number): number {
  let number = 0
  for (const { start } of linesOf(bytes)) {
    if (start > offset) break
    number += 1
  }
  return Math.max(number, 1)
}

/** The same octets with every line end a CRLF; the same object when they are already. */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  const stray = countStrays(bytes)
  if (stray === 0) return bytes
  const out = new Uint8Array(bytes.length + stray)
  let length = 0
  let previous = NUL
  for (const octet of bytes) {
    if (octet === CR || (octet === LF && previous !== CR)) {
      out[length++] = CR
      out[length++] = LF
    } else if (octet !== LF) {
      out[length++] = octet
    }
    previous = octet
  }
  return out
}

/** CRs without LF and LFs without CR. */
function countStrays(bytes: Uint8Array): number {
  let stray = 0
  for (const { end, next } of linesOf(bytes)) if (next === end + 1) stray += 1
  return stray
}

/** What keeps octets off the wire as they are, and where it stands. */
export interface LineFault {
  readonly kind: 'nul' | 'long'
  readonly offset: number
}

/** The first NUL (RFC 5321 §2.3.8, §4.5.2 want text) or line over 998 octets; `null` when there is neither. */
export function findLineFault(bytes: Uint8Array): LineFault | null {
  const nul = bytes.indexOf(NUL)
  const long = findLongLine(bytes)
  if (long !== null && (nul === -1 || long < nul)) return { kind: 'long', offset: long }
  return nul === -1 ? null : { kind: 'nul', offset: nul }
}

function findLongLine(bytes: Uint8Array): number | null {
  if (bytes.length <= lineLimitOctets) return null
  for (const { start, end } of linesOf(bytes)) if (end - start > lineLimitOctets) return start
  return null
}

/** Whether the octets can go over the wire as they stand: whole lines of at most 998 octets, CRLF only, no NUL. */
export function isWireForm(bytes: Uint8Array): boolean {
  return bytes.indexOf(NUL) === -1 && hasWireLines(bytes)
}

function hasWireLines(bytes: Uint8Array): boolean {
  for (const { start, end, next } of linesOf(bytes)) {
    if (next !== end + 2 || end - start > lineLimitOctets) return false
  }
  return true
}
