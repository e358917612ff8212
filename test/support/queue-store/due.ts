/** How long a runner may sleep, and what wakes it. */
import { describe, expect, test } from 'vitest'
import { submissionTo } from '../queue-submissions.ts'
import { all, type StoreUnderTest, trouble } from './store-under-test.ts'

/** Registers the tests. */
export function testDue(subject: StoreUnderTest): void {
  const { add } = subject

  describe('when something is due', () => {
    test('nothing waits: null', async () => {
      expect(await subject.store.nextDue(new Map())).toBeNull()
    })

    test('the earliest of the sites that have room', async () => {
      await subject.store.add(submissionTo(['a@one.test'], { dueAt: 3_000 }))
      await subject.store.add(submissionTo(['b@two.test'], { dueAt: 4_000 }))
      expect(await subject.store.nextDue(new Map())).toBe(3_000)
      expect(await subject.store.nextDue(new Map([['@one.test', 0]]))).toBe(4_000)
      await subject.store.siteFailed('@one.test', trouble)
      await subject.store.siteFailed('@two.test', { ...trouble, until: 11_000 })
      expect(await subject.store.nextDue(new Map())).toBe(10_000)
    })

    test('a notice counts too', async () => {
      await subject.store.add(submissionTo(['a@one.test'], { dueAt: 9_000, warnAt: 4_000 }))
      expect(await subject.store.nextDue(new Map([['@one.test', 0]]))).toBe(4_000)
    })

    test('whoever waits is told of what is added, released and retried', async () => {
      await subject.store.changed().catch(() => {})
      for (const act of [
        () => add('a@one.test'),
        () => subject.store.retryNow(all, 3_000),
        () => subject.store.hold(all).then(() => subject.store.release(all, 3_000)),
      ]) {
        const told = subject.store.changed()
        await act()
        await told
      }
    })

    test('what changes while nobody waits is told to the next who does', async () => {
      await subject.store.changed()
      await add('a@one.test')
      await subject.store.changed()
    })

    test('waiting ends with the reason of the signal', async () => {
      await subject.store.changed()
      const reason = new Error('stop')
      const controller = new AbortController()
      const told = subject.store.changed(controller.signal)
      controller.abort(reason)
      await expect(told).rejects.toBe(reason)
    })
  })
}
