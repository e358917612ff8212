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

/** Text that is not an address, or not a list of them. The message names the text and says what to do. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
  readonly code = 'ERR_ADDRESS'
  /** The offending text, safe to print: control characters escaped, shortened to 100 characters. */
  readonly text: string

  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`${text}: ${reason}`, options)
    this.text = text
  }
}

/** @throws {AddressError} */
export function parseAddress(text: string): Address {
  throw new AddressError(text, 'not written yet')
}

/** @throws {AddressError} */
export function parseReversePath(text: string): Address | null {
  return text === '' || text === '<>' ? null : parseAddress(text)
}

/** `local@domain`, for MAIL and RCPT (without brackets) and for display. */
export function formatAddress(address: Address): string {
  return `${address.localPart}@${address.domain}`
}

/** Two addresses name the same mailbox when their keys are equal; not for display. */
export function addressKey(address: Address): string {
  return formatAddress(address)
}

/** Whether the address can only be sent with SMTPUTF8 (RFC 6531 §3.2). */
export function needsSmtpUtf8(address: Address): boolean {
  return /[^\0-\x7f]/.test(address.localPart)
}
