/**
 * What became of the recipients, for people. One rule: one line per recipient that begins with its outcome, so that
 * `grep ^failed` finds them; text of the network is escaped.
 */
import type { RecipientReport, SendReport } from '../agent.ts'
import { escapeText } from '../log/escape.ts'
import type { Paint, Style } from './terminal.ts'

/** The colour of each outcome. */
export const outcomeStyles = {
  delivered: 'green',
  deferred: 'yellow',
  failed: 'red',
} as const satisfies Record<RecipientReport['outcome'], Style>

/** What people call a relay by its place in the options. */
export const roadNames = { relay: 'relay', fallbackRelay: 'fallback relay' } as const

const LONGEST_OUTCOME = 'delivered'.length

/** `delivered bob@example.test (to) mx1.example.test [192.0.2.7]:25 TLSv1.3 verified 0.31 s: 250 2.0.0 Ok`. */
export function recipientLine(recipient: RecipientReport, paint: Paint): string {
  const outcome = paint(outcomeStyles[recipient.outcome], recipient.outcome.padEnd(LONGEST_OUTCOME))
  const where = [targetText(recipient), tlsText(recipient), seconds(recipient.durationMs)]
  const doubt = recipient.uncertain ? ' (uncertain: the message may have arrived)' : ''
  const why = escapeText(reasonOf(recipient))
  return `${outcome} ${escapeText(recipient.address)} (${recipient.field}) ${where.filter(Boolean).join(' ')}: ${why}${doubt}`
}

/** The last line: how many of which, and the Message-ID to look for elsewhere. */
export function summaryLine(report: SendReport, paint: Paint): string {
  const counts = (['delivered', 'deferred', 'failed'] as const).map((outcome) => {
    const text = `${report.counts[outcome]} ${outcome}`
    return report.counts[outcome] > 0 ? paint(outcomeStyles[outcome], text) : text
  })
  return `${counts.join(', ')} in ${seconds(report.durationMs)}, Message-ID ${escapeText(report.messageId)}`
}

/** `mx1.example.test [192.0.2.7]:25`, or nothing when no exchanger was reached for. */
export function targetText({ exchanger, ip, port, via }: RecipientReport): string {
  if (exchanger === null) return ''
  const road = via === undefined ? '' : ` (${roadNames[via]})`
  return ip === null ? escapeText(exchanger) : `${escapeText(exchanger)} [${ip}]:${port}${road}`
}

/** `TLSv1.3 verified`, `TLSv1.3 unverified`, or `in clear` for a session without TLS. */
export function tlsText({ tls, ip }: RecipientReport): string {
  if (tls !== null) return `${tls.protocol} ${tls.verified ? 'verified' : 'unverified'}`
  return ip === null ? '' : 'in clear'
}

/** `0.31 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

// Our own words carry no code; the status says what they amount to.
function reasonOf({ diagnostic, status, stage, reply }: RecipientReport): string {
  return reply === null ? `${status} at ${stage}: ${diagnostic}` : diagnostic
}
