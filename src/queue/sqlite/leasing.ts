/**
 * Claims on entries, and their end without a verdict. One rule: whoever makes an entry ready again puts it into the lane
 * where its domain is served now, and tells the lane.
 */
import type { QueueEntry } from '../entry.ts'
import type { LeasedEntry, LeaseRequest } from '../store.ts'
import { recordAttempt } from './attempts.ts'
import { entryIdOf, parseEntryId } from './ids.ts'
import { allowProbe, correctHead, expectAt, laneOfDomain } from './lanes.ts'
import { ENTRY_COLUMNS, ENTRY_TABLES, entryOf, STATES, toJson, troubleOf } from './rows.ts'
import { numberOf, type Row, type Sql } from './sql.ts'

interface DueLane {
  readonly id: number
  readonly limit: number
  readonly isProbe: boolean
}

export function lease(sql: Sql, request: LeaseRequest): readonly LeasedEntry[] {
  const leased: LeasedEntry[] = []
  for (const lane of dueLanes(sql, request)) {
    const limit = Math.min(lane.limit, request.max - leased.length)
    if (limit <= 0) break
    const rows = sql.all(
      `SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES}
       WHERE entry.state = ${STATES.ready} AND entry.lane = ? AND entry.due_at <= ? ORDER BY entry.due_at LIMIT ?`,
      lane.id,
      request.now,
      limit,
    )
    for (const row of rows) leased.push(claim(sql, row, request))
    // The next probe may go when this one has been settled, or its lease has run out.
    if (lane.isProbe) sql.run('UPDATE lane SET not_before = ? WHERE id = ?', request.until, lane.id)
    correctHead(sql, lane.id)
  }
  return leased
}

/** Read to the end before anything is written: at most `max` lanes, full ones passed over. */
function dueLanes(sql: Sql, { now, max, perSite, room }: LeaseRequest): readonly DueLane[] {
  const lanes: DueLane[] = []
  const due = sql.iterate(
    'SELECT id, name, trouble IS NOT NULL AS is_probe FROM lane WHERE due_at <= ? ORDER BY due_at',
    now,
  )
  for (const lane of due) {
    if (lanes.length >= max) break
    const limit = room.get(String(lane.name)) ?? perSite
    if (limit <= 0) continue
    const isProbe = lane.is_probe === 1
    lanes.push({ id: numberOf(lane, 'id'), limit: isProbe ? 1 : limit, isProbe })
  }
  return lanes
}

export function leaseNotices(
  sql: Sql,
  request: Pick<LeaseRequest, 'owner' | 'now' | 'until' | 'max'>,
): readonly LeasedEntry[] {
  const rows = sql.all(
    `SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES}
     WHERE entry.state = ${STATES.ready} AND entry.notice_at <= ? ORDER BY entry.notice_at LIMIT ?`,
    request.now,
    request.max,
  )
  return rows.map((row) => claim(sql, row, request))
}

function claim(
  sql: Sql,
  row: Row,
  { owner, until }: { readonly owner: string; readonly until: number },
): LeasedEntry {
  sql.run(
    `UPDATE entry SET state = ${STATES.leased}, owner = ?, lease_until = ? WHERE id = ?`,
    owner,
    until,
    numberOf(row, 'id'),
  )
  return { entry: { ...entryOf(row), state: 'leased', lease: { owner, until } }, trouble: troubleOf(row) }
}

/** Ends the lease of an entry: to be tried at `dueAt`, or held. */
export function endLease(
  sql: Sql,
  id: number,
  { domain, dueAt, hold }: { readonly domain: string; readonly dueAt: number; readonly hold: boolean },
): void {
  const lane = laneOfDomain(sql, domain)
  sql.run(
    `UPDATE entry SET state = ?, lane = ?, due_at = ?, owner = NULL, lease_until = NULL WHERE id = ?`,
    hold ? STATES.held : STATES.ready,
    lane,
    dueAt,
    id,
  )
  if (!hold) expectAt(sql, lane, dueAt)
}

export function giveBack(
  sql: Sql,
  { ids, owner }: { readonly ids: readonly string[]; readonly owner: string },
): void {
  for (const text of ids) {
    const row = leasedBy(sql, text, owner)
    if (row === null) continue
    endLease(sql, numberOf(row, 'id'), {
      domain: String(row.domain),
      dueAt: numberOf(row, 'due_at'),
      hold: false,
    })
    allowProbe(sql, numberOf(row, 'lane'))
  }
}

/** The entry, if the owner has it. */
export function leasedBy(sql: Sql, id: string, owner: string): Row | null {
  const entry = parseEntryId(id)
  return (
    sql.get(
      `SELECT id, lane, domain, due_at, attempts FROM entry WHERE id = ? AND state = ${STATES.leased} AND owner = ?`,
      entry,
      owner,
    ) ?? null
  )
}

export function extend(sql: Sql, { owner, until }: { readonly owner: string; readonly until: number }): void {
  sql.run(
    `UPDATE entry SET lease_until = ? WHERE state = ${STATES.leased} AND owner = ? AND lease_until < ?`,
    until,
    owner,
    until,
  )
}

/** One transaction's share; the store asks until nothing is left. */
const RECLAIMED_AT_ONCE = 1_000

export function reclaim(
  sql: Sql,
  options: {
    readonly now: number
    readonly survivor?: string | null
    readonly dueAt: number
    readonly hold: boolean
    /** By owner; of owners that are missing, all entries are. */
    readonly begun: ReadonlyMap<string, ReadonlySet<string>>
  },
): number {
  const { now, survivor } = options
  const rows = sql.all(
    `SELECT id, lane, domain, attempts, due_at, owner FROM entry
     WHERE state = ${STATES.leased} AND (lease_until <= ?1 OR (?2 AND owner IS NOT ?3)) LIMIT ${RECLAIMED_AT_ONCE}`,
    now,
    survivor === undefined ? 0 : 1,
    survivor ?? null,
  )
  for (const row of rows) {
    const id = numberOf(row, 'id')
    const domain = String(row.domain)
    const { dueAt, hold, begun } = options
    if (begun.get(String(row.owner))?.has(entryIdOf(id)) ?? true) {
      recordAttempt(sql, { id, attempts: numberOf(row, 'attempts'), attempt: lostAttempt(now) })
      sql.run('UPDATE entry SET uncertain = 1, last = ? WHERE id = ?', toJson(lostTrouble(now)), id)
      endLease(sql, id, { domain, dueAt, hold })
    } else endLease(sql, id, { domain, dueAt: numberOf(row, 'due_at'), hold: false })
    allowProbe(sql, numberOf(row, 'lane'))
  }
  return rows.length
}

// The words of RFC 3463 §3.5 for 4.4.2: the connection was broken, and nobody knows more.
const LOST = {
  stage: 'end-of-data',
  status: '4.4.2',
  diagnostic: 'the delivery was cut off by the end of the program that made it; the message may have arrived',
} as const

function lostTrouble(at: number): QueueEntry['last'] {
  return { at, ...LOST, isReply: false, exchanger: null, ip: null }
}

function lostAttempt(at: number) {
  return {
    startedAt: at,
    durationMs: 0,
    outcome: 'lost' as const,
    uncertain: true,
    ...LOST,
    reply: null,
    targets: [],
  }
}
