/** What a time without a runner, or a clock set anew, has done to ready entries. One rule: a page at a time, as steering does. */
import { expectAt, TROUBLE_UNTIL } from './lanes.ts'
import { STATES } from './rows.ts'
import { numberOf, type Sql } from './sql.ts'

/** One transaction's share; the store asks until nothing is left. */
const CAUGHT_UP_AT_ONCE = 1_000

/** @returns how many entries and sites were changed */
export function catchUp(
  sql: Sql,
  times: { readonly now: number; readonly graceUntil: number; readonly latestDueAt: number },
): number {
  return spare(sql, times) + bringForward(sql, times)
}

function spare(sql: Sql, { now, graceUntil }: { readonly now: number; readonly graceUntil: number }): number {
  return sql.run(
    `UPDATE entry SET expires_at = ? WHERE id IN
       (SELECT id FROM entry WHERE state = ${STATES.ready} AND notice_at <= ? AND expires_at <= ? LIMIT ${CAUGHT_UP_AT_ONCE})`,
    graceUntil,
    now,
    now,
  )
}

function bringForward(
  sql: Sql,
  { now, latestDueAt }: { readonly now: number; readonly latestDueAt: number },
): number {
  const freed = sql.run(
    `UPDATE lane SET not_before = NULL, trouble = NULL
     WHERE trouble IS NOT NULL AND max(ifnull(not_before, 0), ifnull(${TROUBLE_UNTIL}, 0)) > ?`,
    latestDueAt,
  )
  const late = sql.all(
    `SELECT entry.id, entry.lane FROM lane CROSS JOIN entry ON entry.lane = lane.id
     WHERE entry.state = ${STATES.ready} AND entry.due_at > ? LIMIT ${CAUGHT_UP_AT_ONCE}`,
    latestDueAt,
  )
  for (const row of late) {
    sql.run('UPDATE entry SET due_at = ? WHERE id = ?', now, numberOf(row, 'id'))
    expectAt(sql, numberOf(row, 'lane'), now)
  }
  return freed + late.length
}
