/**
 * The thread that owns the database, so that a flush to disk never stops the event loop.
 *
 * One rule: what arrives together is one transaction, flushed once (group commit), and nobody is answered before the
 * commit. If anything in it fails, each operation is done again in a transaction of its own, so that one failure is
 * nobody else's.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type Failure, failureOf } from './failures.ts'
import { type OpenRequest, openDatabase } from './open-database.ts'
import { isWriting, type OperationName, operations } from './operations.ts'
import { Sql } from './sql.ts'

/** One thing asked. */
export interface Request {
  readonly name: OperationName
  readonly argument: unknown
}

/** What came of it. */
export type Answer = { readonly value: unknown } | { readonly failure: Failure }

/** What is posted to the thread: a batch, or the wish that it ends. */
export type Order = readonly Request[] | 'close'

function perform(sql: Sql, { name, argument }: Request): unknown {
  return (operations[name] as (sql: Sql, argument: unknown) => unknown)(sql, argument)
}

function transaction<T>(sql: Sql, work: () => T): T {
  sql.db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    sql.db.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite itself ends the transaction when the disk is full.
    if (sql.db.isTransaction) sql.db.exec('ROLLBACK')
    throw error
  }
}

function performAlone(sql: Sql, request: Request): Answer {
  const work = () => perform(sql, request)
  try {
    if (!isWriting(request.name)) return { value: work() }
    return { value: transaction(sql, work) }
  } catch (error) {
    const failure = failureOf(error)
    return failure.kind === 'full' ? performAfterFolding(sql, work, failure) : { failure }
  }
}

/** The log may be what takes the room: folded into the tables, it is written from its beginning again. */
function performAfterFolding(sql: Sql, work: () => unknown, failure: Failure): Answer {
  try {
    sql.db.exec('PRAGMA wal_checkpoint(RESTART)')
    return { value: transaction(sql, work) }
  } catch {
    return { failure }
  }
}

function performTogether(sql: Sql, requests: readonly Request[]): readonly Answer[] {
  if (requests.length > 1 && requests.some(({ name }) => isWriting(name))) {
    try {
      return transaction(sql, () => requests.map((request) => ({ value: perform(sql, request) })))
    } catch {
      // Found out below whose failure it is.
    }
  }
  return requests.map((request) => performAlone(sql, request))
}

function serve(port: MessagePort): void {
  let database: ReturnType<typeof openDatabase>
  try {
    database = openDatabase(workerData as OpenRequest)
  } catch (error) {
    port.postMessage([{ failure: failureOf(error) }] satisfies readonly Answer[])
    return
  }
  const sql = new Sql(database.db)
  port.on('message', (order: Order) => {
    if (order === 'close') {
      database.close()
      port.close()
    } else port.postMessage(performTogether(sql, order))
  })
  port.postMessage([{ value: null }] satisfies readonly Answer[])
}

if (parentPort !== null) serve(parentPort)
