/**
 * Transfer encodings (RFC 2045 §6.7, §6.8), on nodemailer's encoder.
 * One rule: what is encoded here is decoded again at once, and an encoding that does not give back the same octets
 * never leaves this file.
 */
import { encode, wrap } from 'nodemailer/lib/qp'
import { linesOf, withoutBlanks } from './message-lines.ts'

const EQUALS = 61
/** RFC 2045 §6.8. */
const base64LineLength = 76
// RFC 2045 §6.7 (5) allows 76; four are kept for a hyphen that is encoded after the lines are made.
const quotedPrintableLineLength = 72

/** Quoted-printable; line ends of `octets` are CRLF and stay line ends. */
export function toQuotedPrintable(octets: Uint8Array): Uint8Array {
  const lines = wrap(encode(Buffer.from(octets)), quotedPrintableLineLength)
  // A soft line break may leave `--boundary` alone on a line: no encoded line begins with what could be a delimiter.
  const encoded = Buffer.from(lines.replace(/^-/gm, '=2D'), 'latin1')
  return checked(encoded, fromQuotedPrintable(encoded), octets)
}

/** Base64 in lines of 76, the last one without a line end. */
export function toBase64(octets: Uint8Array): Uint8Array {
  const encoded = inLines(Buffer.from(octets).toString('base64'))
  return checked(encoded, Buffer.from(encoded.toString('latin1'), 'base64'), octets)
}

/** Base64 with other line lengths: not a character of it changes; what is not base64 is dropped (RFC 2045 §6.8). */
export function rewrapBase64(octets: Uint8Array): Uint8Array {
  return inLines(
    Buffer.from(octets)
      .toString('latin1')
      .replace(/[^A-Za-z0-9+/=]+/g, ''),
  )
}

function inLines(text: string): Buffer {
  const lines: string[] = []
  for (let at = 0; at < text.length; at += base64LineLength) lines.push(text.slice(at, at + base64LineLength))
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

/** What quoted-printable octets stand for; what is not well-formed stands for itself (RFC 2045 §6.7). */
export function fromQuotedPrintable(octets: Uint8Array): Uint8Array {
  const out = new Uint8Array(octets.length)
  let length = 0
  for (const { start, end, next } of linesOf(octets)) {
    // Blanks at a line's end were added on the way (RFC 2045 §6.7 (3)).
    const textEnd = withoutBlanks(octets, start, end)
    const isSoft = octets[textEnd - 1] === EQUALS && textEnd > start
    for (let at = start; at < (isSoft ? textEnd - 1 : textEnd); at += 1) {
      const octet = octets[at] === EQUALS ? hexOctet(octets, at + 1) : null
      out[length++] = octet ?? octets[at] ?? 0
      if (octet !== null) at += 2
    }
    if (isSoft) continue
    out.set(octets.subarray(end, next), length)
    length += next - end
  }
  return out.subarray(0, length)
}

function hexOctet(octets: Uint8Array, at: number): number | null {
  const digits = String.fromCharCode(octets[at] ?? 0, octets[at + 1] ?? 0)
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : null
}

function checked(encoded: Uint8Array, decoded: Uint8Array, octets: Uint8Array): Uint8Array {
  if (Buffer.compare(decoded, octets) === 0) return encoded
  throw new Error('A transfer encoding did not give back what was put in; this is a defect of mxpress')
}
