/** Dialling, against servers that say what a test tells them, all on loopback. */
import { expect, test } from 'vitest'
import { resolveSettings } from '../../src/config/settings.ts'
import { dialReceivers } from '../../src/doctor/receivers.ts'
import { deadAddress } from '../client/dead-address.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { silence } from '../support/scripted-steps.ts'
import { zoneResolver } from '../support/zone-resolver.ts'
import { examine } from './examining.ts'

const receivers = (records: Parameters<typeof zoneResolver>[0], port: number, options: object = {}) =>
  dialReceivers({
    settings: resolveSettings({
      smtp: { port, allowLocalAddresses: true },
      doctor: { receivers: ['receiver.test'] },
      ...options,
    }),
    resolver: zoneResolver(records),
    hostname: 'mail.example.org',
    signal: new AbortController().signal,
  })

const at = (...a: readonly string[]) => ({
  'receiver.test': { mx: [{ preference: 10, host: 'mx.receiver.test' }] },
  'mx.receiver.test': { a },
})

test('a receiver is greeted and left: EHLO and QUIT, no transaction', async () => {
  await using server = await ScriptedServer.start([
    { reply: '220 mx.receiver.test ESMTP' },
    { expect: 'EHLO mail.example.org' },
    { reply: ['250-mx.receiver.test at your service, [203.0.113.9]', '250 STARTTLS'] },
    { expect: 'QUIT' },
    { reply: '221 bye' },
  ])
  expect(await receivers(at('127.0.0.1'), server.port)).toEqual([
    {
      domain: 'receiver.test',
      failure: null,
      targets: [
        {
          family: 4,
          target: `mx.receiver.test [127.0.0.1]:${server.port}`,
          outcome: 'open',
          failure: null,
          lines: [
            '220 mx.receiver.test ESMTP',
            '250-mx.receiver.test at your service, [203.0.113.9]',
            '250 STARTTLS',
            '221 bye',
          ],
          localAddress: '127.0.0.1',
          greetedAt: expect.any(Number),
        },
      ],
    },
  ])
})

test('one that turns us away is open all the same, and its words are kept', async () => {
  await using server = await ScriptedServer.start([
    { reply: '554 5.7.1 You are on a list' },
    { expect: 'QUIT' },
    { reply: '221 bye' },
  ])
  const [receiver] = await receivers(at('127.0.0.1'), server.port)
  expect(receiver?.targets).toMatchObject([
    {
      outcome: 'open',
      failure: 'greeting: 554 5.7.1 You are on a list',
      lines: ['554 5.7.1 You are on a list', '221 bye'],
    },
  ])
})

test('one that never greets is open', async () => {
  await using server = await ScriptedServer.start(silence)
  const [receiver] = await receivers(at('127.0.0.1'), server.port, { timeouts: { greeting: 100 } })
  expect(receiver?.targets).toMatchObject([
    { outcome: 'open', failure: expect.stringMatching(/^greeting: /), lines: [], greetedAt: null },
  ])
})

test('an address that never answers is silent', async () => {
  await using dead = await deadAddress()
  const [receiver] = await receivers(at('127.0.0.1'), dead.port, { timeouts: { connect: 100 } })
  expect(receiver?.targets).toMatchObject([
    { outcome: 'silent', failure: 'no answer within 100 ms', lines: [] },
  ])
})

test('unrelated receivers that all keep silent are the provider’s doing', async () => {
  await using dead = await deadAddress()
  const mx = { mx: [{ preference: 10, host: 'mx.receiver.test' }] }
  const { results, verdict } = await examine('port-25', {
    records: { 'one.test': mx, 'two.test': mx, 'mx.receiver.test': { a: ['127.0.0.1'] } },
    options: {
      smtp: { port: dead.port, allowLocalAddresses: true },
      timeouts: { connect: 100 },
      doctor: { receivers: ['one.test', 'two.test'] },
    },
  })
  expect(results).toMatchObject([
    {
      subject: 'IPv4',
      status: 'problem',
      code: 'port-25-blocked',
      evidence: Array(2).fill({
        kind: 'connection',
        asked: `connect mx.receiver.test [127.0.0.1]:${dead.port}`,
        answers: [],
        failure: 'no answer within 100 ms',
      }),
    },
    { subject: 'IPv6', status: 'cannot-tell' },
  ])
  expect(verdict).toBe('unfit')
})

test('a closed port refuses', async () => {
  const server = await ScriptedServer.start(silence)
  const { port } = server
  await server.close()
  const [receiver] = await receivers(at('127.0.0.1'), port)
  expect(receiver?.targets).toMatchObject([
    { outcome: 'refused', failure: 'connection refused (ECONNREFUSED)' },
  ])
})

test('a source address that this host has not is told apart from a way out that is missing', async () => {
  const [receiver] = await receivers(at('127.0.0.1'), 9, { sourceAddresses: ['192.0.2.1'] })
  expect(receiver?.targets).toMatchObject([{ outcome: 'no-source' }])
})

test('a family without a source address is not dialled, as in delivery', async () => {
  const records = { ...at(), 'mx.receiver.test': { aaaa: ['::1'] } }
  expect(await receivers(records, 9, { sourceAddresses: ['127.0.0.1'] })).toMatchObject([{ targets: [] }])
})

test('only the best exchanger is dialled, and one address of it', async () => {
  const mx = [
    { preference: 20, host: 'second.receiver.test' },
    { preference: 10, host: 'mx.receiver.test' },
  ]
  const records = {
    ...at('127.0.0.1', '127.0.0.2'),
    'receiver.test': { mx },
    'second.receiver.test': { a: ['127.0.0.3'] },
  }
  const [receiver] = await receivers(records, 9)
  expect(receiver?.targets.map(({ target }) => target)).toEqual(['mx.receiver.test [127.0.0.1]:9'])
})

test('a receiver without a way to it is told apart from one that does not answer', async () => {
  expect(await receivers({}, 25)).toEqual([
    { domain: 'receiver.test', targets: [], failure: 'The domain receiver.test does not exist' },
  ])
})

test('an address that DNS must not lead us to is not dialled unless that is allowed', async () => {
  const options = { smtp: { port: 9, allowLocalAddresses: false } }
  expect(await receivers(at('127.0.0.1'), 9, options)).toMatchObject([
    { targets: [], failure: expect.stringContaining('127.0.0.1 (loopback)') },
  ])
})
