/**
 * A mailbox address as the envelope carries it (RFC 5321 §4.1.2, RFC 6531 §3.3).
 * One rule: an `Address` that exists is printable; nothing that could break a command line gets into one.
 */

/** A mailbox: never empty, never with CR, LF, NUL or angle brackets outside quotes. */
export interface Address {
  /** As written, quotes kept; case is the receiving host's business (RFC 5321 §2.4). */
  readonly localPart: string
  /** Lower-case A-labels, or an address literal with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
  readonly domain: string
}
