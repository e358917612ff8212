/**
 * What a client sent as a message, made ready for the wire (RFC 6409 §8).
 * One rule: what is submitted stays octet for octet, but for: line ends (a bare CR or LF becomes CRLF, so that what
 * looks like the end of a message to some other host is a line of text to all of them), lines and octets that cannot be
 * sent where MIME lets them be re-encoded, the fields Bcc and Return-Path, and what RFC 5322 requires and it lacks.
 *
 * Bcc is removed although RFC 6409 does not ask for it: a client that leaves it in means it to be hidden all the same
 * (RFC 5322 §3.6.3), and the recipients are those of RCPT. Return-Path is the last host's to write (RFC 5321 §4.4).
 */
import type { ComposeOptions } from '../mail/compose-identity.ts'
import type { Envelope } from '../mail/envelope.ts'
import { type Message, messageFromBytes } from '../mail/message.ts'
import { MessageError } from '../mail/message-error.ts'
import { type Field, FieldCollector, parseHeader } from '../mail/message-header.ts'
import { isWireForm, linesOf } from '../mail/message-lines.ts'
import { rewriteMessage } from '../mail/message-rewrite.ts'
import { checkUtf8, findStart, missingFields } from '../mail/raw.ts'
import { Refusal } from './refusal.ts'

/** RFC 5321 §6.3: "a large rejection threshold, normally at least 100". */
const mostReceivedFields = 100

/**
 * Exim's `header_maxsize`: some thirty thousand addresses. Each field is an object: 20 MB of short ones stopped everything
 * for 11 s and took 1 GB.
 */
const mostHeaderOctets = 1024 * 1024

const dropFields: ReadonlySet<string> = new Set(['bcc', 'resent-bcc', 'return-path'])
const crlf = Buffer.from('\r\n')

const HEADER_TOO_BIG = `header too big, at most ${mostHeaderOctets} octets`

/** What is added, and from what. */
export interface ContentOptions extends ComposeOptions {
  readonly envelope: Envelope
  /** The trace field with its line end; empty for mail that did not come over SMTP. */
  readonly received: string
}

/**
 * The message with its trace field.
 * @throws {Refusal} 552 when its header is too big, 554 when it loops, or holds what can neither be sent nor re-encoded
 */
export function prepareContent(octets: Uint8Array, options: ContentOptions): Message {
  try {
    return prepare(octets, options)
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    throw new Refusal(554, '5.6.0', error.message, { cause: error })
  }
}

function prepare(octets: Uint8Array, options: ContentOptions): Message {
  const { fields, start, separated } = separateHeader(octets)
  refuseLoop(fields)
  const added = Buffer.from(missingFieldsOf(fields, options))
  // Without any field of its own the message needs ours before it can be read as one.
  const own = fields.length === 0 ? Buffer.concat([added, crlf, separated]) : separated
  const wire = toWire(own, fields.length === 0 ? 0 : start)
  const top = Buffer.from(options.received)
  const content = fields.length === 0 ? [top, wire] : [top, added, wire]
  return messageFromBytes(Buffer.concat(content))
}

interface Separated {
  readonly fields: readonly Field[]
  /** Where the first field begins; what stands before it is no part of the message. */
  readonly start: number
  /** With a blank line behind the fields. */
  readonly separated: Uint8Array
}

/**
 * Finds the header as sendmail(8) does: the first line that is no field ends it, and a message may have none at all.
 * What a program forgot is then text for people to read, instead of mail refused in the night.
 */
function separateHeader(octets: Uint8Array): Separated {
  const start = findStart(octets)
  const collector = new FieldCollector(octets)
  for (const line of linesOf(octets, start)) {
    const isBlank = line.start === line.end
    if (!isBlank && collector.take(line)) {
      if (line.next - start > mostHeaderOctets) throw new Refusal(552, '5.3.4', HEADER_TOO_BIG)
      continue
    }
    if (collector.fields.length === 0) {
      return { fields: [], start, separated: octets.subarray(isBlank ? line.next : line.start) }
    }
    const separated = isBlank
      ? octets
      : Buffer.concat([octets.subarray(0, line.start), crlf, octets.subarray(line.start)])
    return { fields: collector.fields, start, separated }
  }
  return { fields: collector.fields, start, separated: octets }
}

function refuseLoop(fields: readonly Field[]): void {
  const hops = fields.filter(({ name }) => name === 'received').length
  if (hops > mostReceivedFields) throw new Refusal(554, '5.4.6', `mail loop: ${hops} Received fields`)
}

function missingFieldsOf(fields: readonly Field[], { envelope, hostname, now }: ContentOptions): string {
  // Without From a message with the null reverse-path is nobody's; mail systems sign as MAILER-DAEMON.
  const reversePath = envelope.reversePath ?? { localPart: 'MAILER-DAEMON', domain: hostname }
  return missingFields(
    fields,
    { ...envelope, reversePath },
    now === undefined ? { hostname } : { hostname, now },
  )
}

function toWire(octets: Uint8Array, start: number): Uint8Array {
  const header = parseHeader(octets, start)
  checkUtf8({ bytes: octets, header })
  const isDropping = header.fields.some(({ name }) => dropFields.has(name))
  if (start === 0 && !isDropping && isWireForm(octets)) return octets
  return rewriteMessage(octets, { from: start, dropFields })
}
