/**
 * A header section on its way to wire form. One rule: a field keeps its octets; only a line over 998 octets is folded,
 * at blanks that are there, so that unfolding (RFC 5322 §2.2.3) gives back the same text.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { type Body, type Rewriting, relabelled } from './message-body.ts'
import { MessageError } from './message-error.ts'
import type { Field } from './message-header.ts'
import { lineLimitOctets, lineNumberAt, linesOf, withCrlf } from './message-lines.ts'
import type { Part, PartSegment } from './message-parts.ts'

const SPACE = 32
const TAB = 9
const crlf = Buffer.from('\r\n')

/**
 * The pieces of the header, its transfer encoding set to that of `body`.
 * @param body `null` where the part is no leaf
 * @throws {MessageError}
 */
export function rewriteHeader(
  rewriting: Rewriting,
  { part, start, end }: PartSegment<'header'>,
  body: Body | null,
): Uint8Array[] {
  const encoding = body ? body.encoding : relabelled(part, rewriting.sevenBit)
  const kept = part.fields.filter((field) => !isDropped(rewriting, part, field, encoding))
  const pieces = kept.flatMap((field) => rewriteField(rewriting, part, field))
  const fieldsEnd = part.fields.at(-1)?.end ?? start
  const blankLine = withCrlf(rewriting.bytes.subarray(fieldsEnd, end))
  if (encoding === null) return [...pieces, blankLine]
  const added = mimeFields(part, encoding, rewriting.bytes.subarray(end))
  // A body that began without a blank line needs one now that a field stands before it.
  return [...pieces, added, blankLine.length > 0 ? blankLine : crlf]
}

function isDropped({ dropFields }: Rewriting, part: Part, field: Field, encoding: string | null): boolean {
  if (field.name === 'content-transfer-encoding') return encoding !== null
  return part.isMessage && !part.isNested && dropFields.has(field.name)
}

/** The field that says what was done to the body, and those without which it would mean nothing. */
function mimeFields(part: Part, encoding: string, body: Uint8Array): Uint8Array {
  const names = new Set(part.fields.map(({ name }) => name))
  const lines = [`Content-Transfer-Encoding: ${encoding}`]
  if (part.isMessage && !names.has('mime-version')) {
    if (!names.has('content-type')) lines.unshift(`Content-Type: text/plain; charset=${guessCharset(body)}`)
    lines.unshift('MIME-Version: 1.0')
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n`)
}

/** What a message from before MIME may be labelled as (RFC 1428). */
function guessCharset(octets: Uint8Array): string {
  if (isAscii(octets)) return 'us-ascii'
  return isUtf8(octets) ? 'utf-8' : 'unknown-8bit'
}

function rewriteField({ bytes, sevenBit }: Rewriting, part: Part, field: Field): Uint8Array[] {
  const octets = bytes.subarray(field.start, field.end)
  const fail = (reason: string, offset: number): never => {
    const text = `the ${field.name.slice(0, 40)} field ${reason}`
    throw new MessageError(text, lineNumberAt(bytes, field.start + offset))
  }
  if (octets.includes(0)) fail('holds a NUL octet', octets.indexOf(0))
  if (sevenBit && !isAscii(octets)) fail('holds 8-bit octets, which cannot be converted', 0)
  return [...linesOf(octets)].flatMap(({ start, end }) => {
    const isShort = end - start <= lineLimitOctets
    const lines = isShort ? [octets.subarray(start, end)] : foldLine(octets.subarray(start, end))
    if (lines === null) return fail('has a line over 998 octets that cannot be folded', start)
    if (!isShort && part.isSealed) fail('has a line over 998 octets in a multipart/signed', start)
    return lines.flatMap((line) => [line, crlf])
  })
}

/** The line cut before blanks into lines of at most 998 octets, none of blanks only; `null` when that cannot be done. */
function foldLine(line: Uint8Array): Uint8Array[] | null {
  const lastText = line.findLastIndex((octet) => !isBlank(octet))
  const lines: Uint8Array[] = []
  let start = 0
  while (line.length - start > lineLimitOctets) {
    const at = findFold(line, start, lastText)
    if (at === null) return null
    lines.push(line.subarray(start, at))
    start = at
  }
  return [...lines, line.subarray(start)]
}

function findFold(line: Uint8Array, start: number, lastText: number): number | null {
  const limit = start + lineLimitOctets
  let firstText = start
  while (firstText < limit && isBlank(line[firstText])) firstText += 1
  for (let at = Math.min(limit, lastText); at > firstText; at -= 1) if (isBlank(line[at])) return at
  return null
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB
}
