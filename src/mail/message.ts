/**
 * A message as it goes over the wire: CRLF line ends, no line over 998 octets, no NUL, no Bcc field.
 * It can be opened again for every attempt and is never copied per recipient.
 */

/** An SMTP extension without which the message cannot be sent as it is. */
export type Requirement = '8BITMIME' | 'SMTPUTF8'

/** A finished message: immutable, in wire form except for dot-stuffing. */
export interface Message {
  /** The Message-ID field's value with its angle brackets. */
  readonly messageId: string
  /** Octets `open()` yields, line ends counted as CRLF: what SIZE= announces (RFC 1870 §5). */
  readonly size: number
  readonly requires: ReadonlySet<Requirement>
  /** The whole content, where it is held in memory; lets a small message leave in one write. */
  readonly content?: Uint8Array
  /** The content from its first octet; may be called any number of times, also at once. */
  open(): AsyncIterable<Uint8Array>
}
