/** Whoever may not send must not be able to, whatever is tried. `127.0.0.1` stands for this host, the rest for strangers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { type Credentials, createAuthenticator } from '../../src/submission/authentication.ts'
import { startSubmission } from '../../src/submission/submission.ts'
import { systemClock } from '../../src/time/clock.ts'
import { certificates, hostname, plain, type RawClient, start, usersText } from './client.ts'

let dir = ''
let usersFile = ''

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mxpress-relay-'))
  usersFile = path.join(dir, 'users')
  await writeFile(usersFile, await usersText(['alice', 'secret']), { mode: 0o600 })
})
afterAll(() => rm(dir, { recursive: true }))

const isLoopback = (ip: string) => ip === '127.0.0.1'
const tls = certificates.kinds.trusted
const authenticator = {
  authenticate: (credentials: Credentials) =>
    createAuthenticator({ usersFile, clock: systemClock, failureDelayMs: 0 }).authenticate(credentials),
}
const accept = async () => ({ queueId: 'never' })

describe('an address that others can reach is not listened at', () => {
  test.each([
    ['with nothing', {}, 'a certificate for STARTTLS and a users file for AUTH'],
    ['without a users file', { tls }, 'a users file for AUTH'],
  ])('%s', async (_name, protection, lacks) => {
    for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:25', '[2001:db8::1]:0']) {
      const starting = startSubmission({ listen: ['127.0.0.1:0', listen], hostname, accept, ...protection })
      await expect(starting).rejects.toThrow(ConfigError)
      await expect(starting).rejects.toThrow(`${listen} can be reached from other hosts, and lacks ${lacks}:`)
    }
  })

  test('without a certificate', async () => {
    const starting = startSubmission({ listen: ['0.0.0.0:0'], hostname, accept, usersFile })
    await expect(starting).rejects.toThrow('and lacks a certificate for STARTTLS:')
  })
})

test('a stranger who reaches a loopback address is turned away', async () => {
  await using server = await start({ isLoopback })
  const client = await server.dial({ localAddress: '127.0.0.9' })
  expect(await client.reply()).toBe('554 5.7.1 this port is for programs of this host')
  client.write('EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n\r\nx\r\n.\r\n')
  expect(await client.rest()).toBe('')
  expect(server.accepted).toEqual([])
})

test('a program of this host needs no login', async () => {
  await using server = await start({ isLoopback })
  const client = await server.greeted({ localAddress: '127.0.0.1' })
  expect(await client.send('From: a@b.test\r\n\r\nx\r\n.\r\n')).toMatch(/^250 /)
  expect(await client.command(`AUTH PLAIN ${plain('alice', 'secret')}`)).toMatch(/^50[02] /)
})

const content = 'From: a@b.test\r\n\r\nx\r\n.\r\n'
const mail = 'MAIL FROM:<alice@sender.test>'
const transaction = `${mail}\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n${content}`
const logIn = `AUTH PLAIN ${plain('alice', 'secret')}`

/** Each ends with a try to send; none may succeed. */
const tries: readonly (readonly [name: string, act: (client: RawClient) => Promise<unknown>])[] = [
  ['before STARTTLS and AUTH', (client) => client.command(mail)],
  ['with HELO', async (client) => [await client.command('HELO x'), await client.command(mail)]],
  [
    'after STARTTLS, before AUTH',
    async (client) => {
      await client.startTls()
      await client.command('EHLO client.test')
      return await client.command(mail)
    },
  ],
  ['after AUTH in clear', async (client) => [await client.command(logIn), await client.command(mail)]],
  [
    'after AUTH LOGIN in clear',
    async (client) => [await client.command('AUTH LOGIN'), await client.command(mail)],
  ],
  [
    'after AUTH with a wrong password',
    async (client) => {
      await client.startTls()
      await client.command('EHLO client.test')
      return [await client.command(`AUTH PLAIN ${plain('alice', 'wrong')}`), await client.command(mail)]
    },
  ],
  [
    'after AUTH for another user',
    async (client) => {
      await client.startTls()
      await client.command('EHLO client.test')
      return [
        await client.command(`AUTH PLAIN ${plain('alice', 'secret', 'root')}`),
        await client.command(mail),
      ]
    },
  ],
  [
    'after AUTH with an empty name and password',
    async (client) => {
      await client.startTls()
      await client.command('EHLO client.test')
      return [await client.command(`AUTH PLAIN ${plain('', '')}`), await client.command(mail)]
    },
  ],
  [
    'after AUTH that was begun and given up',
    async (client) => {
      await client.startTls()
      await client.command('EHLO client.test')
      return [await client.command('AUTH PLAIN'), await client.command('*'), await client.command(mail)]
    },
  ],
  [
    'after XCLIENT',
    async (client) => [
      await client.command('XCLIENT ADDR=127.0.0.1 LOGIN=alice'),
      await client.command(mail),
    ],
  ],
  [
    'after XFORWARD',
    async (client) => [await client.command('XFORWARD ADDR=127.0.0.1'), await client.command(mail)],
  ],
  ['after WIZ', async (client) => [await client.command('WIZ please'), await client.command(mail)]],
  ['with AUTH= in MAIL', (client) => client.command(`${mail} AUTH=alice`)],
  [
    'with everything in one write',
    async (client) => {
      client.write(transaction)
      return await client.reply()
    },
  ],
  [
    'with commands in clear behind STARTTLS (CVE-2011-0411)',
    async (client) => {
      client.write(`STARTTLS\r\n${logIn}\r\n${transaction}`)
      return await client.reply()
    },
  ],
]

describe('a stranger cannot send', () => {
  test.each(tries)('%s', async (_name, act) => {
    await using server = await start({
      listen: ['127.0.0.2:0'],
      isLoopback,
      tls,
      authenticator,
    })
    const client = await server.greeted()
    const replies = [await act(client)].flat()
    expect(replies.at(-1)).not.toMatch(/^(?:250|354|235) /)
    client.write(transaction)
    client.write('QUIT\r\n')
    expect(await client.rest()).not.toMatch(/^(?:235|354) |Accepted|queued/m)
    expect(server.accepted).toEqual([])
  })

  test('from this host either, at the address for strangers', async () => {
    await using server = await start({ listen: ['127.0.0.2:0'], isLoopback, tls, authenticator })
    const client = await server.greeted({ localAddress: '127.0.0.1' })
    expect(await client.command(mail)).toBe('530 5.7.0 log in first: STARTTLS, then AUTH')
  })
})

test('AUTH is offered under TLS only (RFC 4954 §4), and STARTTLS until then (RFC 3207 §4.2)', async () => {
  await using server = await start({ listen: ['127.0.0.2:0'], isLoopback, tls, authenticator })
  const client = await server.dial()
  await client.reply()
  const inClear = await client.command('EHLO client.test')
  expect(inClear).toContain('STARTTLS')
  expect(inClear).not.toContain('AUTH')
  await client.startTls()
  const encrypted = await client.command('EHLO client.test')
  expect(encrypted).not.toContain('STARTTLS')
  expect(encrypted).toContain('AUTH PLAIN LOGIN')
})

test('what was said before STARTTLS is forgotten (RFC 3207 §4.2)', async () => {
  await using server = await start({ listen: ['127.0.0.2:0'], isLoopback, tls, authenticator })
  const client = await server.greeted()
  await client.startTls()
  expect(await client.command(logIn)).toMatch(/^503 /)
})

test('two addresses are protected each in its own way', async () => {
  await using server = await start({ listen: ['127.0.0.1:0', '127.0.0.2:0'], isLoopback, tls, authenticator })
  const here = await server.greeted({ at: 0, localAddress: '127.0.0.1' })
  const there = await server.greeted({ at: 1 })
  expect(await here.command(mail)).toMatch(/^250 /)
  expect(await there.command(mail)).toMatch(/^530 /)
})
