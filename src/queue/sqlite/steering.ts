/** What operators do to entries, a page at a time so that a million of them do not keep everybody else waiting. */
import { entryIdOf } from './ids.ts'
import { endLease } from './leasing.ts'
import { removeEntry } from './removing.ts'
import { STATES } from './rows.ts'
import { type PageRequest, selectIds } from './selecting.ts'
import { numberOf, type Row, type Sql } from './sql.ts'

/** An expired entry that is retried lives this much longer, so that the one try asked for is not given up at once. */
const RETRIED_LIFE_MS = 3_600_000

/** One page of a command. */
export interface Steering extends Omit<PageRequest, 'states'> {
  readonly act: 'hold' | 'release' | 'cancel' | 'retry'
  readonly now: number
}

/** What one page came to. */
export interface SteeredPage {
  readonly changed: number
  readonly leased: number
  /** For `after` of the next page. */
  readonly next: string | null
  readonly unneededFiles: readonly string[]
}

export function steer(sql: Sql, request: Steering): SteeredPage {
  const ids = selectIds(sql, request)
  let changed = 0
  let leased = 0
  const unneededFiles: string[] = []
  for (const id of ids) {
    const row = sql.get('SELECT id, state, lane, domain, attempts, due_at FROM entry WHERE id = ?', id)
    if (row === undefined) continue
    if (row.state === STATES.leased) leased++
    else if (act(sql, row, request, unneededFiles)) changed++
  }
  const last = ids.at(-1)
  const next = last !== undefined && ids.length === request.limit ? entryIdOf(last) : null
  return { changed, leased, next, unneededFiles }
}

/** @returns whether the command applies to the entry's state */
function act(sql: Sql, row: Row, { act, now }: Steering, unneededFiles: string[]): boolean {
  const id = numberOf(row, 'id')
  const { state } = row
  switch (act) {
    case 'hold':
      if (state !== STATES.ready) return false
      sql.run(`UPDATE entry SET state = ${STATES.held} WHERE id = ?`, id)
      return true
    case 'release':
      if (state !== STATES.held) return false
      makeDue(sql, row, now)
      return true
    case 'cancel':
      unneededFiles.push(...removeEntry(sql, { id, attempts: numberOf(row, 'attempts') }))
      return true
    case 'retry':
      if (state === STATES.held) return false
      makeDue(sql, row, now)
      sql.run(
        `UPDATE lane SET not_before = NULL WHERE id = (SELECT lane FROM entry WHERE id = ?) AND not_before IS NOT NULL`,
        id,
      )
      return true
    default:
      return act satisfies never
  }
}

function makeDue(sql: Sql, row: Row, now: number): void {
  const id = numberOf(row, 'id')
  sql.run('UPDATE entry SET expires_at = ? WHERE id = ? AND expires_at <= ?', now + RETRIED_LIFE_MS, id, now)
  endLease(sql, id, { domain: String(row.domain), dueAt: now, hold: false })
}
