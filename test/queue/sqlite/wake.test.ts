import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LastTrouble } from '../../../src/queue/entry.ts'
import { openSqliteQueue, type SqliteQueue } from '../../../src/queue/sqlite/store.ts'
import type { Submission } from '../../../src/queue/store.ts'
import { submissionTo } from '../../support/queue-submissions.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const last: LastTrouble = {
  at: 5_000,
  stage: 'rcpt',
  status: '5.1.1',
  diagnostic: '550 5.1.1 no',
  isReply: true,
  exchanger: 'mx.one.test',
  ip: '192.0.2.1',
}

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

test('a report wakes the runner as any entry does: where it is the first of its domain', async () => {
  const { entryIds } = await store.add(
    submissionTo(['a@one.test', 'b@one.test', 'c@one.test'], { dueAt: 5_000 }),
  )
  await store.lease({ owner: 'me', now: 5_000, until: 9_000, max: 9, perSite: 9, room: new Map() })
  await wasTold()
  const settle = (id = '', reports: readonly Submission[] = []): Promise<boolean> =>
    store.settle({ kind: 'failed', keep: false, id, owner: 'me', attempt: null, last, reports })
  const report = () => submissionTo(['alice@sender.test'], { dueAt: 6_000 })
  await settle(entryIds[0], [report()])
  expect(await wasTold()).toBe(true)
  await settle(entryIds[1], [report()])
  await settle(entryIds[2])
  expect(await wasTold()).toBe(false)
})
