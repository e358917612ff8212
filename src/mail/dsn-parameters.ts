/**
 * What a sender asks of delivery status notifications: RET and ENVID of MAIL, NOTIFY and ORCPT of RCPT (RFC 3461 §4).
 * One rule: ENVID and ORCPT are kept in the form in which they came, because a relay passes them on letter for letter
 * (RFC 3461 §5.2.1); what they stand for is asked for when a report is written.
 */
import { printable } from './address-error.ts'
import { decodeUnitext, encodeUnitext } from './unitext.ts'
import { decodeXtext } from './xtext.ts'

/** When to report: `NEVER` stands alone (RFC 3461 §4.1). */
export type NotifyCondition = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY'

/** How much of the message to return with a report of failure (RFC 3461 §4.3). */
export type ReturnedPart = 'FULL' | 'HDRS'

/** The wishes for a whole transaction. */
export interface EnvelopeDsn {
  /** Default: up to the reporting host. */
  readonly ret?: ReturnedPart
  /** The envelope identifier as xtext, at most 100 characters (RFC 3461 §4.4). */
  readonly envid?: string
}

/** The wishes for one recipient. */
export interface RecipientDsn {
  /** Never empty. Default: failures and delays (RFC 3461 §4.1). */
  readonly notify?: readonly NotifyCondition[]
  /** `type;xtext`, the recipient as the sender named it, at most 500 characters (RFC 3461 §4.2). */
  readonly orcpt?: string
}

/** An original recipient, decoded. */
export interface OriginalRecipient {
  /** `rfc822`, or `utf-8` (RFC 6533 §3), or another registered type; as it came. */
  readonly type: string
  readonly address: string
}

/** A parameter that is not well-formed; a server answers it with 501 (RFC 3461 §5.1). */
export class DsnParameterError extends Error {
  override readonly name = 'DsnParameterError'
  readonly code = 'ERR_DSN_PARAMETER'
}

/** RFC 3461 §4.4. */
const envidLimit = 100
/** RFC 3461 §4.2. */
const orcptLimit = 500
/** RFC 3461 §4.2, §4.4: graphic characters and white space of US-ASCII. A CR or LF would end a field of a report. */
const presentable = /^[\t -~]+$/

/** Reads the value of NOTIFY, in any case. @throws {DsnParameterError} */
export function parseNotify(value: string): readonly NotifyCondition[] {
  const conditions = value.toUpperCase().split(',')
  const isKnown = conditions.every(isCondition)
  if (!isKnown || (conditions.includes('NEVER') && conditions.length > 1)) {
    throw malformed('NOTIFY', 'NEVER, or SUCCESS, FAILURE and DELAY with commas between them', value)
  }
  return [...new Set(conditions)]
}

function isCondition(word: string): word is NotifyCondition {
  return word === 'NEVER' || word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY'
}

/** Reads the value of RET, in any case. @throws {DsnParameterError} */
export function parseRet(value: string): ReturnedPart {
  const part = value.toUpperCase()
  if (part === 'FULL' || part === 'HDRS') return part
  throw malformed('RET', 'FULL or HDRS', value)
}

/** Checks the value of ENVID and returns it unchanged. @throws {DsnParameterError} */
export function parseEnvid(value: string): string {
  const text = value.length > envidLimit ? null : decodeXtext(value)
  if (text !== null && presentable.test(text)) return value
  throw malformed('ENVID', `xtext of printable ASCII, at most ${envidLimit} characters`, value)
}

/**
 * Checks the value of ORCPT and returns it unchanged.
 * @param options `smtpUtf8`: SMTPUTF8 was said with MAIL, so UTF-8 may stand in the type `utf-8` (RFC 6533 §3)
 * @throws {DsnParameterError}
 */
export function parseOrcpt(value: string, options: { readonly smtpUtf8?: boolean } = {}): string {
  const isAscii = /^[!-~]*$/.test(value)
  const original =
    value.length > orcptLimit || !(isAscii || options.smtpUtf8) ? null : readOriginalRecipient(value)
  if (original !== null) return value
  throw malformed('ORCPT', `a type, a semicolon and xtext, at most ${orcptLimit} characters`, value)
}

/** What an ORCPT stands for. @throws {DsnParameterError} */
export function decodeOrcpt(orcpt: string): OriginalRecipient {
  const original = readOriginalRecipient(orcpt)
  if (original !== null) return original
  throw malformed('ORCPT', 'a type, a semicolon and xtext', orcpt)
}

function readOriginalRecipient(orcpt: string): OriginalRecipient | null {
  const [, type, encoded] = /^([a-z0-9._-]+);(.+)$/is.exec(orcpt) ?? []
  if (type === undefined || encoded === undefined) return null
  if (type.toLowerCase() === 'utf-8') {
    const address = decodeUnitext(encoded)
    return address === null ? null : { type, address }
  }
  const address = decodeXtext(encoded)
  return address !== null && presentable.test(address) ? { type, address } : null
}

/** What an ENVID stands for. @throws {DsnParameterError} */
export function decodeEnvid(envid: string): string {
  return decodeXtext(parseEnvid(envid)) ?? ''
}

/** The ORCPT for a transaction without SMTPUTF8: the same, in ASCII (RFC 6533 §3). */
export function asciiOrcpt(orcpt: string): string {
  return encodeUnitext(orcpt)
}

function malformed(keyword: string, expected: string, value: string): DsnParameterError {
  return new DsnParameterError(`Expected ${keyword} to be ${expected}, got \`${printable(value)}\``)
}
