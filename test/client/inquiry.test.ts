/** One command and its reply in an open session. */
import { expect, test } from 'vitest'
import { ask } from '../../src/client/inquiry.ts'
import { RemoteProtocolError } from '../../src/smtp/errors.ts'
import { opened } from './open.ts'

const RSET = 'RSET\r\n'

test('a reply is a value, whatever its code', async () => {
  const { session } = await opened({ RSET: '550 5.5.1 no' })
  expect(await ask(session, RSET, 30_000)).toEqual({ code: 550, status: '5.5.1', lines: ['no'] })
  expect(session.isUsable).toBe(true)
  await session.quit()
})

test('after 421 nothing more is asked, not even QUIT (RFC 5321 §3.8)', async () => {
  const { session, heard } = await opened({ RSET: '421 4.3.2 closing' })
  expect(await ask(session, RSET, 30_000)).toMatchObject({ code: 421 })
  await session.quit()
  expect(heard.commands.at(-1)).toBe('RSET')
})

test.each([['an intermediate reply', '354 go on', /expected a verdict on RSET, found 354/]])(
  '%s ends the session',
  async (_title, answer, message) => {
    const { session } = await opened({ RSET: answer })
    const error = await ask(session, RSET, 30_000).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(RemoteProtocolError)
    expect((error as Error).message).toMatch(message)
    expect(session.isUsable).toBe(false)
  },
)

test('a second reply to one command ends the session at the next', async () => {
  const { session } = await opened({ RSET: ['250 2.0.0 ok', '250 2.0.0 ok'] })
  await ask(session, RSET, 30_000)
  await expect(ask(session, RSET, 30_000)).rejects.toThrow(/expected one reply for each command/)
  expect(session.isUsable).toBe(false)
})

test('a limit that is exceeded is the connection’s failure from then on', async () => {
  const { session } = await opened({ RSET: (client) => client.untilGone() })
  await expect(ask(session, RSET, 20)).rejects.toThrow('no end of the reply to RSET within 20 ms')
  await expect(ask(session, RSET, 20)).rejects.toThrow('within 20 ms')
})
