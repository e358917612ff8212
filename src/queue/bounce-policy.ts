/**
 * Who is told what (RFC 3461 §5.2, §6):
 *
 *   NOTIFY                 failed   delayed   taken by a server without DSN
 *   not given              yes      yes       no
 *   NEVER                  no       no        no
 *   with FAILURE           yes
 *   with DELAY                      yes
 *   with SUCCESS                              yes
 *   null reverse-path      never anything (RFC 5321 §6.1: a report is never reported on)
 *
 * One rule: this table decides, and nothing else does. A server that offers DSN was told the wishes, and reports success
 * itself.
 */
import type { Address } from '../mail/address.ts'
import type { NotifyKeyword } from '../mail/dsn-parameters.ts'
import type { ReportKind } from './bouncer.ts'

/** What Postfix's `delay_warning_time` is set to where it is set, and what sendmail's default was: 4 h. */
export const defaultDelayWarningMs = 4 * 60 * 60 * 1000

/** Who is to be told, and what they asked for. */
export interface Wishes {
  readonly reversePath: Address | null
  /** `null`: NOTIFY was not given. */
  readonly notify: readonly NotifyKeyword[] | null
}

/** Whether the sender is told. */
export function isReportWanted(kind: ReportKind, { reversePath, notify }: Wishes): boolean {
  if (reversePath === null) return false
  switch (kind) {
    case 'failed':
      return notify === null || notify.includes('FAILURE')
    case 'delayed':
      // RFC 3461 §4.1: without NOTIFY we may.
      return notify === null || notify.includes('DELAY')
    case 'relayed':
      return notify?.includes('SUCCESS') ?? false
    default:
      return kind satisfies never
  }
}

/**
 * Whether a recipient that was just delivered is to be reported as `relayed` (RFC 3461 §5.2.2 b): the sender wants to hear
 * of success, and the server that took the message will not say it.
 */
export function isRelayReportWanted(
  wishes: Wishes,
  { isDsnPassedOn }: { readonly isDsnPassedOn: boolean },
): boolean {
  return !isDsnPassedOn && isReportWanted('relayed', wishes)
}

/** When a delay is to be reported, once; `null` when none of these wants to hear of it. */
export function delayWarningAt(
  submission: {
    readonly reversePath: Address | null
    readonly recipients: readonly { readonly notify: readonly NotifyKeyword[] | null }[]
    readonly createdAt: number
  },
  warnAfterMs: number = defaultDelayWarningMs,
): number | null {
  const { reversePath, recipients, createdAt } = submission
  const isWanted = recipients.some(({ notify }) => isReportWanted('delayed', { reversePath, notify }))
  return isWanted ? createdAt + warnAfterMs : null
}
