import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { addressOf, BareClient, greeted, keywords, send, transact } from '../client.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

const verified = () => ({ rejectUnauthorized: true, ca: sandbox.ca })
const statisticsOf = (host: string) => sandbox.statistics.exchangers.get(host)

/** STARTTLS by hand: gives the encrypted client and its socket. */
const encrypt = async (host: string, session?: Buffer) => {
  const plain = connectTcp({ host: await addressOf(sandbox, host), port: sandbox.port })
  const next = () => new Promise<void>((resolve) => plain.once('data', () => resolve()))
  for (const command of ['EHLO sender.test', 'STARTTLS']) {
    await next()
    plain.write(`${command}\r\n`)
  }
  await next()
  const options = { socket: plain, servername: host, ca: sandbox.ca, ...(session && { session }) }
  const secured: TLSSocket = connectTls(options)
  const ticket = new Promise<Buffer>((resolve) => secured.once('session', resolve))
  await new Promise<void>((resolve, reject) => secured.once('secureConnect', resolve).once('error', reject))
  return { client: new BareClient(secured), ticket, secured }
}

test.each(['mx.good-certificate.test', 'mx.accepts.test', 'no-mx.test', 'mx.chunking.test'])(
  '%s shows a certificate that the sandbox CA vouches for',
  async (host) => {
    expect(await send(sandbox, host, { to: 'user@accepts.test', tls: verified() })).toMatch(/^250 /)
    expect(statisticsOf(host)?.handshakes).toBe(1)
    expect(await sandbox.received({ exchanger: host })).toMatchObject([{ tls: true }])
  },
)

test.each([
  ['mx.self-signed.test', 'ESOCKET'],
  ['mx.expired-certificate.test', 'ESOCKET'],
  ['mx.wrong-name.test', 'ESOCKET'],
])('%s shows a certificate that is not to be believed, and accepts who does not care', async (host, code) => {
  const to = `user@${host.slice(3)}`
  expect(await send(sandbox, host, { to, tls: verified() })).toMatch(new RegExp(`^(${code}|ETLS)$`))
  expect(await send(sandbox, host, { to })).toMatch(/^250 /)
  expect(await sandbox.received({ exchanger: host })).toMatchObject([{ tls: true }])
})

test.each([
  ['mx.self-signed.test', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['mx.expired-certificate.test', 'CERT_HAS_EXPIRED'],
  ['mx.wrong-name.test', 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('%s fails verification with %s', async (host, code) => {
  await expect(encrypt(host)).rejects.toMatchObject({ code })
})

test('no-tls.test does not offer STARTTLS', async () => {
  expect(await keywords(sandbox, 'mx.no-tls.test')).not.toContain('STARTTLS')
  expect(await send(sandbox, 'mx.no-tls.test', { to: 'user@no-tls.test' })).toMatch(/^250 /)
  expect(await sandbox.received({ exchanger: 'mx.no-tls.test' })).toMatchObject([{ tls: false }])
})

test('refuses-tls.test offers STARTTLS, answers 454 and accepts on the same connection', async () => {
  expect(await keywords(sandbox, 'mx.refuses-tls.test')).toContain('STARTTLS')
  using client = await greeted(sandbox, 'mx.refuses-tls.test')
  expect(await client.command('STARTTLS')).toBe('454 4.7.0 TLS not available due to temporary reason')
  expect((await transact(client, { to: 'user@refuses-tls.test' })).at(-1)).toMatch(/^250 /)
})

test('broken-handshake.test says 220, then nonsense; in clear it accepts', async () => {
  using broken = await greeted(sandbox, 'mx.broken-handshake.test')
  expect(await broken.command('STARTTLS')).toBe('220 2.0.0 Ready to start TLS')
  expect(await broken.reply()).toBe('this is no ServerHello')
  await broken.closed()
  using client = await greeted(sandbox, 'mx.broken-handshake.test')
  expect((await transact(client, { to: 'user@broken-handshake.test' })).at(-1)).toMatch(/^250 /)
})

test.each(['mx.good-certificate.test', 'mx.chunking.test'])('%s resumes a TLS session', async (host) => {
  const before = statisticsOf(host)?.resumptions
  const first = await encrypt(host)
  // TLS 1.3 hands tickets out after the handshake.
  const session = await first.ticket
  first.client[Symbol.dispose]()
  const second = await encrypt(host, session)
  expect(await second.client.command('EHLO sender.test')).toMatch(/^250-/)
  expect(second.secured.isSessionReused()).toBe(true)
  expect(before).toBe(0)
  expect(statisticsOf(host)?.resumptions).toBe(1)
  second.client[Symbol.dispose]()
})

test('what was said before the handshake counts for nothing after it (RFC 3207 §4.2)', async () => {
  const { client } = await encrypt('mx.chunking.test')
  expect(await client.command('EHLO sender.test')).not.toContain('STARTTLS')
  expect(await client.command('RCPT TO:<user@chunking.test>')).toMatch(/^503 /)
  client[Symbol.dispose]()
})

test('commands sent in clear behind STARTTLS are thrown away (RFC 3207 §6)', async () => {
  const host = 'mx.chunking.test'
  const plain = connectTcp({ host: await addressOf(sandbox, host), port: sandbox.port })
  await new Promise((resolve) => plain.once('data', resolve))
  plain.write('STARTTLS\r\nMAIL FROM:<mallory@sender.test>\r\n')
  await new Promise((resolve) => plain.once('data', resolve))
  const secured = connectTls({ socket: plain, servername: host, ca: sandbox.ca })
  await new Promise((resolve) => secured.once('secureConnect', resolve))
  using client = new BareClient(secured)
  expect(await client.command('RCPT TO:<user@chunking.test>')).toMatch(/^503 /)
})
