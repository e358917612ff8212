/**
 * Where the exchangers hand in what they accepted. One rule: a message is in its file, whole, before the client
 * hears 250, and the octets after the lines added in front are those that came over the wire.
 */
import { readFile } from 'node:fs/promises'
import { domainToASCII } from 'node:url'
import { keepMail } from './maildir.ts'

/** One message in one recipient's mailbox. */
export interface ReceivedMail {
  /** Forward-path as RCPT gave it, without its brackets. */
  readonly recipient: string
  /** Reverse-path as MAIL gave it, without its brackets; `''` is the null reverse-path. */
  readonly reversePath: string
  /** Host name of the exchanger that took it. */
  readonly exchanger: string
  /** Path of the file, in the mailbox's `new` folder. */
  readonly file: string
  /** The message as sent, dot-stuffing undone, without the lines that the file has before it. */
  readonly content: Uint8Array
  /** The session was encrypted when the message came. */
  readonly tls: boolean
  readonly receivedAt: Date
}

/** Which mail to give; no field gives all. */
export interface ReceivedFilter {
  readonly recipient?: string
  /** Domain of the recipient, in A-labels. */
  readonly domain?: string
  readonly exchanger?: string
}

/** An accepted transaction. */
export interface Transaction {
  readonly exchanger: string
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly tls: boolean
  readonly content: Uint8Array
}

interface Entry extends Omit<ReceivedMail, 'content'> {
  readonly domain: string
  readonly prefixOctets: number
}

/** RFC 5321 §4.1.1.3: `<Postmaster>` may stand without a domain; it is the exchanger's own then. */
const splitMailbox = (recipient: string, exchanger: string): { localPart: string; domain: string } => {
  const at = recipient.lastIndexOf('@')
  if (at < 0) return { localPart: recipient, domain: exchanger }
  const domain = recipient.slice(at + 1)
  // smtp-server shows U-labels; the folders and filters speak A-labels only.
  return { localPart: recipient.slice(0, at), domain: (domainToASCII(domain) || domain).toLowerCase() }
}

const matches = (entry: Entry, filter: ReceivedFilter): boolean =>
  (filter.recipient === undefined || entry.recipient === filter.recipient) &&
  (filter.domain === undefined || entry.domain === filter.domain.toLowerCase()) &&
  (filter.exchanger === undefined || entry.exchanger === filter.exchanger)

/** Keeps all received mail below one directory and remembers where. */
export class Mailroom {
  readonly #mailDir: string
  readonly #entries: Entry[] = []

  constructor(mailDir: string) {
    this.#mailDir = mailDir
  }

  /** Writes one file per recipient. */
  async take(transaction: Transaction): Promise<void> {
    const { exchanger, reversePath, tls, content } = transaction
    for (const recipient of transaction.recipients) {
      const mailbox = splitMailbox(recipient, exchanger)
      // What a final delivery adds: RFC 5321 §4.4 (Return-Path); Delivered-To as Postfix and qmail write it.
      const prefix = `Return-Path: <${reversePath}>\r\nDelivered-To: ${recipient}\r\n`
      const file = await keepMail(this.#mailDir, { ...mailbox, prefix, content })
      this.#entries.push({
        recipient,
        reversePath,
        exchanger,
        file,
        tls,
        receivedAt: new Date(),
        domain: mailbox.domain,
        prefixOctets: Buffer.byteLength(prefix),
      })
    }
  }

  /** Reads the matching messages back, in the order in which they came. */
  async received(filter: ReceivedFilter = {}): Promise<readonly ReceivedMail[]> {
    const mails: ReceivedMail[] = []
    for (const entry of this.#entries.filter((one) => matches(one, filter))) {
      const { domain: _domain, prefixOctets, ...mail } = entry
      mails.push({ ...mail, content: (await readFile(entry.file)).subarray(prefixOctets) })
    }
    return mails
  }
}
