/**
 * What a sender asks of delivery status notifications: RET and ENVID of MAIL, NOTIFY and ORCPT of RCPT (RFC 3461 §4).
 * One rule: ENVID and ORCPT are kept as what they stand for, and what stands there can be shown in a report. Passed on
 * they are encoded anew: the same value, if not the same letters where a sender escaped what needs no escape. RFC 3461
 * §5.2.1 asks for the letters too; Postfix does as we do, and the reader of a report sees no difference.
 */
import { printable } from './address-error.ts'
import { decodeUnitext, embedSpecials, encodeUnitext } from './unitext.ts'
import { decodeXtext, encodeXtext } from './xtext.ts'

/** When to report: `NEVER` stands alone (RFC 3461 §4.1). */
export type NotifyKeyword = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY'

/** How much of the message to return with a report of failure (RFC 3461 §4.3). */
export type ReturnedPart = 'FULL' | 'HDRS'

/** The wishes for a whole transaction. */
export interface EnvelopeDsn {
  /** Default: up to the reporting host. */
  readonly ret?: ReturnedPart
  /** The envelope identifier, decoded: printable ASCII (RFC 3461 §4.4). */
  readonly envid?: string
}

/** The wishes for one recipient. */
export interface RecipientDsn {
  /** Never empty. Default: failures and delays (RFC 3461 §4.1). */
  readonly notify?: readonly NotifyKeyword[]
  /** `type;address`, decoded: the recipient as the sender named it (RFC 3461 §4.2, RFC 6533 §3). */
  readonly orcpt?: string
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
export function parseNotify(value: string): readonly NotifyKeyword[] {
  const keywords = value.toUpperCase().split(',')
  const isKnown = keywords.every(isKeyword)
  if (!isKnown || (keywords.includes('NEVER') && keywords.length > 1)) {
    throw malformed('NOTIFY', 'NEVER, or SUCCESS, FAILURE and DELAY with commas between them', value)
  }
  return [...new Set(keywords)]
}

function isKeyword(word: string): word is NotifyKeyword {
  return word === 'NEVER' || word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY'
}

/** Reads the value of RET, in any case. @throws {DsnParameterError} */
export function parseRet(value: string): ReturnedPart {
  const part = value.toUpperCase()
  if (part === 'FULL' || part === 'HDRS') return part
  throw malformed('RET', 'FULL or HDRS', value)
}

/** What the value of ENVID stands for. @throws {DsnParameterError} */
export function parseEnvid(value: string): string {
  const text = value.length > envidLimit ? null : decodeXtext(value)
  if (text !== null && presentable.test(text)) return text
  throw malformed('ENVID', `xtext of printable ASCII, at most ${envidLimit} characters`, value)
}

/** The value of ENVID that stands for the text. */
export function formatEnvid(envid: string): string {
  return encodeXtext(envid)
}

/**
 * What the value of ORCPT stands for: `type;address`.
 * @param options `smtpUtf8`: SMTPUTF8 was said with MAIL, so UTF-8 may stand in the type `utf-8` (RFC 6533 §3)
 * @throws {DsnParameterError}
 */
export function parseOrcpt(value: string, options: { readonly smtpUtf8?: boolean } = {}): string {
  const [, type, encoded] = /^([a-z0-9._-]+);(.+)$/is.exec(value) ?? []
  const isShort =
    Buffer.byteLength(value) <= orcptLimit && (options.smtpUtf8 === true || /^[!-~]*$/.test(value))
  const address = type === undefined || encoded === undefined || !isShort ? null : decode(type, encoded)
  if (address !== null) return `${type};${address}`
  throw malformed('ORCPT', `a type, a semicolon and xtext, at most ${orcptLimit} octets`, value)
}

function decode(type: string, encoded: string): string | null {
  if (isUtf8Type(type)) return decodeUnitext(encoded)
  const address = decodeXtext(encoded)
  return address !== null && presentable.test(address) ? address : null
}

/**
 * The value of ORCPT that stands for `type;address`.
 * @param options `smtpUtf8`: SMTPUTF8 is said with MAIL; else the value is ASCII (RFC 6533 §3)
 */
export function formatOrcpt(orcpt: string, options: { readonly smtpUtf8: boolean }): string {
  const { type, address } = splitOrcpt(orcpt)
  if (!isUtf8Type(type)) return `${type};${encodeXtext(address)}`
  const embedded = embedSpecials(address)
  return `${type};${options.smtpUtf8 ? embedded : encodeUnitext(embedded)}`
}

/** The two halves of `type;address`. */
export function splitOrcpt(orcpt: string): { readonly type: string; readonly address: string } {
  const at = orcpt.indexOf(';')
  return { type: orcpt.slice(0, at), address: orcpt.slice(at + 1) }
}

/** Whether addresses of the type are written as RFC 6533 §3 has it. */
export function isUtf8Type(type: string): boolean {
  return type.toLowerCase() === 'utf-8'
}

function malformed(keyword: string, expected: string, value: string): DsnParameterError {
  return new DsnParameterError(`Expected ${keyword} to be ${expected}, got \`${printable(value)}\``)
}
