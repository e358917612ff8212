/** Who gets which entry, and when. */
import { describe, expect, test } from 'vitest'
import { unroutedSite } from '../../../src/queue/entry.ts'
import { deferral, submissionTo } from '../queue-submissions.ts'
import { request, type StoreUnderTest, trouble } from './store-under-test.ts'

/** Registers the tests. */
export function testLeasing(subject: StoreUnderTest): void {
  const { add, addOne, leaseIds, stateOf } = subject

  describe('leasing', () => {
    test('an entry is leased when it is due, and not before', async () => {
      const id = await addOne('bob@example.test')
      expect(await leaseIds({ now: 999 })).toEqual([])
      const [leased] = await subject.store.lease(request)
      expect(leased?.entry).toMatchObject({ id, state: 'leased', lease: { owner: 'me', until: 60_000 } })
      expect(await subject.store.get(id)).toEqual(leased?.entry)
    })

    test('no entry is leased to two', async () => {
      const ids = await add(...Array.from({ length: 30 }, (_, n) => `u${n}@d${n % 3}.test`))
      const leased = await Promise.all([
        leaseIds(),
        leaseIds({ owner: 'other' }),
        leaseIds(),
        leaseIds({ owner: 'other' }),
      ])
      expect(leased.flat().sort()).toEqual([...ids].sort())
    })

    test('within a site the oldest due comes first, and the longest-waiting site before others', async () => {
      const add = async (recipient: string, dueAt: number) =>
        (await subject.store.add(submissionTo([recipient], { dueAt }))).entryIds[0]
      const late = await add('a@one.test', 1_900)
      const middle = await add('b@two.test', 1_600)
      const early = await add('c@one.test', 1_500)
      expect(await leaseIds()).toEqual([early, late, middle])
    })

    test('a site gives as many as it has room for, and the others theirs', async () => {
      await add('a@one.test', 'b@one.test', 'c@one.test', 'd@two.test', 'e@two.test', 'f@three.test')
      const room = new Map([
        ['@one.test', 2],
        ['@two.test', 0],
      ])
      const leased = await subject.store.lease({ ...request, perSite: 1, room })
      expect(leased.map(({ entry }) => entry.site).sort()).toEqual(['@one.test', '@one.test', '@three.test'])
    })

    test('a site without room hides nothing behind it', async () => {
      await add(...Array.from({ length: 50 }, (_, n) => `u${n}@full.test`))
      const id = (await subject.store.add(submissionTo(['x@free.test'], { dueAt: 1_999 }))).entryIds[0]
      expect(await leaseIds({ room: new Map([['@full.test', 0]]) })).toEqual([id])
    })

    test('entries given back are ready as before', async () => {
      const id = await addOne('bob@example.test')
      const before = await subject.store.get(id)
      await subject.store.lease(request)
      await subject.store.giveBack([id], 'other')
      expect(await stateOf(id)).toBe('leased')
      await subject.store.giveBack([id, 'ZZZZ-1', 'nonsense'], 'me')
      expect(await subject.store.get(id)).toEqual(before)
      expect(await leaseIds()).toEqual([id])
    })

    test('notices are leased whatever the state of the site, warnings before expiry', async () => {
      const { entryIds } = await subject.store.add(
        submissionTo(['bob@example.test'], { dueAt: 9_000, warnAt: 4_000, expiresAt: 8_000 }),
      )
      const [id = ''] = entryIds
      await subject.store.siteFailed(unroutedSite('example.test'), { ...trouble, until: 100_000 })
      expect(await subject.store.leaseNotices({ ...request, now: 3_999 })).toEqual([])
      const [warning] = await subject.store.leaseNotices({ ...request, now: 4_000 })
      expect(warning).toMatchObject({ entry: { id, isDelayWarned: false }, trouble: { until: 100_000 } })
      await subject.store.settle(
        deferral(id, { attempt: null, dueAt: 9_000, last: null, isDelayWarned: true }),
      )
      expect(await subject.store.get(id)).toMatchObject({ attempts: 0, isDelayWarned: true, last: null })
      expect(await subject.store.leaseNotices({ ...request, now: 7_999 })).toEqual([])
      expect(await subject.store.leaseNotices({ ...request, now: 8_000 })).toHaveLength(1)
    })
  })
}
