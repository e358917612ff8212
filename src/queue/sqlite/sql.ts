/** A database connection that prepares each statement once. One rule: statements are constants; values are parameters. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'

/** A row, by column. */
export type Row = Readonly<Record<string, SQLOutputValue>>

/** What the operations work with. */
export class Sql {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  /** @returns how many rows were changed */
  run(statement: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(statement).run(...values).changes)
  }

  /** @returns the id of the new row */
  insert(statement: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(statement).run(...values).lastInsertRowid)
  }

  get(statement: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(statement).get(...values)
  }

  all(statement: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#prepare(statement).all(...values)
  }

  /** Row by row; nothing may be written until it has ended. */
  iterate(statement: string, ...values: SQLInputValue[]): IterableIterator<Row> {
    return this.#prepare(statement).iterate(...values)
  }

  #prepare(statement: string): StatementSync {
    let prepared = this.#statements.get(statement)
    if (prepared === undefined) {
      prepared = this.db.prepare(statement)
      this.#statements.set(statement, prepared)
    }
    return prepared
  }
}

/** A column that is a number. */
export function numberOf(row: Row | undefined, column: string): number {
  return Number(row?.[column])
}

/** A column that is a number or NULL; `null` too when there is no row. */
export function numberOrNull(row: Row | undefined, column: string): number | null {
  const value = row?.[column] ?? null
  return value === null ? null : Number(value)
}

/** A column that is text or NULL. */
export function textOrNull(row: Row | undefined, column: string): string | null {
  const value = row?.[column] ?? null
  return value === null ? null : String(value)
}
