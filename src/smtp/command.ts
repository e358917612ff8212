/**
 * Command lines (RFC 5321 §4.1.1). One rule: no line leaves this file that a server could read as two, or as another
 * one; a value that would make it so is our defect and throws.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import type { EnvelopeDsn, RecipientDsn } from '../mail/dsn-parameters.ts'
import { mailDsnParameters, rcptDsnParameters } from './dsn.ts'
import { LocalProtocolError } from './errors.ts'

/** Verb and path of a command with its CRLF, before extension parameters (RFC 5321 §4.5.3.1.4). */
const MAX_COMMAND_OCTETS = 512

const CONTROL = /[\0-\x1f\x7f]/
const NON_ASCII = /[^\0-\x7f]/
/** A mailbox that cannot end the path early: blanks and angle brackets stand in quotes only (RFC 5321 §4.1.2). */
const MAILBOX = /^(?:[^ <>"]+|"(?:[^"\\]|\\.)*")@[^ <>"]+$/

/** What MAIL needs to say beside the reverse-path; only what the peer offers may be set. */
export interface MailParameters {
  /** Octets of the content (RFC 1870 §6). */
  readonly size?: number
  /** BODY=8BITMIME (RFC 6152 §3). */
  readonly eightBit?: boolean
  /** SMTPUTF8 (RFC 6531 §3.4); without it a non-ASCII path is refused here. */
  readonly smtpUtf8?: boolean
  /** RET and ENVID (RFC 3461 §4.3, §4.4). */
  readonly dsn?: EnvelopeDsn | undefined
}

/** What RCPT needs to say beside the forward-path; only what the peer offers may be set. */
export interface RcptParameters {
  /** SMTPUTF8 was said with MAIL; without it a non-ASCII path is refused here. */
  readonly smtpUtf8?: boolean
  /** NOTIFY and ORCPT (RFC 3461 §4.1, §4.2). */
  readonly dsn?: RecipientDsn | undefined
}

/** `MAIL FROM:<…>` with its CRLF. @throws {LocalProtocolError} */
export function mailCommand(reversePath: Address | null, parameters: MailParameters = {}): string {
  const path = reversePath === null ? '' : mailbox(reversePath)
  const size = parameters.size === undefined ? '' : ` SIZE=${parameters.size}`
  const body = parameters.eightBit ? ' BODY=8BITMIME' : ''
  const utf8 = parameters.smtpUtf8 ? ' SMTPUTF8' : ''
  const dsn = parameters.dsn === undefined ? '' : mailDsnParameters(parameters.dsn)
  return `${checked(`MAIL FROM:<${path}>`, parameters.smtpUtf8 === true)}${size}${body}${utf8}${dsn}\r\n`
}

/** `RCPT TO:<…>` with its CRLF. @throws {LocalProtocolError} */
export function rcptCommand(forwardPath: Address, parameters: RcptParameters = {}): string {
  const smtpUtf8 = parameters.smtpUtf8 === true
  const dsn = parameters.dsn === undefined ? '' : rcptDsnParameters(parameters.dsn, smtpUtf8)
  return `${checked(`RCPT TO:<${mailbox(forwardPath)}>`, smtpUtf8)}${dsn}\r\n`
}

/** `EHLO name`, or `HELO name` for a server that does not know EHLO (RFC 5321 §3.2). @throws {LocalProtocolError} */
export function helloCommand(verb: 'EHLO' | 'HELO', hostname: string): string {
  return `${checked(`${verb} ${hostname}`, false)}\r\n`
}

/** `BDAT n` with its CRLF; the octets follow at once (RFC 3030 §2). */
export function bdatCommand(octets: number, options: { readonly last: boolean }): string {
  return options.last ? `BDAT ${octets} LAST\r\n` : `BDAT ${octets}\r\n`
}

/** `VRFY local@domain` with its CRLF (RFC 5321 §3.5.1: a mailbox, without brackets). @throws {LocalProtocolError} */
export function vrfyCommand(address: Address, parameters: { readonly smtpUtf8?: boolean } = {}): string {
  const smtpUtf8 = parameters.smtpUtf8 === true
  // RFC 6531 §3.7.4.2: VRFY declares it with a parameter of its own.
  return `${checked(`VRFY ${mailbox(address)}`, smtpUtf8)}${smtpUtf8 ? ' SMTPUTF8' : ''}\r\n`
}

function mailbox(address: Address): string {
  const text = formatAddress(address)
  if (!MAILBOX.test(text)) {
    throw new LocalProtocolError(`expected a mailbox (RFC 5321 §4.1.2), found ${JSON.stringify(text)}`)
  }
  return text
}

function checked(line: string, allowUtf8: boolean): string {
  if (CONTROL.test(line)) {
    throw new LocalProtocolError(
      `expected a command without control characters, found ${JSON.stringify(line)}`,
    )
  }
  if (!allowUtf8 && NON_ASCII.test(line)) {
    throw new LocalProtocolError(`expected an ASCII command (RFC 5321 §2.4), found ${JSON.stringify(line)}`)
  }
  // In UTF-8 a character has up to four octets; the exact length matters only for lines near the limit.
  if (line.length * 4 > MAX_COMMAND_OCTETS && Buffer.byteLength(line) > MAX_COMMAND_OCTETS - 2) {
    throw new LocalProtocolError(
      `expected a command of at most ${MAX_COMMAND_OCTETS} octets, found ${Buffer.byteLength(line) + 2}`,
    )
  }
  return line
}
