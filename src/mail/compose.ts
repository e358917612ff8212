/**
 * From what users write to a message and its envelope, MIME by nodemailer's MailComposer.
 * One rule: everything is read and checked here, before anything is sent; no Bcc field is ever handed to the composer,
 * and neither files nor URLs are opened by it.
 */
import MailComposer from 'nodemailer/lib/mail-composer'
import { encodeWord } from 'nodemailer/lib/mime-funcs'
import { formatAddress, needsSmtpUtf8, parseReversePath } from './address.ts'
import type { Mailbox } from './address-list.ts'
import { readMailboxes } from './compose-addresses.ts'
import { readAttachments } from './compose-attachments.ts'
import { checkFieldText, checkKeys, checkString } from './compose-checks.ts'
import { writeFields } from './compose-fields.ts'
import { type ExtraField, spreadHeaders } from './compose-headers.ts'
import { type ComposeOptions, checkMessageId, formatDate, newMessageId } from './compose-identity.ts'
import { collectRecipients, type Envelope } from './envelope.ts'
import type { Mail } from './mail.ts'
import { type Message, messageFromBytes } from './message.ts'
import { MessageError } from './message-error.ts'
import { isWireForm } from './message-lines.ts'
import { rewriteMessage } from './message-rewrite.ts'
import { prepareRaw } from './raw.ts'

/** A message and where it goes. */
export interface ComposedMail {
  readonly message: Message
  readonly envelope: Envelope
}

/** The address fields, parsed. */
interface Correspondents {
  readonly from: readonly Mailbox[]
  readonly sender: readonly Mailbox[]
  readonly replyTo: readonly Mailbox[]
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly bcc: readonly Mailbox[]
}

/**
 * Composes a message, or prepares the one in `raw`. The result is 7-bit ASCII unless an address in From, Sender,
 * Reply-To, To or Cc has a local part that is not (then it requires SMTPUTF8), or `raw` is not.
 * @throws {MessageError} for what cannot be sent
 * @throws {AddressError} for a malformed address in an option
 * @throws {AttachmentError} for an attachment that cannot be read
 * @throws {TypeError} for an option of the wrong type, or an unknown one
 */
export async function composeMail(mail: Mail, options: ComposeOptions): Promise<ComposedMail> {
  checkKeys(mail)
  if (mail.raw !== undefined) return prepareRaw(mail, options)
  const { mail: checked, extra } = spreadHeaders(mail)
  const correspondents = readCorrespondents(checked)
  const envelope = makeEnvelope(checked, correspondents)
  const built = await build(checked, { ...correspondents, extra, ...options })
  const message = messageFromBytes(isWireForm(built) ? built : rewriteMessage(built))
  if (message.requires.size > 0 && !isUtf8Needed(correspondents)) {
    throw new MessageError('a header field holds non-ASCII characters where they cannot be encoded')
  }
  return { message, envelope }
}

function readCorrespondents(mail: Mail): Correspondents {
  const from = readMailboxes('from', mail.from)
  if (from.length === 0) throw new MessageError('the message has no author: nobody in From')
  const sender = readMailboxes('sender', mail.sender)
  if (sender.length > 1) throw new MessageError('expected one address in the Sender field, got several')
  return {
    from,
    // RFC 5322 §3.6.2: several authors need a Sender.
    sender: sender.length === 0 && from.length > 1 ? from.slice(0, 1) : sender,
    replyTo: readMailboxes('replyTo', mail.replyTo),
    to: readMailboxes('to', mail.to),
    cc: readMailboxes('cc', mail.cc),
    bcc: readMailboxes('bcc', mail.bcc),
  }
}

function makeEnvelope({ envelopeFrom }: Mail, { from, sender, to, cc, bcc }: Correspondents): Envelope {
  const addresses = (mailboxes: readonly Mailbox[]) => mailboxes.map(({ address }) => address)
  const recipients = collectRecipients({ to: addresses(to), cc: addresses(cc), bcc: addresses(bcc) })
  if (recipients.length === 0) throw new MessageError('the message has no recipient: nobody in To, Cc or Bcc')
  const author = sender[0] ?? from[0]
  const reversePath = envelopeFrom === undefined ? author?.address : parseReversePath(envelopeFrom ?? '<>')
  return { reversePath: reversePath ?? null, recipients }
}

type Ingredients = Correspondents & ComposeOptions & { readonly extra: readonly ExtraField[] }

async function build(mail: Mail, ingredients: Ingredients): Promise<Uint8Array> {
  const { from, sender, replyTo, to, cc, extra, hostname, now = Date.now } = ingredients
  const attachments = await readAttachments(mail.attachments ?? [])
  const composer = new MailComposer({
    from: forComposer(from),
    sender: forComposer(sender),
    replyTo: forComposer(replyTo),
    to: forComposer(to),
    cc: forComposer(cc),
    subject: makeSubject(mail.subject ?? ''),
    text: makeBody('text', mail.text),
    html: makeBody('html', mail.html),
    attachments: [...attachments],
    date: formatDate(mail.date ?? new Date(now())),
    messageId: mail.messageId === undefined ? newMessageId(hostname) : checkMessageId(mail.messageId),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return Buffer.concat([Buffer.from(writeFields(extra)), await composer.compile().build()])
}

function forComposer(mailboxes: readonly Mailbox[]): { name: string; address: string }[] | undefined {
  if (mailboxes.length === 0) return undefined
  return mailboxes.map(({ name, address }) => ({ name: name ?? '', address: formatAddress(address) }))
}

/** A word too long for any line is encoded, so that it can be folded (RFC 2047 §2). */
function makeSubject(subject: string): string {
  const text = checkFieldText('the subject', subject)
  return /^[\t -~]*[!-~]{500}/.test(text) ? encodeWord(text, 'Q', 52) : text
}

function makeBody(what: string, body: string | undefined): string | undefined {
  return body === undefined ? undefined : checkString(what, body).replace(/\r\n|\r|\n/g, '\r\n')
}

function isUtf8Needed({ from, sender, replyTo, to, cc }: Correspondents): boolean {
  return [from, sender, replyTo, to, cc].flat().some(({ address }) => needsSmtpUtf8(address))
}
