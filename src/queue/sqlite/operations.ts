/**
 * Everything the store's thread can be asked, by name. One rule: arguments and results are plain values, because they
 * travel between threads.
 */
import { add, forgetKeys } from './adding.ts'
import { catchUp } from './catching-up.ts'
import { place, siteFailed, siteWorks, tidyLanes } from './lanes.ts'
import { extend, giveBack, lease, leaseNotices, reclaim } from './leasing.ts'
import { content, counts, get, history, list, nextDue, stats } from './reading.ts'
import { orphans } from './removing.ts'
import { settle } from './settling.ts'
import type { Sql } from './sql.ts'
import { steer } from './steering.ts'

/** These share a transaction with whatever was asked at the same time. */
export const writing = {
  add,
  lease,
  leaseNotices,
  settle,
  giveBack,
  extend,
  reclaim,
  catchUp,
  place,
  siteFailed,
  siteWorks,
  steer,
  tidyLanes,
  forgetKeys,
}

/** These see what has been written before them. */
export const looking = { content, get, history, list, counts, stats, nextDue, orphans }

/** All of them. */
export const operations = { ...writing, ...looking }

/** The name of an operation. */
export type OperationName = keyof typeof operations

/** What an operation is given. */
export type Argument<Name extends OperationName> = (typeof operations)[Name] extends (
  sql: Sql,
  argument: infer Given,
) => unknown
  ? Given
  : undefined

/** What an operation gives back. */
export type Result<Name extends OperationName> = ReturnType<(typeof operations)[Name]>

/** Whether it may change anything. */
export function isWriting(name: OperationName): boolean {
  return Object.hasOwn(writing, name)
}
