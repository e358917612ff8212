/** What can be seen of a queue, and found in it. */
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../../src/mail/address.ts'
import { submissionTo } from '../queue-submissions.ts'
import { all, request, type StoreUnderTest, trouble } from './store-under-test.ts'

/** Registers the tests. */
export function testLooking(subject: StoreUnderTest): void {
  const { add } = subject

  describe('looking', () => {
    test('a page holds so many, and says where the next begins', async () => {
      const ids = await add(...Array.from({ length: 5 }, (_, n) => `u${n}@one.test`))
      const first = await subject.store.list({ selector: all, limit: 2 })
      const second = await subject.store.list({ selector: all, limit: 2, after: first.next ?? '' })
      const third = await subject.store.list({ selector: all, limit: 2, after: second.next ?? '' })
      expect([first, second, third].map(({ entries }) => entries.map(({ id }) => id))).toEqual([
        ids.slice(0, 2),
        ids.slice(2, 4),
        ids.slice(4),
      ])
      expect(third.next).toBeNull()
    })

    test.each([
      [{ kind: 'domain', domain: 'one.test' }, ['a@one.test', 'b@one.test']],
      [{ kind: 'to', address: parseAddress('b@two.test') }, ['b@two.test']],
      [{ kind: 'from', reversePath: parseAddress('alice@sender.test') }, ['a@one.test', 'b@one.test']],
      [{ kind: 'from', reversePath: null }, ['b@two.test', 'c@three.test']],
      [{ kind: 'id', id: 'nonsense' }, []],
      [{ kind: 'id', id: 'ZZZZ' }, []],
    ] as const)('%j selects', async (selector, expected) => {
      await add('a@one.test', 'b@one.test')
      await subject.store.add(submissionTo(['b@two.test', 'c@three.test'], { reversePath: null }))
      const first = await subject.store.list({ selector, limit: 1 })
      const rest =
        first.next === null
          ? []
          : (await subject.store.list({ selector, limit: 9, after: first.next })).entries
      expect(
        [...first.entries, ...rest].map(
          ({ recipient: { address } }) => `${address.localPart}@${address.domain}`,
        ),
      ).toEqual(expected)
    })

    test('an id selects an entry, or all of a submission', async () => {
      await add('x@one.test')
      const { submissionId, entryIds } = await subject.store.add(submissionTo(['a@one.test', 'b@one.test']))
      const select = async (id: string) =>
        (await subject.store.list({ selector: { kind: 'id', id }, limit: 9 })).entries.map(
          (entry) => entry.id,
        )
      expect(await select(submissionId)).toEqual(entryIds)
      expect(await select(entryIds[1] ?? '')).toEqual([entryIds[1]])
    })

    test('states narrow it down, and are counted', async () => {
      const [ready = '', held = '', leased = ''] = await add('a@one.test', 'b@two.test', 'c@three.test')
      await subject.store.hold({ kind: 'id', id: held })
      await subject.store.lease({ ...request, room: new Map([['@one.test', 0]]) })
      const select = async (...states: ('ready' | 'held' | 'leased' | 'dead')[]) =>
        (await subject.store.list({ selector: all, states, limit: 9 })).entries.map(({ id }) => id)
      expect(await select('ready')).toEqual([ready])
      expect(await select('held', 'leased')).toEqual([held, leased])
      expect(await select('dead')).toEqual([])
      expect(await subject.store.counts()).toEqual({ ready: 1, leased: 1, held: 1, dead: 0 })
    })

    test('the statistics name the oldest, the next and the busiest', async () => {
      await subject.store.add(submissionTo(['a@one.test'], { createdAt: 500, dueAt: 3_000 }))
      await add('b@two.test', 'c@two.test')
      await subject.store.siteFailed('@one.test', trouble)
      expect(await subject.store.stats()).toEqual({
        counts: { ready: 3, leased: 0, held: 0, dead: 0 },
        submissions: 2,
        oldestReadyAt: 500,
        nextDueAt: 1_000,
        sites: [
          { site: '@two.test', ready: 2, trouble: null },
          { site: '@one.test', ready: 1, trouble },
        ],
      })
    })

    test('what does not exist is null or empty', async () => {
      expect(await subject.store.get('ZZZZ-1')).toBeNull()
      expect(await subject.store.get('nonsense')).toBeNull()
      expect(await subject.store.history('ZZZZ-1')).toEqual([])
    })
  })
}
