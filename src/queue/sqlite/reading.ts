/** Looking at the queue. One rule: nothing here changes anything. */
import type { AttemptRecord, EntryState, QueueEntry } from '../entry.ts'
import type { EntryPage, QueueCounts, QueueStats } from '../store.ts'
import { attemptsOf } from './attempts.ts'
import { entryIdOf, parseEntryId, parseId, submissionOf } from './ids.ts'
import { ENTRY_COLUMNS, ENTRY_TABLES, entryOf, STATES, troubleOf } from './rows.ts'
import { type PageRequest, selectIds } from './selecting.ts'
import { numberOf, numberOrNull, type Sql, textOrNull } from './sql.ts'

/** A content as it is stored. */
export interface StoredContent {
  readonly messageId: string
  readonly size: number
  readonly requires: string
  /** `null`: in `file`. */
  readonly octets: Uint8Array | null
  readonly file: string | null
}

/** `null` when it is gone. */
export function content(sql: Sql, { submissionId }: { readonly submissionId: string }): StoredContent | null {
  const range = parseId(submissionId)
  const row = sql.get(
    `SELECT message_id, size, requires, octets, file FROM content CROSS JOIN submission ON submission.id = content.submission
     WHERE content.submission = ?`,
    range === null ? null : submissionOf(range.first),
  )
  if (row === undefined) return null
  return {
    messageId: String(row.message_id),
    size: numberOf(row, 'size'),
    requires: String(row.requires),
    octets: (row.octets ?? null) as Uint8Array | null,
    file: textOrNull(row, 'file'),
  }
}

export function get(sql: Sql, { id }: { readonly id: string }): QueueEntry | null {
  const entry = parseEntryId(id)
  return entry === null ? null : entryWith(sql, entry)
}

export function history(sql: Sql, { id }: { readonly id: string }): readonly AttemptRecord[] {
  const entry = parseEntryId(id)
  return entry === null ? [] : attemptsOf(sql, entry)
}

export function list(sql: Sql, request: PageRequest): EntryPage {
  const ids = selectIds(sql, { ...request, limit: request.limit + 1 })
  const shown = ids.slice(0, request.limit)
  const last = shown.at(-1)
  return {
    entries: shown.flatMap((id) => entryWith(sql, id) ?? []),
    next: ids.length > shown.length && last !== undefined ? entryIdOf(last) : null,
  }
}

function entryWith(sql: Sql, id: number): QueueEntry | null {
  const row = sql.get(`SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES} WHERE entry.id = ?`, id)
  return row === undefined ? null : entryOf(row)
}

/** The three small states are counted in their indexes, and what is left is ready. */
export function counts(sql: Sql): QueueCounts {
  const count = (condition: string): number =>
    numberOf(sql.get(`SELECT count(*) AS n FROM entry ${condition}`), 'n')
  const of = (state: EntryState): number => count(`WHERE state = ${STATES[state]}`)
  const [leased, held, dead] = [of('leased'), of('held'), of('dead')]
  return { ready: count('') - leased - held - dead, leased, held, dead }
}

/** Sites that `stats` names. */
const SITES_SHOWN = 20

export function stats(sql: Sql): QueueStats {
  const oldest = sql.get(`SELECT id FROM entry WHERE state = ${STATES.ready} ORDER BY id LIMIT 1`)
  const sites = sql.all(
    `SELECT lane.name, lane.trouble, ready FROM
       (SELECT lane, count(*) AS ready FROM entry WHERE state = ${STATES.ready} GROUP BY lane ORDER BY ready DESC LIMIT ${SITES_SHOWN})
       AS busiest CROSS JOIN lane ON lane.id = busiest.lane ORDER BY ready DESC`,
  )
  return {
    counts: counts(sql),
    submissions: numberOf(sql.get('SELECT count(*) AS n FROM submission'), 'n'),
    oldestReadyAt:
      oldest === undefined
        ? null
        : numberOf(
            sql.get('SELECT created_at FROM submission WHERE id = ?', submissionOf(numberOf(oldest, 'id'))),
            'created_at',
          ),
    nextDueAt: nextDue(sql, { full: [] }),
    sites: sites.map((row) => ({
      site: String(row.name),
      ready: numberOf(row, 'ready'),
      trouble: troubleOf(row),
    })),
  }
}

export function nextDue(sql: Sql, { full }: { readonly full: readonly string[] }): number | null {
  const skipped = new Set(full)
  let due: number | null = null
  for (const lane of sql.iterate('SELECT name, due_at FROM lane WHERE due_at IS NOT NULL ORDER BY due_at')) {
    if (skipped.has(String(lane.name))) continue
    due = numberOf(lane, 'due_at')
    break
  }
  const notice = numberOrNull(
    sql.get(`SELECT notice_at FROM entry WHERE state = ${STATES.ready} ORDER BY notice_at LIMIT 1`),
    'notice_at',
  )
  if (due === null || notice === null) return due ?? notice
  return Math.min(due, notice)
}
