/** What is added, and what of it is kept. */
import { describe, expect, test } from 'vitest'
import { messageOf, recipientOf, submissionTo, textOf } from '../queue-submissions.ts'
import { all, type StoreUnderTest } from './store-under-test.ts'

/** Registers the tests. */
export function testAdding(subject: StoreUnderTest): void {
  const { add } = subject

  describe('adding', () => {
    test('an entry holds what was submitted', async () => {
      const { submissionId, entryIds, isRepeated } = await subject.store.add(
        submissionTo([], {
          recipients: [
            recipientOf('bob@example.test', {
              field: 'cc',
              notify: ['SUCCESS', 'DELAY'],
              orcpt: 'rfc822;Bob@old.test',
            }),
          ],
          envid: 'QQ314159',
          ret: 'HDRS',
          dueAt: 1_500,
          warnAt: 4_000,
        }),
      )
      expect(isRepeated).toBe(false)
      const [id = ''] = entryIds
      expect(await subject.store.get(id)).toEqual({
        id,
        submissionId,
        messageId: '<5@sender.test>',
        size: messageOf('hello').size,
        recipient: {
          address: { localPart: 'bob', domain: 'example.test' },
          field: 'cc',
          notify: ['SUCCESS', 'DELAY'],
          orcpt: 'rfc822;Bob@old.test',
        },
        reversePath: { localPart: 'alice', domain: 'sender.test' },
        envid: 'QQ314159',
        ret: 'HDRS',
        state: 'ready',
        uncertain: false,
        attempts: 0,
        createdAt: 1_000,
        dueAt: 1_500,
        expiresAt: 1_000_000,
        isDelayWarned: false,
        last: null,
        site: '@example.test',
        sourceAddress: null,
        lease: null,
      })
    })

    test('every recipient has an entry of its own, in order', async () => {
      const ids = await add('a@one.test', 'b@two.test', 'c@one.test')
      const { entries } = await subject.store.list({ selector: all, limit: 10 })
      expect(entries.map(({ id, recipient }) => [id, recipient.address.localPart])).toEqual([
        [ids[0], 'a'],
        [ids[1], 'b'],
        [ids[2], 'c'],
      ])
    })

    test.each([0, 5_000, 300_000])(
      'a content of %i octets and more is read back octet for octet',
      async (size) => {
        const message = messageOf('content', size)
        const { submissionId } = await subject.store.add(submissionTo(['bob@example.test'], { message }))
        const kept = await subject.store.content(submissionId)
        expect(await textOf(kept)).toBe(await textOf(message))
        expect(await textOf(kept)).toBe(await textOf(message))
        expect([kept.messageId, kept.size, [...kept.requires]]).toEqual([message.messageId, message.size, []])
      },
    )

    test('what a message requires is kept', async () => {
      const message = { ...messageOf('ü'), requires: new Set(['8BITMIME', 'SMTPUTF8'] as const) }
      const { submissionId } = await subject.store.add(submissionTo(['bob@example.test'], { message }))
      expect((await subject.store.content(submissionId)).requires).toEqual(new Set(['8BITMIME', 'SMTPUTF8']))
    })

    test('the null reverse-path stays null', async () => {
      const { entryIds } = await subject.store.add(submissionTo(['bob@example.test'], { reversePath: null }))
      expect((await subject.store.get(entryIds[0] ?? ''))?.reversePath).toBeNull()
    })

    test('a known idempotency key gives the same ids and queues nothing, also at the same time', async () => {
      const keyed = submissionTo(['a@one.test', 'b@two.test'], { idempotencyKey: 'invoice 7' })
      const [first, second] = await Promise.all([subject.store.add(keyed), subject.store.add(keyed)])
      expect(second).toEqual({ ...first, isRepeated: true })
      expect((await subject.store.counts()).ready).toBe(2)
    })

    test('what is added at the same time is added in the order of the calls', async () => {
      const submissions = Array.from({ length: 20 }, (_, n) => submissionTo([`u${n}@one.test`]))
      const added = await Promise.all(submissions.map((submission) => subject.store.add(submission)))
      const { entries } = await subject.store.list({ selector: all, limit: 20 })
      expect(entries.map(({ id }) => id)).toEqual(added.flatMap(({ entryIds }) => entryIds))
    })

    test('an idempotency key outlives its entries', async () => {
      const keyed = submissionTo(['a@one.test'], { idempotencyKey: 'invoice 7' })
      const first = await subject.store.add(keyed)
      await subject.store.cancel(all)
      expect(await subject.store.add(keyed)).toEqual({ ...first, isRepeated: true })
      expect((await subject.store.counts()).ready).toBe(0)
    })

    test('a message that cannot be read is not queued at all', async () => {
      const { content: _, ...message } = {
        ...messageOf('broken'),
        async *open(): AsyncGenerator<Uint8Array> {
          yield Buffer.from('Subject: x\r\n')
          throw new Error('the connection is gone')
        },
      }
      await expect(subject.store.add(submissionTo(['bob@example.test'], { message }))).rejects.toThrow(
        'the connection is gone',
      )
      expect((await subject.store.counts()).ready).toBe(0)
    })
  })
}
