/**
 * The last part of a report: the reported message, or its header (RFC 6522 §3, §4; RFC 6533 §4.2, §4.3).
 * One rule: what is quoted is quoted octet for octet; where that is not possible it is encoded so that it decodes to that.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import type { Message } from '../mail/message.ts'
import { toQuotedPrintable } from '../mail/message-encoding.ts'

/** The largest header that is returned whole; more is cut after a line. No message has that without an attack. */
const headerLimitOctets = 100_000

/** A body part: its fields, and its octets. */
export interface Quotation {
  readonly contentType: string
  readonly encoding: '7bit' | '8bit' | 'quoted-printable'
  readonly body: Uint8Array
  /** The whole message, or its header alone. */
  readonly isWhole: boolean
}

/** How much to quote, and how. */
export interface QuoteOptions {
  readonly whole: boolean
  /** The report goes out with SMTPUTF8, so UTF-8 header fields may stand in it unencoded (RFC 6533 §4.5). */
  readonly smtpUtf8: boolean
}

/** Quotes a message. Rejects when it cannot be read. */
export async function quoteOriginal(message: Message, { whole, smtpUtf8 }: QuoteOptions): Promise<Quotation> {
  const header = await readHeader(message)
  // Octets in the header that are no text have no form in which the whole message could be returned.
  const isWhole = whole && (isAscii(header) || isUtf8(header))
  const octets = isWhole ? await readWhole(message) : header
  if (isAscii(octets)) {
    return { contentType: typeOf(isWhole, false), encoding: '7bit', body: octets, isWhole }
  }
  const isGlobal = message.requires.has('SMTPUTF8') && isUtf8(header)
  const contentType = typeOf(isWhole, isGlobal)
  // RFC 2046 §5.2.1: a message/rfc822 is never encoded; delivery converts it part by part for a server without 8BITMIME.
  if (isWhole && (!isGlobal || smtpUtf8)) return { contentType, encoding: '8bit', body: octets, isWhole }
  if (isGlobal && smtpUtf8) return { contentType, encoding: '8bit', body: octets, isWhole }
  return { contentType, encoding: 'quoted-printable', body: toQuotedPrintable(octets), isWhole }
}

function typeOf(isWhole: boolean, isGlobal: boolean): string {
  if (isWhole) return isGlobal ? 'message/global' : 'message/rfc822'
  return isGlobal ? 'message/global-headers' : 'text/rfc822-headers'
}

async function readWhole(message: Message): Promise<Uint8Array> {
  if (message.content !== undefined) return message.content
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The header section with the line end of its last field, without the blank line. */
async function readHeader(message: Message): Promise<Uint8Array> {
  let head = Buffer.alloc(0)
  for await (const chunk of message.open()) {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end !== -1 && end <= headerLimitOctets) return head.subarray(0, end + 2)
    if (head.length > headerLimitOctets) {
      return head.subarray(0, head.lastIndexOf('\r\n', headerLimitOctets - 2) + 2)
    }
  }
  return head
}
