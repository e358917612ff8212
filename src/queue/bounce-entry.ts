/**
 * The bouncer of the queue: from an entry that is to be reported to the submission of the report, or to the word that
 * nobody is told. One rule: it composes and decides, and touches neither store nor network.
 */
import type { Signer } from '../mail/signer.ts'
import { composeDsn, type DsnOptions } from './bounce.ts'
import { isReportWanted } from './bounce-policy.ts'
import type { DsnReport } from './bounce-report.ts'
import type { Bouncer, Reportable, ReportDecision } from './bouncer.ts'
import type { Submission } from './store.ts'

/** How reports are written and sent. */
export interface BouncerOptions extends Pick<DsnOptions, 'hostname' | 'maxReturnedOctets'> {
  /** How long a report itself is tried, in milliseconds. Default: 5 days, as `queue.expire`. */
  readonly expireMs?: number
  /** Signs the reports. Default: nobody does. */
  readonly signer?: Signer | null
}

const defaultExpireMs = 5 * 24 * 60 * 60 * 1000

/** A bouncer for the runner. */
export function createBouncer(options: BouncerOptions): Bouncer {
  return { bounce: (reportable) => bounce(reportable, options) }
}

async function bounce(reportable: Reportable, options: BouncerOptions): Promise<ReportDecision> {
  const { kind, entry, now } = reportable
  const { reversePath, recipient } = entry
  if (reversePath === null) return { kind: kind === 'failed' ? 'undeliverable' : 'unwanted' }
  if (!isReportWanted(kind, { reversePath, notify: recipient.notify })) return { kind: 'unwanted' }
  const { hostname, maxReturnedOctets, expireMs = defaultExpireMs, signer = null } = options
  const { message } = await composeDsn(reportOn(reportable, reversePath), {
    hostname,
    now: () => now,
    ...(maxReturnedOctets === undefined ? {} : { maxReturnedOctets }),
  })
  const report: Submission = {
    message: signer === null ? message : await signer.sign(message),
    reversePath: null,
    // RFC 3834 §3.3; and for the queue the same: no report on a report.
    recipients: [{ address: reversePath, field: 'to', notify: ['NEVER'], orcpt: null }],
    createdAt: now,
    expiresAt: now + expireMs,
    warnAt: null,
  }
  return { kind: 'send', report }
}

function reportOn(
  { kind, entry, last, uncertain, message }: Reportable,
  reversePath: DsnReport['reversePath'],
): DsnReport {
  const { recipient, ret, envid, createdAt, expiresAt } = entry
  return {
    message,
    reversePath,
    ret,
    envid,
    arrivedAt: createdAt,
    recipients: [
      {
        address: recipient.address,
        orcpt: recipient.orcpt,
        action: kind,
        last,
        retryUntil: kind === 'delayed' ? expiresAt : null,
        uncertain,
      },
    ],
  }
}
