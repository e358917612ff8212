/**
 * Writes a delivery status notification: multipart/report (RFC 6522) of a text for people, a status for programs
 * (RFC 3464) and the reported message or its header, in the forms of RFC 6533 where UTF-8 demands them.
 *
 * One rule: whatever a peer said and whatever the message holds, a sound report comes out; what cannot be quoted is left
 * out and said to be.
 */
import MimeNode from 'nodemailer/lib/mime-node'
import { formatAddress, needsSmtpUtf8 } from '../mail/address.ts'
import { type ComposeOptions, checkMessageId, formatDate, newMessageId } from '../mail/compose-identity.ts'
import type { Envelope } from '../mail/envelope.ts'
import { type Message, messageFromBytes } from '../mail/message.ts'
import { toQuotedPrintable } from '../mail/message-encoding.ts'
import { isWireForm } from '../mail/message-lines.ts'
import { type Quotation, quoteOriginal } from './bounce-original.ts'
import { type Action, type DsnReport, gravestAction, namesUtf8 } from './bounce-report.ts'
import { composeStatus } from './bounce-status.ts'
import { composeText } from './bounce-text.ts'

/** Who writes, and how much of a message it returns. */
export interface DsnOptions extends ComposeOptions {
  /** A larger message is represented by its header. Octets; default 50,000, which is Postfix's `bounce_size_limit`. */
  readonly maxReturnedOctets?: number
}

/** A report, ready to be sent. */
export interface Dsn {
  readonly message: Message
  /** Null reverse-path (RFC 3464 §2: MUST), and NOTIFY=NEVER as RFC 3834 §3.3 recommends. */
  readonly envelope: Envelope
}

const defaultMaxReturnedOctets = 50_000

const subjects: Readonly<Record<Action, string>> = {
  failed: 'Undelivered mail returned to sender',
  delayed: 'Delayed mail (still being retried)',
  relayed: 'Mail handed to a server that sends no reports',
  delivered: 'Mail delivered',
}

/** Composes the report. @throws {TypeError} when it tells of no recipient */
export async function composeDsn(report: DsnReport, options: DsnOptions): Promise<Dsn> {
  if (report.recipients.length === 0) throw new TypeError('Expected a report on at least one recipient')
  const quotation = await quote(report, options)
  const built = await build(report, quotation, options)
  // A message that was changed on disk may no longer be in wire form; the report must be.
  const sound = quotation === null || isWireForm(built) ? built : await build(report, null, options)
  return {
    message: messageFromBytes(sound),
    envelope: {
      reversePath: null,
      recipients: [{ address: report.reversePath, field: 'to', dsn: { notify: ['NEVER'] } }],
    },
  }
}

async function quote(report: DsnReport, options: DsnOptions): Promise<Quotation | null> {
  const { message, ret, reversePath } = report
  const isSmall = message.size <= (options.maxReturnedOctets ?? defaultMaxReturnedOctets)
  // RFC 3461 §4.3: RET counts in reports of failure; in others the header is enough. RFC 6522 §3: unasked, all of it.
  const whole = isSmall && ret !== 'HDRS' && gravestAction(report) === 'failed'
  try {
    return await quoteOriginal(message, { whole, smtpUtf8: needsSmtpUtf8(reversePath) })
  } catch {
    // The sender is told all the same; the text says that the message could not be read.
    return null
  }
}

async function build(
  report: DsnReport,
  quotation: Quotation | null,
  options: DsnOptions,
): Promise<Uint8Array> {
  const status = statusPart(report, options)
  const root = new MimeNode('multipart/report; report-type=delivery-status', { textEncoding: 'Q' })
  for (const [key, value] of headerOf(report, options)) root.setHeader(key, value)
  // RFC 2045 §6.4: what holds eight bits says so.
  if (status.encoding === '8bit' || quotation?.encoding === '8bit') {
    root.setHeader('Content-Transfer-Encoding', '8bit')
  }
  root.createChild('text/plain').setContent(composeText(report, { hostname: options.hostname, quotation }))
  // Finished parts: the composer's own rules for folding and encoding are made for attachments, and change octets.
  root.createChild(status.contentType).setRaw(rawPart(status))
  if (quotation !== null) root.createChild(quotation.contentType).setRaw(rawPart(quotation))
  return root.build()
}

function headerOf(report: DsnReport, { hostname, now = Date.now }: DsnOptions): [string, string][] {
  const original = referenceTo(report.message)
  const referring = original === null ? [] : ['In-Reply-To', 'References']
  return [
    ['From', mailbox(`MAILER-DAEMON@${hostname}`, 'Mail Delivery System')],
    // RFC 3464 §2: the reverse-path, in the header too.
    ['To', mailbox(formatAddress(report.reversePath), '')],
    ['Subject', subjects[gravestAction(report)]],
    ['Date', formatDate(new Date(now()))],
    ['Message-ID', newMessageId(hostname)],
    // RFC 3834 §5.2: for a report never auto-generated.
    ['Auto-Submitted', 'auto-replied'],
    ...referring.map((name): [string, string] => [name, original ?? '']),
  ]
}

/** The composer takes mailboxes as objects, so that nobody has to parse them again; its types know strings only. */
function mailbox(address: string, name: string): string {
  return { name, address } as unknown as string
}

/** The Message-ID of the message; `null` where it has none that may be referred to. */
function referenceTo({ messageId }: Message): string | null {
  try {
    return checkMessageId(messageId)
  } catch {
    return null
  }
}

type Part = Pick<Quotation, 'contentType' | 'encoding' | 'body'>

function statusPart(report: DsnReport, { hostname }: DsnOptions): Part {
  const isGlobal = namesUtf8(report)
  const body = Buffer.from(composeStatus(report, { hostname, isGlobal }))
  if (!isGlobal) return { contentType: 'message/delivery-status', encoding: '7bit', body }
  const contentType = 'message/global-delivery-status'
  // RFC 6533 §4.5: UTF-8 goes unencoded only to where SMTPUTF8 leads.
  if (needsSmtpUtf8(report.reversePath)) return { contentType, encoding: '8bit', body }
  return { contentType, encoding: 'quoted-printable', body: toQuotedPrintable(body) }
}

function rawPart({ contentType, encoding, body }: Part): Buffer {
  // RFC 3464 §2.1: 7bit, which need not be said, MUST be used.
  const label = encoding === '7bit' ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`
  return Buffer.concat([Buffer.from(`Content-Type: ${contentType}\r\n${label}\r\n`), body])
}
