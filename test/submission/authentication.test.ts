import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LogEvent } from '../../src/log/events.ts'
import { silentLog } from '../../src/log/log.ts'
import { createAuthenticator } from '../../src/submission/authentication.ts'
import { Refusal } from '../../src/submission/refusal.ts'
import { certificates, plain, start, usersText } from './client.ts'

let dir = ''
let usersFile = ''

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mxpress-auth-'))
  usersFile = path.join(dir, 'users')
  await writeFile(usersFile, await usersText(['alice', 'secret'], ['jörg', 'pass wörd']), { mode: 0o600 })
})
afterEach(() => rm(dir, { recursive: true }))

const fakeClock = () => {
  let nowMs = 0
  return { now: () => nowMs, monotonic: () => nowMs, advance: (ms: number) => (nowMs += ms) }
}

const authenticatorAt = (clock = fakeClock()) => createAuthenticator({ usersFile, clock, failureDelayMs: 0 })
const login = { name: 'alice', actFor: '', password: 'secret', ip: '192.0.2.1' }
const replyTo = (attempt: Promise<string>) =>
  attempt.catch((error: unknown) =>
    error instanceof Refusal ? `${error.responseCode} ${error.message}` : error,
  )
const invalid = '535 5.7.8 authentication credentials invalid'

const public_ = () =>
  start({
    isLoopback: () => false,
    tls: certificates.kinds.trusted,
    authenticator: authenticatorAt(),
    log: { ...silentLog, write: (event) => events.push(event) },
  })
const events: LogEvent[] = []
const encrypted = async (server: Awaited<ReturnType<typeof start>>) => {
  const client = await server.greeted()
  await client.startTls()
  await client.command('EHLO client.test')
  return client
}
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('AUTH PLAIN works with and without an initial response (RFC 4954 §4)', async () => {
  await using server = await public_()
  const first = await encrypted(server)
  expect(await first.command(`AUTH PLAIN ${plain('jörg', 'pass wörd')}`)).toMatch(/^235 2\.7\.0 /)
  const second = await encrypted(server)
  expect(await second.command('AUTH PLAIN')).toBe('334')
  expect(await second.command(plain('alice', 'secret'))).toMatch(/^235 /)
})

test('AUTH LOGIN works', async () => {
  await using server = await public_()
  const client = await encrypted(server)
  expect(await client.command('AUTH LOGIN')).toBe(`334 ${base64('Username:')}`)
  expect(await client.command(base64('alice'))).toBe(`334 ${base64('Password:')}`)
  expect(await client.command(base64('secret'))).toMatch(/^235 /)
  expect(await client.send('From: a@b.test\r\n\r\nx\r\n.\r\n')).toMatch(/^250 /)
  expect(server.accepted[0]?.content).toMatch(
    /^Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n\t\(using TLSv1\.3 .*\r\n\tby mail\.sender\.test with ESMTPSA id /,
  )
})

test('guesses that come together count as if they came one by one, and others are not kept waiting', async () => {
  const authenticator = authenticatorAt()
  const done: string[] = []
  const guesses = Array.from({ length: 40 }, async (_, index) => {
    const reply = await replyTo(authenticator.authenticate({ ...login, password: `guess ${index}` }))
    done.push('guess')
    return reply
  })
  const honest = authenticator.authenticate({ ...login, ip: '192.0.2.2' }).then(() => done.push('honest'))
  const replies = await Promise.all(guesses)
  await honest
  expect(replies.slice(0, 20)).toEqual(new Array(20).fill(invalid))
  expect(new Set(replies.slice(20))).toEqual(
    new Set(['421 4.7.0 too many failed logins from your address, try again later']),
  )
  expect(done.indexOf('honest')).toBeLessThan(5)
})

test('the third wrong login ends the session', async () => {
  await using server = await public_()
  const client = await encrypted(server)
  for (const password of ['a', 'b']) {
    expect(await client.command(`AUTH PLAIN ${plain('alice', password)}`)).toBe(invalid)
  }
  expect(await client.command(`AUTH PLAIN ${plain('alice', 'c')}`)).toBe('421 4.7.0 too many failed logins')
  expect(await client.rest()).toBe('')
})

test('logins are logged, passwords are not', async () => {
  events.length = 0
  {
    await using server = await public_()
    const client = await encrypted(server)
    await client.command(`AUTH PLAIN ${plain('alice', 'hunter2')}`)
    await client.command(`AUTH PLAIN ${plain('alice', 'secret')}`)
  }
  expect(events).toEqual([
    {
      kind: 'login',
      id: expect.any(String),
      client: '127.0.0.1',
      user: 'alice',
      isRight: false,
      error: '5.7.8 authentication credentials invalid',
    },
    { kind: 'login', id: expect.any(String), client: '127.0.0.1', user: 'alice', isRight: true, error: null },
  ])
  expect(JSON.stringify(events)).not.toMatch(/hunter2|secret/)
})

test.each([
  ['a wrong password', { password: 'Secret' }],
  ['an empty password', { password: '' }],
  ['an unknown user', { name: 'nobody' }],
  ['another case of the name', { name: 'Alice' }],
  ['to act for another (RFC 4616 §2)', { actFor: 'root' }],
])('%s is refused, all in the same words', async (_name, part) => {
  expect(await replyTo(authenticatorAt().authenticate({ ...login, ...part }))).toBe(invalid)
})

test('to act for oneself is allowed', async () => {
  expect(await authenticatorAt().authenticate({ ...login, actFor: 'alice' })).toBe('alice')
})

test('an address that has failed 20 times is not listened to for ten minutes, others are', async () => {
  const clock = fakeClock()
  const { authenticate } = authenticatorAt(clock)
  for (let index = 0; index < 20; index += 1) await replyTo(authenticate({ ...login, password: 'wrong' }))
  expect(await replyTo(authenticate(login))).toBe(
    '421 4.7.0 too many failed logins from your address, try again later',
  )
  expect(await authenticate({ ...login, ip: '192.0.2.2' })).toBe('alice')
  clock.advance(10 * 60_000)
  expect(await replyTo(authenticate(login))).toMatch(/^421 /)
  clock.advance(1)
  expect(await authenticate(login)).toBe('alice')
})

test('the addresses of one IPv6 /64 are one (RFC 6177 §2)', async () => {
  const { authenticate } = authenticatorAt()
  for (let index = 0; index < 20; index += 1) {
    await replyTo(authenticate({ ...login, password: 'wrong', ip: `2001:db8:0:1::${index.toString(16)}` }))
  }
  expect(await replyTo(authenticate({ ...login, ip: '2001:db8:0:1:ffff::1' }))).toMatch(/^421 /)
  expect(await authenticate({ ...login, ip: '2001:db8:0:2::1' })).toBe('alice')
})

test('a change of the users file counts at once; one that cannot be used refuses nobody for good', async () => {
  const { authenticate } = authenticatorAt()
  expect(await authenticate(login)).toBe('alice')
  await writeFile(usersFile, await usersText(['alice', 'new']))
  expect(await replyTo(authenticate(login))).toBe(invalid)
  expect(await authenticate({ ...login, password: 'new' })).toBe('alice')
  await chmod(usersFile, 0o644)
  expect(await replyTo(authenticate({ ...login, password: 'new' }))).toBe(
    '454 4.7.0 temporary authentication failure',
  )
})
