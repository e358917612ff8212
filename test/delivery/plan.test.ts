import { expect, test } from 'vitest'
import { planEnvelope } from '../../src/delivery/plan.ts'
import { createRouter } from '../../src/route/router.ts'
import { type FakeRecords, fakeResolver } from '../support/fake-resolver.ts'
import { envelope, recipient } from './fixtures.ts'

function begin(records: FakeRecords) {
  const resolver = fakeResolver(records)
  const interfaceAddresses = () => ['198.51.100.7']
  const router = createRouter({ resolver, hostname: 'sender.test', interfaceAddresses })
  return { resolver, router }
}

const random = () => 0

test('exchangers come in the order in which they would be dialled, each with its addresses or why it has none', async () => {
  const { router } = begin({
    mx: {
      'a.test': [
        [20, 'mx2.a.test'],
        [10, 'mx1.a.test'],
        [30, 'mx3.a.test'],
      ],
    },
    a: { 'mx1.a.test': ['93.184.216.1', '93.184.216.2'], 'mx3.a.test': ['10.0.0.1'] },
    aaaa: { 'mx1.a.test': ['2600:1406::1'] },
  })
  expect(await planEnvelope(envelope('bob@a.test'), router, { random })).toEqual([
    {
      address: 'bob@a.test',
      field: 'to',
      domain: 'a.test',
      exchangers: [
        {
          host: 'mx1.a.test',
          port: 25,
          preference: 10,
          implicit: false,
          ips: ['2600:1406::1', '93.184.216.1', '93.184.216.2'],
          error: null,
        },
        {
          host: 'mx2.a.test',
          port: 25,
          preference: 20,
          implicit: false,
          ips: [],
          error: 'mx2.a.test has no address',
        },
        {
          host: 'mx3.a.test',
          port: 25,
          preference: 30,
          implicit: false,
          ips: [],
          error: 'mx3.a.test has only addresses that mail is not sent to: 10.0.0.1 (private)',
        },
      ],
      failure: null,
    },
  ])
})

test('a domain without MX records stands for itself (RFC 5321 §5.1)', async () => {
  const { router } = begin({ a: { 'a.test': ['93.184.216.1'] } })
  expect(await planEnvelope(envelope('bob@a.test'), router, { random })).toMatchObject([
    { exchangers: [{ host: 'a.test', preference: 0, implicit: true, ips: ['93.184.216.1'] }], failure: null },
  ])
})

test.each([
  ['does not exist', {}, 'failed', '5.1.2', 'The domain a.test does not exist'],
  [
    'has a null MX',
    { mx: { 'a.test': [[0, '']] } },
    'failed',
    '5.1.10',
    'a.test accepts no mail (null MX, RFC 7505)',
  ],
  ['has failing name servers', { fails: ['MX a.test'] }, 'deferred', '4.4.3', 'SERVFAIL for MX a.test'],
  [
    'names ourselves',
    { mx: { 'a.test': [[10, 'sender.test']] } },
    'failed',
    '5.4.6',
    'this host, sender.test',
  ],
  [
    'has exchangers without addresses',
    { mx: { 'a.test': [[10, 'mx.a.test']] } },
    'deferred',
    '4.4.4',
    'mx.a.test has no address',
  ],
] as const)(
  'a domain that %s is told as its outcome would be',
  async (_what, records, outcome, status, words) => {
    const { router } = begin(records as FakeRecords)
    const [planned] = await planEnvelope(envelope('bob@a.test'), router, { random })
    expect(planned?.failure).toEqual({ outcome, status, diagnostic: expect.stringContaining(words) })
  },
)

test('every recipient has its line, and a domain is looked up once', async () => {
  const { router, resolver } = begin({
    mx: { 'a.test': [[10, 'mx.a.test']] },
    a: { 'mx.a.test': ['93.184.216.1'] },
  })
  const three = {
    reversePath: null,
    recipients: [recipient('x@a.test', 'to'), recipient('y@a.test', 'cc'), recipient('z@b.test', 'bcc')],
  }
  const planned = await planEnvelope(three, router, { random })
  expect(planned.map(({ address, field, failure }) => [address, field, failure?.status ?? null])).toEqual([
    ['x@a.test', 'to', null],
    ['y@a.test', 'cc', null],
    ['z@b.test', 'bcc', '5.1.2'],
  ])
  expect(resolver.queries.filter((query) => query === 'MX a.test')).toHaveLength(1)
})

test('an abort rejects with its reason', async () => {
  const { router } = begin({ mx: { 'a.test': [[10, 'mx.a.test']] } })
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(planEnvelope(envelope('bob@a.test'), router, { random, signal })).rejects.toThrow('enough')
})
