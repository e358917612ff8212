/** What a time without a runner, or a wrong clock, has done. */
import { describe, expect, test } from 'vitest'
import { greylisted, submissionTo } from '../queue-submissions.ts'
import { request, type StoreUnderTest } from './store-under-test.ts'

/** Registers the tests. */
export function testCatchingUp(subject: StoreUnderTest): void {
  const { add, addOne } = subject

  describe('catching up', () => {
    const times = { now: 2_000_000, graceUntil: 3_000_000, latestDueAt: 2_500_000 }

    test('an entry whose time is over lives until the grace ends', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.catchUp(times)
      expect(await subject.store.get(id)).toMatchObject({
        state: 'ready',
        expiresAt: 3_000_000,
        dueAt: 1_000,
      })
      const notices = (now: number) => subject.store.leaseNotices({ owner: 'me', now, until: 9e6, max: 5 })
      expect(await notices(2_999_999)).toEqual([])
      expect(await notices(3_000_000)).toHaveLength(1)
    })

    test('what would be due too late is due now, and trouble of its site is forgotten', async () => {
      const [late] = (
        await subject.store.add(submissionTo(['a@one.test'], { dueAt: 2_500_001, expiresAt: 9e9 }))
      ).entryIds
      const [soon] = (
        await subject.store.add(submissionTo(['b@two.test'], { dueAt: 2_500_000, expiresAt: 9e9 }))
      ).entryIds
      await subject.store.siteFailed('@one.test', { until: 9e6, since: 1, failures: 1, last: greylisted })
      await subject.store.catchUp(times)
      expect(await subject.store.get(late ?? '')).toMatchObject({ dueAt: 2_000_000 })
      expect(await subject.store.get(soon ?? '')).toMatchObject({ dueAt: 2_500_000 })
      expect(await subject.store.nextDue(new Map())).toBe(2_000_000)
      const leased = await subject.store.lease({ ...request, now: 2_000_000, until: 9e6 })
      expect(leased.map(({ entry, trouble }) => [entry.id, trouble])).toEqual([[late, null]])
    })

    test('trouble of a site that is being probed is forgotten too', async () => {
      await add('a@one.test')
      await subject.store.siteFailed('@one.test', { until: 2_000, since: 1, failures: 1, last: greylisted })
      const [probe] = await subject.store.lease({ ...request, now: 2_000, until: 2_400_000 })
      await subject.store.siteFailed('@one.test', { until: 9e6, since: 1, failures: 2, last: greylisted })
      await subject.store.catchUp(times)
      await subject.store.giveBack([probe?.entry.id ?? ''], 'me')
      expect(await subject.store.nextDue(new Map())).toBe(1_000)
    })

    test('held, dead and leased entries are left alone, and what is as it should be too', async () => {
      const [held = '', leased = ''] = await add('a@one.test', 'b@two.test')
      await subject.store.hold({ kind: 'id', id: held })
      await subject.store.lease(request)
      const young = await subject.store.add(
        submissionTo(['c@three.test'], { expiresAt: 2_000_001, dueAt: 1_500_000 }),
      )
      await subject.store.catchUp(times)
      expect(await subject.store.get(held)).toMatchObject({ state: 'held', expiresAt: 1_000_000 })
      expect(await subject.store.get(leased)).toMatchObject({ state: 'leased', expiresAt: 1_000_000 })
      expect(await subject.store.get(young.entryIds[0] ?? '')).toMatchObject({
        expiresAt: 2_000_001,
        dueAt: 1_500_000,
      })
    })

    test('more entries than fit in a page are all caught up', async () => {
      const recipients = Array.from({ length: 2_500 }, (_, index) => `u${index}@example.test`)
      await subject.store.add(submissionTo(recipients, { dueAt: 9e6 }))
      await subject.store.catchUp(times)
      const { entries } = await subject.store.list({ selector: { kind: 'all' }, limit: 1_000 })
      expect(new Set(entries.map(({ dueAt, expiresAt }) => `${dueAt} ${expiresAt}`))).toEqual(
        new Set(['2000000 3000000']),
      )
      expect(
        (await subject.store.lease({ ...request, now: 2_000_000, until: 9e6, max: 5_000, perSite: 5_000 }))
          .length,
      ).toBe(2_500)
    })
  })
}
