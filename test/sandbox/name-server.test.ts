import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { decode, encode, type Packet, streamEncode } from 'dns-packet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NameServer, startNameServer } from '../../src/sandbox/name-server.ts'
import type { Zone } from '../../src/sandbox/zone.ts'
import { resolverFor } from './client.ts'

const mx = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ preference: at, host: `exchanger-${at}.many.test` }))

const zone: Zone = new Map([
  ['a.test', { mx: [{ preference: 10, host: 'mx.a.test' }] }],
  ['mx.a.test', { a: ['127.0.0.5'], aaaa: ['::1'] }],
  ['null.test', { mx: [{ preference: 0, host: '' }] }],
  ['some.test', { mx: mx(20) }],
  ['many.test', { mx: mx(60) }],
  ['broken.test', { failure: 'servfail' }],
  ['mute.test', { failure: 'silence' }],
])

let server: NameServer
beforeAll(async () => {
  server = await startNameServer(zone)
})
afterAll(() => server.close())

const resolver = () => resolverFor({ dns: server.address })
const portOf = () => Number(server.address.split(':')[1])

const askOverUdp = (packet: Packet) =>
  new Promise<ReturnType<typeof decode>>((resolve) => {
    const socket = createSocket('udp4')
    socket.once('message', (octets) => {
      socket.close()
      resolve(decode(octets))
    })
    socket.send(encode(packet), portOf(), '127.0.0.1')
  })

test('MX, A and AAAA records are answered', async () => {
  expect(await resolver().resolveMx('a.test')).toMatchObject([{ exchange: 'mx.a.test', priority: 10 }])
  expect(await resolver().resolve4('mx.a.test')).toEqual(['127.0.0.5'])
  expect(await resolver().resolve6('mx.a.test')).toEqual(['::1'])
})

test('a null MX arrives as the root (RFC 7505 §3)', async () => {
  expect(await resolver().resolveMx('null.test')).toMatchObject([{ exchange: '', priority: 0 }])
})

test('what is not there is NXDOMAIN, NODATA or SERVFAIL', async () => {
  await expect(resolver().resolveMx('b.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  await expect(resolver().resolveMx('example.org')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  await expect(resolver().resolveTxt('a.test')).rejects.toMatchObject({ code: 'ENODATA' })
  await expect(resolver().resolveMx('broken.test')).rejects.toMatchObject({ code: 'ESERVFAIL' })
})

test('a question about a silent name is counted and not answered', async () => {
  const asking = resolver()
  const answer = expect(asking.resolveMx('mute.test')).rejects.toMatchObject({ code: 'ECANCELLED' })
  // The answer to a later question shows that the earlier one was read.
  await expect(resolver().resolve4('mx.a.test')).resolves.toEqual(['127.0.0.5'])
  asking.cancel()
  await answer
  expect(server.queries.get('MX mute.test')).toBe(1)
})

test('an answer that does not fit is cut off over UDP and whole over TCP (RFC 1035 §4.2.1)', async () => {
  expect(await resolver().resolveMx('many.test')).toHaveLength(60)
  expect(server.queries.get('MX many.test')).toBe(2)
})

test('a client without EDNS gets 512 octets at most, one with EDNS what it offers (RFC 6891 §6.2.3)', async () => {
  const question: Packet = { type: 'query', id: 7, questions: [{ type: 'MX', name: 'some.test' }] }
  const cut = await askOverUdp(question)
  expect([cut.flag_tc, cut.answers?.length]).toEqual([true, 0])
  const options = { extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }
  const opt = { type: 'OPT' as const, name: '.', udpPayloadSize: 1232, ...options }
  const whole = await askOverUdp({ ...question, additionals: [opt] })
  expect([whole.flag_tc, whole.answers?.length, whole.additionals?.length]).toEqual([false, 20, 1])
})

test('a negative answer says how long it holds (RFC 2308 §3)', async () => {
  const question: Packet = { type: 'query', id: 7, questions: [{ type: 'A', name: 'b.test' }] }
  const answer = await askOverUdp(question)
  expect(answer.authorities?.map(({ type, name }) => [type, name])).toEqual([['SOA', 'test']])
})

test('nonsense is not answered, and the next question is', async () => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.send('nonsense', portOf(), '127.0.0.1', () => resolve()))
  socket.close()
  expect(await resolver().resolve4('mx.a.test')).toEqual(['127.0.0.5'])
})

test('over TCP two questions are answered, in any fragmentation (RFC 7766 §8)', async () => {
  const question = (id: number) =>
    streamEncode({ type: 'query', id, questions: [{ type: 'A', name: 'mx.a.test' }] })
  const octets = Buffer.concat([question(1), question(2)])
  const socket = connect({ host: '127.0.0.1', port: portOf(), noDelay: true })
  for (const octet of octets) socket.write(Buffer.of(octet))
  const received: Buffer[] = []
  for await (const chunk of socket) {
    received.push(chunk)
    const all = Buffer.concat(received)
    if (all.length >= 2 && all.length >= 2 * (2 + all.readUInt16BE(0))) break
  }
  const all = Buffer.concat(received)
  const length = 2 + all.readUInt16BE(0)
  expect([decode(all, 2).id, decode(all, 2 + length).id]).toEqual([1, 2])
})
