/**
 * Lanes: what waits for one site, or for one domain that nobody has looked up yet.
 *
 * One rule: a lane's `head_due` is never later than the due time of its first ready entry. It may be earlier, after an
 * entry has left in another way than by a lease; the next lease finds that out and corrects it.
 */
import { isUnrouted, unroutedSite } from '../entry.ts'
import type { SiteTrouble } from '../store.ts'
import { STATES, toJson } from './rows.ts'
import { numberOf, numberOrNull, type Sql } from './sql.ts'

/** Entries that `place` moves in one transaction; what is left is moved when its lane is due again. */
const MOVED_AT_ONCE = 5_000

/** When trouble ends; NULL where the row is damaged. */
export const TROUBLE_UNTIL = "CASE WHEN json_valid(trouble) THEN json_extract(trouble, '$.until') END"

/** The lane for entries of the domain; made if there is none. */
export function laneOfDomain(sql: Sql, domain: string): number {
  const known = numberOrNull(sql.get('SELECT lane FROM domain WHERE name = ?', domain), 'lane')
  return known ?? laneOfSite(sql, unroutedSite(domain))
}

function laneOfSite(sql: Sql, site: string): number {
  const known = numberOrNull(sql.get('SELECT id FROM lane WHERE name = ?', site), 'id')
  return known ?? sql.insert('INSERT INTO lane (name) VALUES (?)', site)
}

/** An entry of the lane has become ready. @returns whether it is the first now, for which nobody waits yet */
export function expectAt(sql: Sql, lane: number, dueAt: number): boolean {
  const moved = sql.run(
    'UPDATE lane SET head_due = ? WHERE id = ? AND (head_due IS NULL OR head_due > ?)',
    dueAt,
    lane,
    dueAt,
  )
  return moved > 0
}

/** Entries of the lane have been leased. */
export function correctHead(sql: Sql, lane: number): void {
  sql.run(
    `UPDATE lane SET head_due = (SELECT due_at FROM entry WHERE state = ${STATES.ready} AND lane = ?1 ORDER BY due_at LIMIT 1)
     WHERE id = ?1`,
    lane,
  )
}

export function place(sql: Sql, { domain, site }: { readonly domain: string; readonly site: string }): void {
  const lane = laneOfSite(sql, site)
  sql.run(
    'INSERT INTO domain (name, lane) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET lane = ?2 WHERE lane <> ?2',
    domain,
    lane,
  )
  // Entries that wait at a site which the domain has left move one by one, when each is settled.
  const former = numberOrNull(sql.get('SELECT id FROM lane WHERE name = ?', unroutedSite(domain)), 'id')
  if (former === null || isUnrouted(site)) return
  const first = sql.get(
    `SELECT due_at FROM entry WHERE state = ${STATES.ready} AND lane = ? ORDER BY due_at LIMIT 1`,
    former,
  )
  if (first === undefined) return
  sql.run(
    `UPDATE entry SET lane = ? WHERE id IN
       (SELECT id FROM entry WHERE state = ${STATES.ready} AND lane = ? ORDER BY due_at LIMIT ${MOVED_AT_ONCE})`,
    lane,
    former,
  )
  expectAt(sql, lane, numberOf(first, 'due_at'))
  correctHead(sql, former)
}

export function siteFailed(
  sql: Sql,
  { site, trouble }: { readonly site: string; readonly trouble: SiteTrouble },
): void {
  sql.run(
    'UPDATE lane SET not_before = ?, trouble = ? WHERE id = ?',
    trouble.until,
    toJson(trouble),
    laneOfSite(sql, site),
  )
}

export function siteWorks(sql: Sql, { site }: { readonly site: string }): void {
  sql.run('UPDATE lane SET not_before = NULL, trouble = NULL WHERE name = ? AND trouble IS NOT NULL', site)
}

/** The probe that was let through came to nothing: the next one may go. */
export function allowProbe(sql: Sql, lane: number): void {
  sql.run(`UPDATE lane SET not_before = ${TROUBLE_UNTIL} WHERE id = ? AND trouble IS NOT NULL`, lane)
}

/** Forgets lanes for which nothing waits, and their domains. @returns whether there may be more */
export function tidyLanes(sql: Sql, { limit }: { readonly limit: number }): boolean {
  const idle = sql.all(
    `SELECT id FROM lane WHERE head_due IS NULL
       AND NOT EXISTS (SELECT 1 FROM entry WHERE state = ${STATES.leased} AND entry.lane = lane.id)
       AND NOT EXISTS (SELECT 1 FROM entry WHERE state = ${STATES.held} AND entry.lane = lane.id)
       AND NOT EXISTS (SELECT 1 FROM entry WHERE state = ${STATES.dead} AND entry.lane = lane.id)
     LIMIT ?`,
    limit,
  )
  for (const { id = null } of idle) {
    sql.run('DELETE FROM domain WHERE lane = ?', id)
    sql.run('DELETE FROM lane WHERE id = ?', id)
  }
  return idle.length === limit
}
