/** What an operator can do with entries. */
import { describe, expect, test } from 'vitest'
import { attempt, deferral, greylisted, submissionTo } from '../queue-submissions.ts'
import { all, request, type StoreUnderTest, trouble } from './store-under-test.ts'

/** Registers the tests. */
export function testSteering(subject: StoreUnderTest): void {
  const { add, addOne, leaseIds, stateOf } = subject

  describe('steering', () => {
    test('a held entry waits, and a released one is due now', async () => {
      const id = await addOne('a@one.test')
      expect(await subject.store.hold(all)).toEqual({ changed: 1, leased: 0 })
      expect(await leaseIds()).toEqual([])
      expect(await subject.store.nextDue(new Map())).toBeOneOf([null, 1_000])
      expect(await subject.store.release(all, 7_000)).toEqual({ changed: 1, leased: 0 })
      expect(await subject.store.get(id)).toMatchObject({ state: 'ready', dueAt: 7_000 })
    })

    test('a leased entry is left alone, and said to be', async () => {
      const id = await addOne('a@one.test')
      await subject.store.lease(request)
      for (const act of [
        subject.store.hold(all),
        subject.store.release(all, 1),
        subject.store.cancel(all),
        subject.store.retryNow(all, 1),
      ]) {
        expect(await act).toEqual({ changed: 0, leased: 1 })
      }
      expect(await stateOf(id)).toBe('leased')
    })

    test('a cancelled entry is gone, others stay', async () => {
      const [, second] = await add('a@one.test', 'b@two.test')
      expect(await subject.store.cancel({ kind: 'domain', domain: 'one.test' })).toEqual({
        changed: 1,
        leased: 0,
      })
      expect((await subject.store.list({ selector: all, limit: 9 })).entries.map(({ id }) => id)).toEqual([
        second,
      ])
    })

    test('a retried entry is due now although its site is in trouble', async () => {
      const id = await addOne('a@one.test')
      await subject.store.lease(request)
      await subject.store.siteFailed('@one.test', { ...trouble, until: 500_000 })
      await subject.store.settle(deferral(id, { dueAt: 400_000 }))
      expect(await subject.store.retryNow(all, 3_000)).toEqual({ changed: 1, leased: 0 })
      expect(await leaseIds({ now: 3_000 })).toEqual([id])
    })

    test('a dead entry that is retried lives an hour longer', async () => {
      const id = await addOne('a@one.test')
      await subject.store.lease(request)
      await subject.store.settle({ kind: 'failed', id, owner: 'me', attempt, keep: true, last: greylisted })
      expect(await subject.store.retryNow({ kind: 'id', id }, 2_000_000)).toEqual({ changed: 1, leased: 0 })
      expect(await subject.store.get(id)).toMatchObject({
        state: 'ready',
        dueAt: 2_000_000,
        expiresAt: 5_600_000,
      })
    })

    test('a held entry is not retried', async () => {
      await add('a@one.test')
      await subject.store.hold(all)
      expect(await subject.store.retryNow(all, 3_000)).toEqual({ changed: 0, leased: 0 })
    })

    test('more entries than one page are all steered', async () => {
      await subject.store.add(submissionTo(Array.from({ length: 2_100 }, (_, n) => `u${n}@one.test`)))
      expect(await subject.store.hold(all)).toEqual({ changed: 2_100, leased: 0 })
      expect(await subject.store.cancel(all)).toEqual({ changed: 2_100, leased: 0 })
      expect(await subject.store.counts()).toEqual({ ready: 0, leased: 0, held: 0, dead: 0 })
    })
  })
}
