/**
 * Why a relay did not let us in, for whoever set it up. One rule: said once, however many recipients wait for it; they
 * are deferred, not failed, because nothing is wrong with them.
 */
import type { RecipientReport } from '../agent.ts'
import { escapeText } from '../log/escape.ts'

/** Our own verdicts at that stage that the next try will not change: nothing offered, no TLS, no password to be had. */
const OUR_STATUSES: ReadonlySet<string> = new Set(['4.7.4', '4.7.11', '4.3.5'])

/** The sentence, escaped; `null` where the login is not what was wrong, or may be right the next time. */
export function loginTroubleOf(recipient: RecipientReport): string | null {
  const { stage, reply, exchanger, port, diagnostic, via } = recipient
  const where = `${exchanger ?? 'the relay'}:${port ?? ''}`
  // RFC 4954 §6: to any command. At RCPT others may have been accepted.
  if (reply?.code === 530 && via !== undefined) {
    return escapeText(`the relay ${where} wants ${wantsOf(recipient)}`)
  }
  if (stage !== 'auth') return null
  const isLasting = reply === null ? OUR_STATUSES.has(recipient.status) : reply.code >= 500
  if (!isLasting) return null
  return escapeText(
    `cannot log in at the relay ${where}: ${diagnostic}; check its user and password, nothing more was tried`,
  )
}

/** RFC 4954 §6 and RFC 3207 §4 have one code for a login and for TLS. */
function wantsOf({ tls, stage, diagnostic }: RecipientReport): string {
  const isClear = tls === null
  const wanted = isClear ? 'TLS or a login' : 'a login'
  const keys = isClear ? 'tls, user and password' : 'user and password'
  const rest = stage === 'auth' ? ', nothing more was tried' : ''
  return `${wanted} first: ${diagnostic}; check its ${keys}${rest}`
}
