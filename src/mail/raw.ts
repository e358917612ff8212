/**
 * A finished message of the user's, made ready for the wire.
 * One rule: octet for octet as it was written, but for line ends, the Bcc fields, and what RFC 5322 requires and it lacks.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { type Address, AddressError, formatAddress, parseReversePath } from './address.ts'
import { parseAddressList } from './address-list.ts'
import { readMailboxes } from './compose-addresses.ts'
import { type ComposeOptions, formatDate, newMessageId } from './compose-identity.ts'
import { collectRecipients, type Envelope, type RecipientField } from './envelope.ts'
import type { Mail } from './mail.ts'
import { type Message, messageFromBytes } from './message.ts'
import { MessageError } from './message-error.ts'
import { type Field, fieldText, type Header, parseHeader } from './message-header.ts'
import { isWireForm, lineNumberAt, linesOf } from './message-lines.ts'
import { splitParts } from './message-parts.ts'
import { rewriteMessage } from './message-rewrite.ts'

/** RFC 5322 §3.6.3: the sender removes them, here for every recipient. */
const hiddenFields: ReadonlySet<string> = new Set(['bcc', 'resent-bcc'])

/** What would have to be written into a message that is finished. */
const excluded = [
  'replyTo',
  'subject',
  'text',
  'html',
  'attachments',
  'headers',
  'date',
  'messageId',
] as const

/** A message as it was given. */
export interface Original {
  readonly bytes: Uint8Array
  readonly header: Header
}

/**
 * The message in `mail.raw` and its envelope.
 * @throws {MessageError} naming the line where it is malformed, or cannot be sent and not re-encoded either
 * @throws {AddressError} for a malformed address in an option
 */
export function prepareRaw(mail: Mail, options: ComposeOptions): { message: Message; envelope: Envelope } {
  const surplus = excluded.find((option) => mail[option] !== undefined)
  if (surplus)
    throw new MessageError(`\`raw\` is a complete message: it cannot be combined with \`${surplus}\``)
  const bytes = toBytes(mail.raw)
  const original = { bytes, header: parseHeader(bytes, findStart(bytes)) }
  checkUtf8(original)
  const envelope = makeEnvelope(mail, original)
  const wire = toWire(original)
  const missing = missingFields(original.header.fields, envelope, options)
  const message = messageFromBytes(missing === '' ? wire : Buffer.concat([Buffer.from(missing), wire]))
  return { message, envelope }
}

function toBytes(raw: unknown): Uint8Array {
  if (typeof raw === 'string') return Buffer.from(raw)
  if (raw instanceof Uint8Array) return raw
  throw new TypeError('Expected `raw` to be a string or Uint8Array')
}

/** Behind a UTF-8 byte order mark, which editors add, and the `From ` line of an mbox, which sendmail skips too. */
export function findStart(bytes: Uint8Array): number {
  const afterMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const [line] = linesOf(bytes, afterMark).take(1)
  if (!line) return afterMark
  const text = Buffer.from(bytes.subarray(line.start, line.end)).toString('latin1')
  // `From : a@b` is the field, spelt the old way (RFC 5322 §4.5.2).
  return /^From [ \t]*[^ \t:]/.test(text) ? line.next : afterMark
}

function toWire({ bytes, header }: Original): Uint8Array {
  const isHiding = header.fields.some(({ name }) => hiddenFields.has(name))
  if (header.start === 0 && !isHiding && isWireForm(bytes)) return bytes
  return rewriteMessage(bytes, { from: header.start, dropFields: hiddenFields })
}

/** Other 8-bit octets in a header have no meaning and no extension to ask for (RFC 6532 §3.1). @throws {MessageError} */
export function checkUtf8({ bytes, header }: Original): void {
  if (isAscii(bytes)) return
  for (const segment of splitParts(bytes, header.start)) {
    if (segment.kind !== 'header' || segment.part.isNested) continue
    for (const { name, start, end } of segment.part.fields) {
      if (isUtf8(bytes.subarray(start, end))) continue
      const reason = `the ${name.slice(0, 40)} field holds octets that are neither ASCII nor UTF-8`
      throw new MessageError(reason, lineNumberAt(bytes, start))
    }
  }
}

function makeEnvelope(mail: Mail, original: Original): Envelope {
  const { to, cc, bcc } = mail
  const isGiven = to !== undefined || cc !== undefined || bcc !== undefined
  const named = (field: RecipientField) =>
    isGiven ? readMailboxes(field, mail[field]).map(({ address }) => address) : addressesOf(original, field)
  const recipients = collectRecipients({ to: named('to'), cc: named('cc'), bcc: named('bcc') })
  if (recipients.length > 0) return { reversePath: findReversePath(mail, original), recipients }
  throw new MessageError('the message has no recipient: none is given, and nobody is in To, Cc or Bcc')
}

function findReversePath(mail: Mail, original: Original): Address | null {
  if (mail.envelopeFrom !== undefined) return parseReversePath(mail.envelopeFrom ?? '<>')
  const [given] = [...readMailboxes('sender', mail.sender), ...readMailboxes('from', mail.from)]
  const address = given?.address ?? addressesOf(original, 'sender')[0] ?? addressesOf(original, 'from')[0]
  if (address) return address
  throw new MessageError('the message has no From field, and no author or reverse-path is given')
}

/** The addresses in all fields of that name. */
function addressesOf({ bytes, header }: Original, name: string): readonly Address[] {
  return header.fields
    .filter((field) => field.name === name)
    .flatMap((field) => {
      try {
        return parseAddressList(fieldText(bytes, field)).map(({ address }) => address)
      } catch (error) {
        if (!(error instanceof AddressError)) throw error
        throw new MessageError(`the ${name} field: ${error.message}`, lineNumberAt(bytes, field.start))
      }
    })
}

/**
 * Date and From must be there and a Message-ID should (RFC 5322 §3.6); receivers refuse mail without them, and RFC 6409
 * §8 has the submitting side add them. They go to the top, where nothing that was signed can contain them.
 */
export function missingFields(fields: readonly Field[], envelope: Envelope, options: ComposeOptions): string {
  const { hostname, now = Date.now } = options
  const isMissing = (name: string) => fields.every((field) => field.name !== name)
  const lines: string[] = []
  if (isMissing('date')) lines.push(`Date: ${formatDate(new Date(now()))}`)
  if (isMissing('message-id')) lines.push(`Message-ID: ${newMessageId(hostname)}`)
  if (isMissing('from')) lines.push(`From: <${formatAddress(authorOf(envelope))}>`)
  return lines.map((line) => `${line}\r\n`).join('')
}

function authorOf({ reversePath }: Envelope): Address {
  if (reversePath) return reversePath
  throw new MessageError('the message has no From field, and with the null reverse-path nobody to put there')
}
