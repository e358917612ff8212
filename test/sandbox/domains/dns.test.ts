import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { BareClient, resolverFor, send } from '../client.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

const mx = async (domain: string) =>
  (await resolverFor(sandbox).resolveMx(domain))
    .sort((one, other) => one.priority - other.priority)
    .map(({ priority, exchange }) => `${priority} ${exchange}`)
const a = (host: string) => resolverFor(sandbox).resolve4(host)
const connectionsOf = (host: string) => sandbox.statistics.exchangers.get(host)?.connections
const dial = async (host: string) => {
  const [ip = ''] = await a(host)
  return await BareClient.to(ip, sandbox.port)
}

test('every exchanger has a loopback address of its own', async () => {
  const addresses = await Promise.all(['mx.accepts.test', 'mx.slow.test', 'mx1.equal-pair.test'].map(a))
  expect(new Set(addresses.flat()).size).toBe(3)
  for (const ip of addresses.flat()) expect(ip).toMatch(/^127\.25\./)
})

test('second-exchanger.test: the first refuses connections, the second accepts', async () => {
  expect(await mx('second-exchanger.test')).toEqual([
    '10 mx1.second-exchanger.test',
    '20 mx2.second-exchanger.test',
  ])
  await expect(dial('mx1.second-exchanger.test')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const to = 'user@second-exchanger.test'
  expect(await send(sandbox, 'mx2.second-exchanger.test', { to })).toMatch(/^250 /)
})

test('greets-with-554.test: the first greets with 554 and waits for QUIT (RFC 5321 §3.1), the second accepts', async () => {
  expect(await mx('greets-with-554.test')).toHaveLength(2)
  using client = await dial('mx1.greets-with-554.test')
  expect(await client.reply()).toBe('554 5.7.1 No service for you here')
  expect(await client.command('EHLO sender.test')).toMatch(/^503 /)
  expect(await client.command('QUIT')).toMatch(/^221 /)
  await client.closed()
  const to = 'user@greets-with-554.test'
  expect(await send(sandbox, 'mx2.greets-with-554.test', { to })).toMatch(/^250 /)
})

test('equal-pair.test: two exchangers of one preference', async () => {
  const records = await mx('equal-pair.test')
  expect(records.sort()).toEqual(['10 mx1.equal-pair.test', '10 mx2.equal-pair.test'])
  for (const host of ['mx1.equal-pair.test', 'mx2.equal-pair.test']) {
    expect(await send(sandbox, host, { to: 'user@equal-pair.test' })).toMatch(/^250 /)
    expect(connectionsOf(host)).toBe(1)
  }
})

test('refuses-connections.test: its only exchanger refuses', async () => {
  expect(await mx('refuses-connections.test')).toEqual(['10 mx1.refuses-connections.test'])
  await expect(dial('mx1.refuses-connections.test')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('many-exchangers.test: forty exchangers, by way of TCP, and none listens', async () => {
  expect(await mx('many-exchangers.test')).toHaveLength(40)
  await expect(dial('mx40.many-exchangers.test')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('hosted.test: all names below share an exchanger', async () => {
  expect(await mx('customer1.hosted.test')).toEqual(['10 mx.hosted.test'])
  expect(await mx('customer2.hosted.test')).toEqual(['10 mx.hosted.test'])
  expect(await send(sandbox, 'mx.hosted.test', { to: 'user@customer1.hosted.test' })).toMatch(/^250 /)
  expect(await sandbox.received({ domain: 'customer1.hosted.test' })).toHaveLength(1)
})

test('no-mx.test has an address and no MX record (RFC 5321 §5.1)', async () => {
  await expect(mx('no-mx.test')).rejects.toMatchObject({ code: 'ENODATA' })
  expect(await send(sandbox, 'no-mx.test', { to: 'user@no-mx.test' })).toMatch(/^250 /)
})

test('null-mx.test has a null MX, and an address that counts who comes all the same (RFC 7505 §3)', async () => {
  expect(await mx('null-mx.test')).toEqual(['0 '])
  expect(connectionsOf('null-mx.test')).toBe(0)
  using _client = await dial('null-mx.test')
  expect(connectionsOf('null-mx.test')).toBe(1)
})

test('alias.test is a CNAME of accepts.test (RFC 5321 §5.1)', async () => {
  expect(await resolverFor(sandbox).resolveCname('alias.test')).toEqual(['accepts.test'])
  expect(await mx('alias.test')).toEqual(['10 mx.accepts.test'])
})

test('no-such-domain.test does not exist', async () => {
  await expect(mx('no-such-domain.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
})

test('no-address.test: the exchanger has no address, the domain has one', async () => {
  expect(await mx('no-address.test')).toEqual(['10 mx.no-address.test'])
  await expect(a('mx.no-address.test')).rejects.toMatchObject({ code: 'ENODATA' })
  expect(await a('no-address.test')).toHaveLength(1)
})

test('loops.test names the sending host', async () => {
  expect(await mx('loops.test')).toEqual([`10 ${sandbox.agentOptions.hostname}`])
  expect(await a('sender.test')).toEqual(['127.0.0.1'])
})

test('dns-servfail.test fails for every type, address-servfail.test for addresses', async () => {
  await expect(mx('dns-servfail.test')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  await expect(mx('address-servfail.test')).rejects.toMatchObject({ code: 'ENODATA' })
  await expect(a('address-servfail.test')).rejects.toMatchObject({ code: 'ESERVFAIL' })
})

test('dns-silence.test gets no answer', async () => {
  const resolver = resolverFor(sandbox)
  const answer = expect(resolver.resolveMx('dns-silence.test')).rejects.toMatchObject({ code: 'ECANCELLED' })
  expect(await mx('accepts.test')).toEqual(['10 mx.accepts.test'])
  resolver.cancel()
  await answer
  expect(sandbox.statistics.queries.get('MX dns-silence.test')).toBe(1)
})

test('ipv6.test has an IPv6 address only, where the machine has ::1', async ({ skip }) => {
  skip(!sandbox.domains.some(({ domain }) => domain === 'ipv6.test'), 'no ::1 on this machine')
  expect(await resolverFor(sandbox).resolve6('mx.ipv6.test')).toEqual(['::1'])
  await expect(a('mx.ipv6.test')).rejects.toMatchObject({ code: 'ENODATA' })
  expect(await send(sandbox, 'mx.ipv6.test', { to: 'user@ipv6.test', ip: '::1' })).toMatch(/^250 /)
})
