/** Which entries a selector means, in the order of their ids, so that a page costs what it holds. */
import type { SQLInputValue } from 'node:sqlite'
import type { EntryState } from '../entry.ts'
import type { Selector } from '../store.ts'
import { parseEntryId, parseId } from './ids.ts'
import { STATES, writeAddress } from './rows.ts'
import { numberOf, type Sql } from './sql.ts'

/** A page of entries. */
export interface PageRequest {
  readonly selector: Selector
  /** Absent: all. */
  readonly states?: readonly EntryState[]
  /** The entry before the first; absent: from the beginning. */
  readonly after?: string
  readonly limit: number
}

/** The ids of the page, ascending. */
export function selectIds(sql: Sql, { selector, states, after, limit }: PageRequest): readonly number[] {
  const { tables, condition, values } = conditionOf(selector)
  const from = after === undefined ? 0 : (parseEntryId(after) ?? 0)
  const rows = sql.all(
    `SELECT entry.id FROM ${tables} WHERE ${condition} AND ${stateCondition(states)} AND entry.id > ?
     ORDER BY entry.id LIMIT ?`,
    ...values,
    from,
    limit,
  )
  return rows.map((row) => numberOf(row, 'id'))
}

interface Condition {
  readonly tables: string
  readonly condition: string
  readonly values: readonly SQLInputValue[]
}

function conditionOf(selector: Selector): Condition {
  const tables = 'entry'
  switch (selector.kind) {
    case 'all':
      return { tables, condition: 'TRUE', values: [] }
    case 'id': {
      const range = parseId(selector.id)
      return { tables, condition: 'entry.id BETWEEN ? AND ?', values: [range?.first ?? 0, range?.last ?? 0] }
    }
    case 'domain':
      return { tables, condition: 'entry.domain = ?', values: [selector.domain] }
    case 'to':
      return {
        tables,
        condition: 'entry.local_part = ? AND +entry.domain = ?',
        values: [selector.address.localPart, selector.address.domain],
      }
    case 'from':
      return {
        tables: `submission CROSS JOIN entry ON entry.id BETWEEN (submission.id << 20) AND (submission.id << 20) + 1048575`,
        condition: 'submission.reverse_path IS ?',
        values: [writeAddress(selector.reversePath)],
      }
    default:
      return selector satisfies never
  }
}

/** Numbers and not parameters: a partial index serves only a condition that is known beforehand. */
function stateCondition(states: readonly EntryState[] | undefined): string {
  if (states === undefined) return 'TRUE'
  const [only] = states
  if (states.length === 1 && only !== undefined) return `entry.state = ${STATES[only]}`
  return `entry.state IN (${states.map((state) => STATES[state]).join(', ')})`
}
