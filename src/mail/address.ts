/**
 * A mailbox address as the envelope carries it (RFC 5321 §4.1.2, RFC 6531 §3.3).
 * One rule: an `Address` that exists is printable; nothing that could break a command line gets into one.
 * address-local-part.ts and address-domain.ts judge the two halves, address-list.ts reads header fields.
 */
import { normaliseDomain } from './address-domain.ts'
import { AddressError } from './address-error.ts'
import { checkLocalPart, unquoteLocalPart } from './address-local-part.ts'

export { AddressError }

/** A mailbox: never empty, never with CR, LF, NUL or angle brackets outside quotes. */
export interface Address {
  /** As written, quotes kept; case is the receiving host's business (RFC 5321 §2.4). */
  readonly localPart: string
  /** Lower-case A-labels, or an address literal with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
  readonly domain: string
}

/** RFC 5321 §4.5.3.1.3, the angle brackets included. */
const pathLimitOctets = 256

/** Nothing longer is looked at: four paths' worth, so that a source route and U-labels still fit. */
const textLimitCharacters = 4 * pathLimitOctets

/**
 * Reads one address, with or without angle brackets and with blanks around it; no display name, no comment.
 * A source route (`<@relay.test:bob@example.test>`) is dropped (RFC 5321 §3.6.1).
 * @throws {AddressError} when it is none; domains are limited to 255 octets, the whole with brackets to 256.
 */
export function parseAddress(text: string): Address {
  if (text.length > textLimitCharacters) throw new AddressError(text, tooLong)
  const mailbox = withoutSourceRoute(withoutBrackets(text.replace(/^[ \t]+|[ \t]+$/g, '')))
  // The last one: a quoted local part may hold others, a domain holds none.
  const at = mailbox.lastIndexOf('@')
  if (at === -1) throw new AddressError(text, 'expected an address such as `bob@example.test`')
  const localPart = mailbox.slice(0, at)
  checkLocalPart(localPart, text)
  const domain = normaliseDomain(mailbox.slice(at + 1), text)
  const address = { localPart, domain }
  if (Buffer.byteLength(formatAddress(address)) + '<>'.length > pathLimitOctets) {
    throw new AddressError(text, tooLong)
  }
  return address
}

const tooLong = `longer than ${pathLimitOctets} octets, the angle brackets included`

/**
 * Reads a reverse-path: an address as `parseAddress` does, or `<>` or nothing for the null reverse-path (RFC 5321 §4.5.5).
 * @throws {AddressError}
 */
export function parseReversePath(text: string): Address | null {
  return text === '' || text === '<>' ? null : parseAddress(text)
}

function withoutBrackets(text: string): string {
  const [, inner] = /^<[ \t]*(.*?)[ \t]*>$/s.exec(text) ?? []
  return inner ?? text
}

/** RFC 5321 §4.1.2 `A-d-l ":"`, "MUST BE accepted, SHOULD NOT be generated, and SHOULD be ignored". */
function withoutSourceRoute(path: string): string {
  return path.replace(/^@(?:\[[^\]]*\]|[\w.-]+)(?:,@(?:\[[^\]]*\]|[\w.-]+))*:/, '')
}

/**
 * `local@domain`, for MAIL and RCPT (without brackets) and for display. The quotes stay as the author set them, although
 * RFC 5321 §4.1.2 would rather have the fewest possible: a host that tells the two forms apart gets the one it was named by.
 */
export function formatAddress(address: Address): string {
  return `${address.localPart}@${address.domain}`
}

/**
 * Two addresses name the same mailbox when their keys are equal: quoting and the Unicode normal form make no difference,
 * the case of the local part does (RFC 5321 §2.4). For comparing only: a key need not be an address.
 */
export function addressKey(address: Address): string {
  return `${unquoteLocalPart(address.localPart).normalize('NFC')}@${address.domain}`
}

/** Whether the address can only be sent with SMTPUTF8 (RFC 6531 §3.2); domains are A-labels and never ask for it. */
export function needsSmtpUtf8(address: Address): boolean {
  return /[^\0-\x7f]/.test(address.localPart)
}
