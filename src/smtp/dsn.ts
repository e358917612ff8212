/**
 * Parameters of the DSN extension (RFC 3461 §4) as they stand behind MAIL and RCPT. One rule: a value that a server could
 * read as another parameter or as another line is our defect and throws, as in command.ts.
 */
import { type EnvelopeDsn, formatEnvid, formatOrcpt, type RecipientDsn } from '../mail/dsn-parameters.ts'
import { LocalProtocolError } from './errors.ts'

/** RFC 3461 §4.2, the keyword included. */
const ORCPT_LIMIT = 500

/** RFC 5321 §4.1.2 `esmtp-value`. */
const VALUE = /^[!-<>-~]+$/
/** RFC 3461 §4.2; in UTF-8 as RFC 6533 §3 has it. */
const ORIGINAL = /^[\w.-]+;[!-<>-~]+$/
const UTF8_ORIGINAL = /^[\w.-]+;(?:[!-<>-~]|[^\0-\x9f])+$/u

/** ` RET=… ENVID=…`, each if it was asked for. @throws {LocalProtocolError} */
export function mailDsnParameters({ ret, envid }: EnvelopeDsn): string {
  const returned = ret === undefined ? '' : parameter('RET', ret, VALUE)
  return returned + (envid === undefined ? '' : parameter('ENVID', formatEnvid(envid), VALUE))
}

/** ` NOTIFY=… ORCPT=…`, each if it was asked for. @throws {LocalProtocolError} */
export function rcptDsnParameters({ notify, orcpt }: RecipientDsn, smtpUtf8: boolean): string {
  const conditions = notify === undefined ? '' : parameter('NOTIFY', notify.join(','), VALUE)
  if (orcpt === undefined) return conditions
  const original = parameter('ORCPT', formatOrcpt(orcpt, { smtpUtf8 }), smtpUtf8 ? UTF8_ORIGINAL : ORIGINAL)
  // An original recipient that grew by its escapes: left out, since a 501 would cost the recipient the message.
  return Buffer.byteLength(original) - 1 > ORCPT_LIMIT ? conditions : conditions + original
}

function parameter(keyword: string, value: string, form: RegExp): string {
  if (form.test(value)) return ` ${keyword}=${value}`
  throw new LocalProtocolError(`expected a well-formed ${keyword}, found ${JSON.stringify(value)}`)
}
