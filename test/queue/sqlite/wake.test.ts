import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteQueue, type SqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { submissionTo } from '../../support/queue-submissions.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let store: SqliteQueue

beforeEach(async () => {
  store = await openSqliteQueue(await temporaryDirectory(), { role: 'daemon' })
  // Opening counts as a change.
  await store.changed()
})

afterEach(() => store.close())

/** Whether somebody has been told since the last time. */
async function wasTold(): Promise<boolean> {
  return store.changed(AbortSignal.timeout(0)).then(
    () => true,
    () => false,
  )
}

test('an entry behind others of its domain wakes nobody: one look finds them all', async () => {
  await store.add(submissionTo(['a@one.test'], { dueAt: 5_000 }))
  expect(await wasTold()).toBe(true)
  await store.add(submissionTo(['b@one.test'], { dueAt: 5_000 }))
  await store.add(submissionTo(['c@one.test'], { dueAt: 6_000 }))
  expect(await wasTold()).toBe(false)
})

test('an entry that is due before the others wakes the runner, and so does the first of a domain', async () => {
  await store.add(submissionTo(['a@one.test'], { dueAt: 5_000 }))
  await wasTold()
  await store.add(submissionTo(['b@one.test'], { dueAt: 4_000 }))
  expect(await wasTold()).toBe(true)
  await store.add(submissionTo(['c@one.test', 'd@two.test'], { dueAt: 6_000 }))
  expect(await wasTold()).toBe(true)
})

test('once all of a domain are leased, the next one wakes the runner again', async () => {
  await store.add(submissionTo(['a@one.test'], { dueAt: 5_000 }))
  await wasTold()
  await store.lease({ owner: 'me', now: 5_000, until: 9_000, max: 9, perSite: 9, room: new Map() })
  await store.add(submissionTo(['b@one.test'], { dueAt: 5_000 }))
  expect(await wasTold()).toBe(true)
})
