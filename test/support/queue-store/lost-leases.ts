/** What becomes of a leased entry whose owner is gone. */
import { describe, expect, test } from 'vitest'
import { deferral } from '../queue-submissions.ts'
import { request, type StoreUnderTest } from './store-under-test.ts'

/** Registers the tests. */
export function testLostLeases(subject: StoreUnderTest): void {
  const { add, addOne, leaseIds, stateOf } = subject

  describe('leases that nobody settles', () => {
    test('a begun lease that has run out is ended: uncertain, the lost attempt recorded', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      await subject.store.begin(id, 'me')
      expect(await subject.store.reclaim({ now: 59_999, dueAt: 70_000, hold: false })).toBe(0)
      expect(await subject.store.reclaim({ now: 60_000, dueAt: 70_000, hold: false })).toBe(1)
      expect(await subject.store.get(id)).toMatchObject({
        state: 'ready',
        uncertain: true,
        attempts: 1,
        dueAt: 70_000,
        last: { status: '4.4.2', isReply: false },
      })
      expect(await subject.store.history(id)).toMatchObject([{ number: 1, outcome: 'lost', uncertain: true }])
      expect(await subject.store.settle(deferral(id))).toBe(false)
    })

    test('what was leased and not begun is ready again as before, never held', async () => {
      const [begun = '', waiting = ''] = await add('a@one.test', 'b@one.test')
      const before = await subject.store.get(waiting)
      await subject.store.lease(request)
      await subject.store.begin(begun, 'me')
      await subject.store.begin(begun, 'me')
      expect(await subject.store.reclaim({ now: 2_000, survivor: null, dueAt: 70_000, hold: true })).toBe(2)
      expect(await subject.store.get(waiting)).toEqual(before)
      expect(await subject.store.history(waiting)).toEqual([])
      expect(await subject.store.get(begun)).toMatchObject({ state: 'held', uncertain: true })
    })

    test('an entry that was begun in an earlier lease has to be begun anew', async () => {
      const [deferred = '', returned = ''] = await add('a@one.test', 'b@one.test')
      await subject.store.lease(request)
      for (const id of [deferred, returned]) await subject.store.begin(id, 'me')
      await subject.store.settle(deferral(deferred, { dueAt: 1_000 }))
      await subject.store.giveBack([returned], 'me')
      expect(await leaseIds()).toHaveLength(2)
      expect(await subject.store.reclaim({ now: 2_000, survivor: 'you', dueAt: 70_000, hold: true })).toBe(2)
      for (const id of [deferred, returned]) {
        expect(await subject.store.get(id)).toMatchObject({ state: 'ready', uncertain: false })
      }
    })

    test('beginning is for the owner of the lease', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      await subject.store.lease({ ...request, owner: 'you' })
      await subject.store.begin(id, 'you')
      await subject.store.reclaim({ now: 60_000, dueAt: 70_000, hold: false })
      expect(await subject.store.get(id)).toMatchObject({ uncertain: false, attempts: 0 })
    })

    test('an extended lease runs longer', async () => {
      await add('bob@example.test')
      await subject.store.lease(request)
      await subject.store.extend('me', 90_000)
      expect(await subject.store.reclaim({ now: 60_000, dueAt: 70_000, hold: false })).toBe(0)
    })

    test('the leases of a dead owner end, those of the survivor stay', async () => {
      const [dead = '', alive = ''] = await add('a@one.test', 'b@two.test')
      await subject.store.lease({ ...request, owner: 'dead', room: new Map([['@two.test', 0]]) })
      await subject.store.lease({ ...request, owner: 'alive' })
      await subject.store.begin(dead, 'dead')
      await subject.store.begin(alive, 'alive')
      expect(await subject.store.reclaim({ now: 2_000, survivor: 'alive', dueAt: 3_000, hold: true })).toBe(1)
      expect(await stateOf(dead)).toBe('held')
      expect(await stateOf(alive)).toBe('leased')
      expect(await subject.store.reclaim({ now: 2_000, survivor: null, dueAt: 3_000, hold: false })).toBe(1)
      expect(await subject.store.get(alive)).toMatchObject({ state: 'ready', uncertain: true })
    })
  })
}
