/** What is to be done before the content goes out: noted in the queue, so that a crash does not leave it in doubt. */
import { describe, expect, test } from 'vitest'
import { opened } from './open.ts'
import { contentOf, endedBy, streamedMessage, transact } from './transactions.ts'

const large = () => streamedMessage([contentOf(600_000)])

describe.each([
  ['BDAT in one flight', { offers: ['PIPELINING', 'CHUNKING'] }, {}],
  ['BDAT in chunks', { offers: ['PIPELINING', 'CHUNKING'] }, { message: large() }],
  ['DATA', { offers: ['PIPELINING'] }, {}],
  ['DATA in steps', { offers: [] }, { message: large() }],
])('with %s', (_way, answers, transaction) => {
  test('is awaited before the first octet of the content', async () => {
    const { session, heard } = await opened(answers)
    const { promise, resolve } = Promise.withResolvers<void>()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const beforeContent = (): Promise<void> => {
      ask()
      return promise
    }
    const end = transact(session, { ...transaction, beforeContent })
    await asked
    expect(heard.flights.join('')).not.toMatch(/Subject|BDAT/)
    resolve()
    expect(await end).toMatchObject(endedBy('end-of-data', 250))
    expect(heard.contents.length).toBeGreaterThan(0)
    await session.quit()
  })

  test('if it fails nothing of the content goes out, the recipient is in no doubt, and the session is over', async () => {
    const { session, heard } = await opened(answers)
    const error = new Error('the disk is gone')
    const end = await transact(session, { ...transaction, beforeContent: () => Promise.reject(error) })
    expect(end).toMatchObject({ reply: null, error, isContentSent: false })
    expect(session.isUsable).toBe(false)
    expect(heard.contents).toEqual([])
  })
})

test('a recipient that is refused is never about to get the content, where the content is not in the flight', async () => {
  const { session } = await opened({ offers: ['PIPELINING'], RCPT: '550 5.1.1 no such user' })
  let isBegun = false
  const beforeContent = async (): Promise<void> => {
    isBegun = true
  }
  expect(await transact(session, { beforeContent })).toMatchObject(endedBy('rcpt', 550))
  expect(isBegun).toBe(false)
  await session.quit()
})
