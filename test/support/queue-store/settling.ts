/** What becomes of a leased entry. */
import { describe, expect, test } from 'vitest'
import { attempt, deferral, greylisted, messageOf, submissionTo, textOf } from '../queue-submissions.ts'
import { all, request, type StoreUnderTest } from './store-under-test.ts'

/** Registers the tests. */
export function testSettling(subject: StoreUnderTest): void {
  const { addOne, leaseIds, stateOf } = subject

  describe('settling', () => {
    test('a delivered entry is gone, and the content with the last of its submission', async () => {
      const { submissionId, entryIds } = await subject.store.add(submissionTo(['a@one.test', 'b@two.test']))
      const [first = '', second = ''] = entryIds
      await subject.store.lease(request)
      expect(await subject.store.settle({ kind: 'delivered', id: first, owner: 'me', attempt })).toBe(true)
      expect(await subject.store.get(first)).toBeNull()
      expect((await subject.store.content(submissionId)).size).toBeGreaterThan(0)
      await subject.store.settle({ kind: 'delivered', id: second, owner: 'me', attempt })
      await expect(subject.store.content(submissionId)).rejects.toMatchObject({ code: 'ERR_QUEUE_DAMAGED' })
      expect(await subject.store.counts()).toEqual({ ready: 0, leased: 0, held: 0, dead: 0 })
    })

    test('without a lease nothing is settled, and no report is added', async () => {
      const id = await addOne('bob@example.test')
      const reports = [submissionTo(['alice@sender.test'], { reversePath: null })]
      const settlement = {
        kind: 'failed',
        id,
        owner: 'me',
        attempt,
        keep: false,
        last: greylisted,
        reports,
      } as const
      expect(await subject.store.settle(settlement)).toBe(false)
      await subject.store.lease({ ...request, owner: 'other' })
      expect(await subject.store.settle(settlement)).toBe(false)
      expect(await subject.store.counts()).toEqual({ ready: 0, leased: 1, held: 0, dead: 0 })
    })

    test('a deferred entry keeps every attempt with its reply and is due again at its time', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      await subject.store.settle(deferral(id, { sourceAddress: '192.0.2.99' }))
      expect(await leaseIds({ now: 4_999 })).toEqual([])
      expect(await leaseIds({ now: 5_000 })).toEqual([id])
      await subject.store.settle(deferral(id, { uncertain: true, dueAt: 7_000, last: null }))
      expect(await subject.store.get(id)).toMatchObject({
        state: 'ready',
        attempts: 2,
        dueAt: 7_000,
        uncertain: true,
        last: greylisted,
        sourceAddress: '192.0.2.99',
        lease: null,
      })
      expect(await subject.store.history(id)).toEqual([
        { number: 1, ...attempt },
        { number: 2, ...attempt },
      ])
    })

    test('once uncertain, always uncertain', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      await subject.store.settle(deferral(id, { uncertain: true }))
      await subject.store.lease({ ...request, now: 5_000 })
      await subject.store.settle(deferral(id))
      expect((await subject.store.get(id))?.uncertain).toBe(true)
    })

    test('a deferred entry can be held instead', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      await subject.store.settle(deferral(id, { hold: true, uncertain: true }))
      expect(await stateOf(id)).toBe('held')
      expect(await leaseIds({ now: 900_000 })).toEqual([])
      expect(await subject.store.leaseNotices({ ...request, now: 2_000_000 })).toEqual([])
    })

    test('a failed entry is gone, and its report is in the queue', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      const report = submissionTo(['alice@sender.test'], { reversePath: null, message: messageOf('report') })
      await subject.store.settle({
        kind: 'failed',
        id,
        owner: 'me',
        attempt,
        keep: false,
        last: greylisted,
        reports: [report],
      })
      const { entries } = await subject.store.list({ selector: all, limit: 10 })
      expect(entries).toMatchObject([
        { recipient: { address: { localPart: 'alice' } }, reversePath: null, state: 'ready' },
      ])
      expect(await textOf(await subject.store.content(entries[0]?.submissionId ?? ''))).toContain(
        'Subject: report',
      )
    })

    test('a failed entry that nobody can be told of is kept as dead', async () => {
      const id = await addOne('bob@example.test')
      await subject.store.lease(request)
      await subject.store.settle({ kind: 'failed', id, owner: 'me', attempt, keep: true, last: greylisted })
      expect(await subject.store.get(id)).toMatchObject({
        state: 'dead',
        attempts: 1,
        last: greylisted,
        lease: null,
      })
      expect(await leaseIds({ now: 900_000 })).toEqual([])
      expect(await subject.store.history(id)).toHaveLength(1)
    })
  })
}
