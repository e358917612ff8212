/** All findings together. One rule: one problem outweighs any number of warnings, as one failure does in a delivery. */
import type { DesiredRecord } from './records.ts'
import type { CheckResult, CheckStatus } from './result.ts'
import type { OwnAddress, Sender } from './sender.ts'

/** How many results have which status. */
export type StatusCounts = Readonly<Record<CheckStatus, number>>

/** What came of an examination. */
export interface DoctorReport {
  readonly domain: string
  /** `null` when the system has no name that means anything. */
  readonly hostname: string | null
  readonly addresses: readonly OwnAddress[]
  /** ISO 8601. */
  readonly startedAt: string
  readonly durationMs: number
  /** `fit`: all is ok · `doubtful`: warnings, or checks that cannot tell · `unfit`: at least one problem. */
  readonly verdict: 'fit' | 'doubtful' | 'unfit'
  readonly counts: StatusCounts
  readonly results: readonly CheckResult[]
  /** All that the DNS should say, published or not. */
  readonly records: readonly DesiredRecord[]
}

interface Examined {
  readonly sender: Sender
  readonly addresses: readonly OwnAddress[]
  readonly results: readonly CheckResult[]
  readonly records: readonly DesiredRecord[]
  readonly startedAt: number
  readonly durationMs: number
}

/** Counts, and draws the line below. */
export function makeReport({
  sender,
  addresses,
  results,
  records,
  startedAt,
  durationMs,
}: Examined): DoctorReport {
  const counts = countStatuses(results)
  return {
    domain: sender.domain,
    hostname: sender.hostname,
    addresses,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: Math.round(durationMs),
    verdict: verdictOf(counts),
    counts,
    results,
    records,
  }
}

/** How many of which. */
export function countStatuses(results: readonly Pick<CheckResult, 'status'>[]): StatusCounts {
  const count = (wanted: CheckStatus) => results.filter(({ status }) => status === wanted).length
  return {
    ok: count('ok'),
    warning: count('warning'),
    problem: count('problem'),
    'cannot-tell': count('cannot-tell'),
  }
}

function verdictOf(counts: StatusCounts): DoctorReport['verdict'] {
  if (counts.problem > 0) return 'unfit'
  return counts.warning + counts['cannot-tell'] > 0 ? 'doubtful' : 'fit'
}
