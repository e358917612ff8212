/**
 * The Received field that every host adds which takes a message (RFC 5321 §4.4).
 * One rule: nothing of the client's goes into it that could break a field or claim to be ours.
 */
import { isIPv6 } from 'node:net'
import { isAddressLiteral } from '../config/host.ts'
import { formatDate } from '../mail/compose-identity.ts'

/** How the message came. */
export interface Origin {
  /** What the client called itself in HELO or EHLO. */
  readonly helo: string
  readonly ip: string
  readonly isExtended: boolean
  /** `null` in clear. */
  readonly tls: { readonly protocol: string; readonly cipher: string } | null
  readonly isAuthenticated: boolean
  /** The client said SMTPUTF8. */
  readonly isUtf8: boolean
}

/** Where it came to. */
export interface TraceOptions {
  readonly hostname: string
  /** Our name for the transaction; the log has it too. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The field with its line end. No recipient is named in it: the others must not learn of a Bcc (RFC 5321 §7.2). */
export function receivedField(origin: Origin, { hostname, id, now }: TraceOptions): string {
  const { tls } = origin
  const using = tls === null ? '' : `\r\n\t(using ${tls.protocol} with cipher ${tls.cipher})`
  const literal = addressLiteral(origin.ip)
  return (
    `Received: from ${clientName(origin.helo) ?? literal} (${literal})${using}\r\n` +
    `\tby ${hostname} with ${protocolOf(origin)} id ${id};\r\n` +
    `\t${formatDate(new Date(now))}\r\n`
  )
}

/** RFC 5321 §4.1.3. */
export function addressLiteral(ip: string): string {
  return isIPv6(ip) ? `[IPv6:${ip}]` : `[${ip}]`
}

/** A domain or an address literal as RFC 5321 §4.4 asks; `null` for what is neither. */
function clientName(helo: string): string | null {
  return isAddressLiteral(helo) || /^[a-z0-9_](?:[a-z0-9_.-]{0,253}[a-z0-9])?$/i.test(helo) ? helo : null
}

/** RFC 3848, and RFC 6531 §4.3 for UTF8SMTP. */
function protocolOf({ isExtended, tls, isAuthenticated, isUtf8 }: Origin): string {
  if (!isExtended) return 'SMTP'
  return `${isUtf8 ? 'UTF8SMTP' : 'ESMTP'}${tls === null ? '' : 'S'}${isAuthenticated ? 'A' : ''}`
}
