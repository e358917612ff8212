/** The attempts of an entry, oldest first; they go with it. */
import type { AttemptRecord } from '../entry.ts'
import { fromJson } from './rows.ts'
import type { Sql } from './sql.ts'

/** Adds an attempt to an entry that stays, and counts it. */
export function recordAttempt(
  sql: Sql,
  {
    id,
    attempts,
    attempt,
  }: { readonly id: number; readonly attempts: number; readonly attempt: Omit<AttemptRecord, 'number'> },
): void {
  const number = attempts + 1
  sql.run(
    'INSERT INTO attempt (entry, number, record) VALUES (?, ?, ?)',
    id,
    number,
    JSON.stringify({ number, ...attempt }),
  )
  sql.run('UPDATE entry SET attempts = ? WHERE id = ?', number, id)
}

export function attemptsOf(sql: Sql, id: number): readonly AttemptRecord[] {
  return sql
    .all('SELECT record FROM attempt WHERE entry = ? ORDER BY number', id)
    .flatMap(({ record }) => fromJson<AttemptRecord>(record) ?? [])
}
