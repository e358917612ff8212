/** Verdicts recorded. One rule: the verdict and the reports about it are one transaction. */
import type { Settlement } from '../store.ts'
import { add, type PreparedSubmission } from './adding.ts'
import { recordAttempt } from './attempts.ts'
import { allowProbe } from './lanes.ts'
import { endLease, leasedBy } from './leasing.ts'
import { removeEntry } from './removing.ts'
import { STATES, toJson } from './rows.ts'
import { numberOf, type Row, type Sql } from './sql.ts'

/** A settlement whose reports have been read. */
export type PreparedSettlement = Settlement extends infer One
  ? One extends Settlement
    ? Omit<One, 'reports'> & { readonly reports: readonly PreparedSubmission[] }
    : never
  : never

/** What became of it. */
export interface Settled {
  readonly isSettled: boolean
  /** As `Addition`'s, of the reports: whether the runner has to hear of them. */
  readonly isSooner: boolean
  /** Files of contents that nobody needs any more, to be removed after the commit. */
  readonly unneededFiles: readonly string[]
}

export function settle(sql: Sql, settlement: PreparedSettlement): Settled {
  const row = leasedBy(sql, settlement.id, settlement.owner)
  if (row === null) return { isSettled: false, isSooner: false, unneededFiles: [] }
  const additions = settlement.reports.map((report) => add(sql, report))
  const unneededFiles = conclude(sql, row, settlement)
  // Whoever knows more of the site says so with `siteFailed` or `siteWorks`.
  allowProbe(sql, numberOf(row, 'lane'))
  return { isSettled: true, isSooner: additions.some(({ isSooner }) => isSooner), unneededFiles }
}

function conclude(sql: Sql, row: Row, settlement: PreparedSettlement): readonly string[] {
  const id = numberOf(row, 'id')
  if (settlement.kind === 'delivered' || (settlement.kind === 'failed' && !settlement.keep)) {
    return removeEntry(sql, { id, attempts: numberOf(row, 'attempts') })
  }
  const { attempt } = settlement
  if (attempt !== null) recordAttempt(sql, { id, attempts: numberOf(row, 'attempts'), attempt })
  if (settlement.kind === 'failed') {
    sql.run(
      `UPDATE entry SET state = ${STATES.dead}, last = ?, owner = NULL, lease_until = NULL WHERE id = ?`,
      toJson(settlement.last),
      id,
    )
    return []
  }
  sql.run(
    `UPDATE entry SET uncertain = uncertain | ?, last = ifnull(?, last), source_address = ifnull(?, source_address),
       warn_at = CASE WHEN ? THEN NULL ELSE warn_at END WHERE id = ?`,
    settlement.uncertain ? 1 : 0,
    toJson(settlement.last),
    settlement.sourceAddress,
    settlement.isDelayWarned ? 1 : 0,
    id,
  )
  endLease(sql, id, { domain: String(row.domain), dueAt: settlement.dueAt, hold: settlement.hold })
  return []
}
