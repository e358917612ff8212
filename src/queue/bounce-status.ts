/**
 * The part of a report that programs read: message/delivery-status (RFC 3464 §2) or, where an address is UTF-8,
 * message/global-delivery-status (RFC 6533 §4.1). One rule: a field that is not known is left out, never guessed.
 */
import { formatAddress } from '../mail/address.ts'
import { formatDate } from '../mail/compose-identity.ts'
import { formatOrcpt, isUtf8Type, splitOrcpt } from '../mail/dsn-parameters.ts'
import { type DsnReport, type ReportedRecipient, statusOf } from './bounce-report.ts'
import { asciiLine, foldField, printableLine } from './bounce-words.ts'

/** Who reports, and in which form. */
export interface StatusOptions {
  readonly hostname: string
  /** RFC 6533: UTF-8 may stand in it. */
  readonly isGlobal: boolean
}

/** The body of the part, CRLF at every line's end. */
export function composeStatus(report: DsnReport, options: StatusOptions): string {
  return [perMessage(report, options), ...report.recipients.map((one) => perRecipient(one, options))].join(
    '\r\n',
  )
}

/** RFC 3464 §2.2. */
function perMessage({ envid, arrivedAt }: DsnReport, { hostname }: StatusOptions): string {
  return fields([
    // RFC 3464 §2.2.1: letter for letter, and only if the sender gave one.
    envid === null ? null : `Original-Envelope-Id: ${envid}\r\n`,
    `Reporting-MTA: dns; ${hostname}\r\n`,
    `Arrival-Date: ${dateOf(arrivedAt)}\r\n`,
  ])
}

/** RFC 3464 §2.3, in the order of its grammar. */
function perRecipient(one: ReportedRecipient, options: StatusOptions): string {
  const { last, action } = one
  const words = options.isGlobal ? printableLine : asciiLine
  return fields([
    one.orcpt === null ? null : `Original-Recipient: ${originalRecipient(one.orcpt, options)}\r\n`,
    `Final-Recipient: ${finalRecipient(one)}\r\n`,
    `Action: ${action}\r\n`,
    `Status: ${statusOf(one)}\r\n`,
    // RFC 3464 §2.3.6: with a Remote-MTA the diagnostic is that host's, without it is ours.
    last.isReply && last.exchanger !== null ? `Remote-MTA: dns; ${asciiLine(last.exchanger)}\r\n` : null,
    foldField('Diagnostic-Code', `${last.isReply ? 'smtp' : 'x-mxpress'}; ${words(last.diagnostic)}`),
    `Last-Attempt-Date: ${dateOf(last.at)}\r\n`,
    // RFC 3464 §2.3.9: never in another report than one of a delay.
    action === 'delayed' && one.retryUntil !== null
      ? `Will-Retry-Until: ${dateOf(one.retryUntil)}\r\n`
      : null,
    // RFC 3464 §2.4: a field of our own begins with `X-` and our name.
    one.uncertain ? 'X-Mxpress-Uncertain: yes (a connection was lost after the final dot)\r\n' : null,
  ])
}

function fields(list: readonly (string | null)[]): string {
  return list.filter((field) => field !== null).join('')
}

/** The address as RCPT carried it; the type says whether it is UTF-8 (RFC 6533 §3). */
function finalRecipient({ address }: ReportedRecipient): string {
  const text = formatAddress(address)
  return `${/[^\0-\x7f]/.test(text) ? 'utf-8' : 'rfc822'}; ${text}`
}

function originalRecipient(orcpt: string, { isGlobal }: StatusOptions): string {
  // RFC 6533 §3: in seven bits the type utf-8 keeps its escapes.
  const { type, address } = splitOrcpt(
    isUtf8Type(splitOrcpt(orcpt).type) && !isGlobal ? formatOrcpt(orcpt, { smtpUtf8: false }) : orcpt,
  )
  return `${type}; ${address}`
}

function dateOf(epochMs: number): string {
  return formatDate(new Date(epochMs))
}
