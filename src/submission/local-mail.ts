/**
 * A message as a program of this host hands it to sendmail(8): octets, and a few words about whom it is from and for.
 * One rule: what programs leave out is filled in from this host and user; what they wrote is not judged here.
 */
import { encodeWords } from 'nodemailer/lib/mime-funcs'
import { type Address, formatAddress, parseReversePath } from '../mail/address.ts'
import { parseAddressList } from '../mail/address-list.ts'
import { formatDate } from '../mail/compose-identity.ts'
import type { EnvelopeDsn, RecipientDsn } from '../mail/dsn-parameters.ts'
import {
  type AddressesByField,
  collectRecipients,
  type Envelope,
  type RecipientField,
} from '../mail/envelope.ts'
import { MessageError } from '../mail/message-error.ts'
import { type Field, FieldCollector, fieldText } from '../mail/message-header.ts'
import { linesOf } from '../mail/message-lines.ts'
import { findStart } from '../mail/raw.ts'
import type { SubmittedMail } from './acceptance.ts'
import { prepareContent } from './content.ts'
import { qualifyAddress, qualifyHeader, qualifyList } from './qualify.ts'

const LF = 10
const CR = 13

/** What was said beside the message. */
export interface LocalMail {
  /** As it came; line ends of any kind, with or without a header. */
  readonly octets: Uint8Array
  /** Address lists; names without a domain are of this host. */
  readonly recipients: readonly string[]
  /** Also those that the header names (`-t`). */
  readonly hasHeaderRecipients: boolean
  /** The reverse-path; empty or `<>` is the null one. Default: the user at this host. */
  readonly reversePath?: string
  /** The user's name for people, in a From field that the message lacks. */
  readonly fullName?: string
  readonly dsn?: EnvelopeDsn
  readonly recipientDsn?: RecipientDsn
}

/** Where it is handed in. */
export interface LocalHost {
  readonly hostname: string
  /** The name of the user who hands it in. */
  readonly user: string
  readonly uid: number
  /** Our name for the transaction. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * The message with its trace field, and its envelope.
 * @throws {AddressError} an address of the envelope, or with `-t` of the header, is malformed
 * @throws {MessageError} nobody is to get it
 * @throws {Refusal} the content cannot be sent
 */
export function prepareLocal(mail: LocalMail, host: LocalHost): SubmittedMail {
  const { hostname } = host
  const octets = qualifyHeader(mail.octets, hostname)
  const fields = headerFields(octets)
  const reversePath = parseReversePath(qualifyAddress(mail.reversePath ?? host.user, hostname))
  const envelope = makeEnvelope(mail, {
    reversePath,
    recipients: recipientsOf(mail, octets, fields, hostname),
  })
  const received = receivedLocally(host)
  const message = prepareContent(withAuthor(octets, fields, { mail, reversePath }), {
    envelope,
    hostname,
    received,
    now: () => host.now,
  })
  return { message, envelope }
}

function headerFields(octets: Uint8Array): readonly Field[] {
  const collector = new FieldCollector(octets)
  for (const line of linesOf(octets, findStart(octets))) {
    if (line.start === line.end || !collector.take(line)) break
  }
  return collector.fields
}

function recipientsOf(
  mail: LocalMail,
  octets: Uint8Array,
  fields: readonly Field[],
  hostname: string,
): AddressesByField {
  const read = (list: string) => parseAddressList(qualifyList(list, hostname)).map(({ address }) => address)
  const named: Address[] = mail.recipients.flatMap(read)
  if (!mail.hasHeaderRecipients) return { to: named }
  // RFC 5322 §3.6.6: who resends a message names the recipients of that in fields of their own.
  const prefix = fields.some(({ name }) => name.startsWith('resent-')) ? 'resent-' : ''
  const inField = (field: RecipientField) =>
    fields.filter(({ name }) => name === prefix + field).flatMap((one) => read(fieldText(octets, one)))
  // Both, as Postfix does; sendmail would take those of the command line away, and few expect that.
  return { to: [...named, ...inField('to')], cc: inField('cc'), bcc: inField('bcc') }
}

function makeEnvelope(
  { dsn, recipientDsn }: LocalMail,
  given: { readonly reversePath: Address | null; readonly recipients: AddressesByField },
): Envelope {
  const collected = collectRecipients(given.recipients)
  if (collected.length === 0)
    throw new MessageError('nobody to send to: no recipient in the arguments or, with -t, in the header')
  const recipients =
    recipientDsn === undefined
      ? collected
      : collected.map((recipient) => ({ ...recipient, dsn: recipientDsn }))
  const envelope = { reversePath: given.reversePath, recipients }
  return dsn === undefined ? envelope : { ...envelope, dsn }
}

/** Puts `-F` to use where the message has no From. */
function withAuthor(
  octets: Uint8Array,
  fields: readonly Field[],
  { mail, reversePath }: { readonly mail: LocalMail; readonly reversePath: Address | null },
): Uint8Array {
  const isSaid = fields.some(({ name }) => name === 'from')
  if (isSaid || mail.fullName === undefined || reversePath === null) return octets
  const from = `From: ${displayName(mail.fullName)} <${formatAddress(reversePath)}>\r\n`
  const own = octets.subarray(findStart(octets))
  const isTextOnly = fields.length === 0 && own[0] !== CR && own[0] !== LF
  return Buffer.concat([Buffer.from(isTextOnly ? `${from}\r\n` : from), own])
}

/** An atom sequence, a quoted string or encoded words (RFC 5322 §3.2.5, RFC 2047 §5). */
function displayName(name: string): string {
  const text = name.replace(/\p{C}+/gu, ' ').trim()
  if (/^[\w !#$%&'*+/=?^`{|}~-]*$/.test(text)) return text
  return /^[ -~]*$/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : encodeWords(text, 'Q', 52, true)
}

/** As other programs of that name write it; there is no client to name. */
function receivedLocally({ hostname, uid, id, now }: LocalHost): string {
  return `Received: by ${hostname} (mxpress, from userid ${uid})\r\n\tid ${id}; ${formatDate(new Date(now))}\r\n`
}
