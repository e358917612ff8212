/** What a closed store does. */
import { expect, test } from 'vitest'
import { request, type StoreUnderTest } from './store-under-test.ts'

/** Registers the tests. */
export function testClosing(subject: StoreUnderTest): void {
  const { addOne } = subject

  test('a closed store refuses', async () => {
    await subject.store.close()
    await expect(subject.store.counts()).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
    await expect(addOne('a@one.test')).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
  })

  test('a closed store begins nothing', async () => {
    const id = await addOne('a@one.test')
    await subject.store.lease(request)
    await subject.store.close()
    await expect(subject.store.begin(id, 'me')).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
  })
}
