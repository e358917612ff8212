/**
 * One leaf's body on its way to wire form. One rule: it is left alone when it can be sent as it is; else it gets a
 * transfer encoding that decodes to the same octets, if its type and place allow one.
 */
import { isAscii } from 'node:buffer'
import { fromQuotedPrintable, rewrapBase64, toBase64, toQuotedPrintable } from './message-encoding.ts'
import { MessageError } from './message-error.ts'
import { findLineFault, lineNumberAt, withCrlf } from './message-lines.ts'
import { identityEncodings, type Part, type PartSegment } from './message-parts.ts'

/** The message under work, and what is asked for. */
export interface Rewriting {
  readonly bytes: Uint8Array
  /** Fields of the outermost header to leave out, in lower case. */
  readonly dropFields: ReadonlySet<string>
  /** No octet over 127 may remain. */
  readonly sevenBit: boolean
}

/** A leaf's body as it will be sent; `encoding` is its new label, `null` when the old one may stay. */
export interface Body {
  readonly octets: Uint8Array
  readonly encoding: string | null
}

/** @throws {MessageError} naming the line that can neither be sent nor re-encoded. */
export function rewriteBody(rewriting: Rewriting, segment: PartSegment<'body'>): Body {
  const { bytes, sevenBit } = rewriting
  const { part } = segment
  const found = bytes.subarray(segment.start, segment.end)
  const octets = withCrlf(found)
  // Octets that are not lines must not have their line ends touched.
  const isBinary = part.encoding === 'binary' && !part.type.startsWith('text/')
  const isTouched = isBinary && octets !== found
  const problem = isTouched ? { offset: 0, reason: 'binary content' } : findProblem(found, sevenBit)
  if (problem === null) return { octets, encoding: relabelled(part, sevenBit) }
  if (isEncodable(part))
    return isBinary ? { octets: toBase64(found), encoding: 'base64' } : encode(part, octets)
  const line = lineNumberAt(bytes, segment.start + problem.offset)
  throw new MessageError(`${problem.reason} in ${describe(part)}, which cannot be re-encoded`, line)
}

/** The label of a part that needs no encoding: where 7 bits are asked for, it must not claim 8 (RFC 6152 §3). */
export function relabelled(part: Part, sevenBit: boolean): string | null {
  const isWide = part.encoding === '8bit' || part.encoding === 'binary'
  return sevenBit && isWide && !part.isSealed ? '7bit' : null
}

function findProblem(octets: Uint8Array, sevenBit: boolean): { offset: number; reason: string } | null {
  const fault = findLineFault(octets)
  if (fault?.kind === 'nul') return { offset: fault.offset, reason: 'a NUL octet' }
  if (fault) return { offset: fault.offset, reason: 'a line over 998 octets' }
  if (!sevenBit || isAscii(octets)) return null
  return { offset: octets.findIndex((octet) => octet > 127), reason: '8-bit octets' }
}

/** RFC 2045 §6.4 forbids it for multipart and message; RFC 6532 §3.7 allows it for message/global again. */
function isEncodable({ type, encoding, isSealed }: Part): boolean {
  if (isSealed || type.startsWith('multipart/')) return false
  if (type.startsWith('message/') && !type.startsWith('message/global')) return false
  return identityEncodings.has(encoding) || encoding === 'base64' || encoding === 'quoted-printable'
}

function encode({ type, encoding }: Part, octets: Uint8Array): Body {
  if (encoding === 'base64') return { octets: rewrapBase64(octets), encoding }
  if (encoding === 'quoted-printable') {
    return { octets: toQuotedPrintable(fromQuotedPrintable(octets)), encoding }
  }
  if (!type.startsWith('text/')) return { octets: toBase64(octets), encoding: 'base64' }
  return { octets: toQuotedPrintable(octets), encoding: 'quoted-printable' }
}

function describe({ type, encoding, isSealed }: Part): string {
  if (isSealed) return 'a multipart/signed'
  const isKnown = identityEncodings.has(encoding) || /^(base64|quoted-printable)$/.test(encoding)
  return isKnown ? `a part of type ${type}` : `a part with the transfer encoding ${encoding}`
}
