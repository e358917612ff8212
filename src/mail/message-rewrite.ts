/**
 * Brings a message into a form the wire can carry: CRLF, lines of at most 998 octets, no NUL, and where asked no octet
 * over 127. One rule: only what has to change changes; where MIME allows no re-encoding (multipart/signed, header
 * fields, message parts) it is an error that names the line.
 */
import { isAscii } from 'node:buffer'
import { type Body, type Rewriting, rewriteBody } from './message-body.ts'
import { MessageError } from './message-error.ts'
import { rewriteHeader } from './message-fields.ts'
import { findLineFault, lineNumberAt, withCrlf } from './message-lines.ts'
import { type FrameSegment, type Segment, splitParts } from './message-parts.ts'

/** What to make of the message. */
export interface RewriteOptions {
  /** Where the message begins in the octets; default 0. Lines are counted from the first octet all the same. */
  readonly from?: number
  /** Fields of the outermost header to leave out, in lower case. */
  readonly dropFields?: ReadonlySet<string>
  /** `true`: no octet over 127 may remain (RFC 6152 §3). Default `false`. */
  readonly sevenBit?: boolean
}

const LF = 10
const empty = new Uint8Array(0)

/**
 * The message in wire form. Takes time and memory in proportion to its size.
 * @throws {MessageError} when it is no message, or holds what can neither be sent nor re-encoded.
 */
export function rewriteMessage(bytes: Uint8Array, options: RewriteOptions = {}): Uint8Array {
  const { from = 0, dropFields = new Set(), sevenBit = false } = options
  const rewriting = { bytes, dropFields, sevenBit }
  const segments = splitParts(bytes, from)
  const pieces: Uint8Array[] = []
  let body: Body | null = null
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'header') {
      body = bodyBehind(rewriting, segments[index + 1])
      for (const piece of rewriteHeader(rewriting, segment, body)) pieces.push(piece)
    } else if (segment.kind === 'body') pieces.push(body?.octets ?? empty)
    else pieces.push(rewriteFrame(rewriting, segment))
  }
  const last = pieces.findLast((piece) => piece.length > 0) ?? empty
  return Buffer.concat([...pieces, finalLineEnd(last, body)])
}

function bodyBehind(rewriting: Rewriting, segment: Segment | undefined): Body | null {
  return segment?.kind === 'body' ? rewriteBody(rewriting, segment) : null
}

/** A quoted-printable body that ends within a line gets a soft line break: the line end is the wire's, not its own. */
function finalLineEnd(last: Uint8Array, body: Body | null): Uint8Array {
  if (last.at(-1) === LF) return empty
  const isQuotedPrintable = body?.octets === last && body.encoding === 'quoted-printable'
  return Buffer.from(isQuotedPrintable ? '=\r\n' : '\r\n')
}

/** Delimiters stay; a preamble or epilogue that cannot be sent is left out: it is not to be read (RFC 2046 §5.1.1). */
function rewriteFrame({ bytes, sevenBit }: Rewriting, { kind, start, end }: FrameSegment): Uint8Array {
  const octets = withCrlf(bytes.subarray(start, end))
  if (findLineFault(octets) === null && (!sevenBit || isAscii(octets))) return octets
  if (kind === 'ignored') return empty
  throw new MessageError('a multipart delimiter that cannot be sent', lineNumberAt(bytes, end - 1))
}
