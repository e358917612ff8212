/** What people and programs write to have a message sent: names and values, not yet checked. */
import type { Address } from './address.ts'

/** One mailbox as an object; the name is plain text and is quoted or encoded as needed. */
export interface MailboxInput {
  /** Display name. Default: none. */
  readonly name?: string | null
  /** `jo@example.test`, international domains and local parts included. */
  readonly address: string | Address
}

/** Strings are RFC 5322 address lists: `'Jo <jo@example.test>, "Doe, J." <j@example.test>'`. */
export type AddressInput = string | MailboxInput | readonly (string | MailboxInput)[]

/** Further header fields, in order; a list may hold a name more than once. */
export type HeaderInput =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly (readonly [name: string, value: string])[]

/** A file of this host, or content at hand. */
export type Attachment = AttachmentOptions &
  ({ readonly path: string } | { readonly content: string | Uint8Array })

/** How an attachment is shown. */
export interface AttachmentOptions {
  /** Default: the last part of `path`. */
  readonly filename?: string
  /** Default: by the ending of the file name. */
  readonly contentType?: string
  /** Content-ID without brackets, for `<img src="cid:…">` in `html`. */
  readonly cid?: string
}

/** A message to compose, or a finished one in `raw`. */
export interface Mail {
  /** From field. Required, except with `raw`. Several authors need a `sender`; the first is taken otherwise. */
  readonly from?: AddressInput
  /** Sender field: who sent it where that is not the author (RFC 5322 §3.6.2). */
  readonly sender?: AddressInput
  /** To field, and recipients. */
  readonly to?: AddressInput
  /** Cc field, and recipients. */
  readonly cc?: AddressInput
  /** Recipients that no header field names. */
  readonly bcc?: AddressInput
  /** Reply-To field: where answers go. Default: to the author. */
  readonly replyTo?: AddressInput
  /** Subject field; any Unicode, no line ends. */
  readonly subject?: string
  /** With `html` too: multipart/alternative. */
  readonly text?: string
  /** HTML body. With `text` too: multipart/alternative. */
  readonly html?: string
  /** Held in memory. A `path` is read when the message is composed. */
  readonly attachments?: readonly Attachment[]
  /** A field that has an option of its own (`Reply-To`, `Bcc`, …) counts as that option. */
  readonly headers?: HeaderInput
  /** Default: now. */
  readonly date?: Date | string
  /** Default: a new one at `hostname`. */
  readonly messageId?: string
  /**
   * A complete RFC 5322 message instead of the fields above, sent octet for octet but for line ends, its Bcc fields,
   * and a Date, Message-ID or From that it lacks. `to`, `cc` and `bcc` are the recipients instead of those it names;
   * `sender` or `from` is the reverse-path instead of its Sender or From.
   */
  readonly raw?: string | Uint8Array
  /** Reverse-path; `null` or `'<>'` is the null reverse-path. Default: `sender`, else the first of `from`. */
  readonly envelopeFrom?: string | null
}
