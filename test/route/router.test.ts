import { describe, expect, test } from 'vitest'
import { createCachingResolver } from '../../src/dns/cache.ts'
import { createSystemResolver } from '../../src/dns/system.ts'
import { RouteError } from '../../src/route/route.ts'
import { createRouter, type Lookup, type RouterOptions } from '../../src/route/router.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { type FakeRecords, fakeResolver } from '../support/fake-resolver.ts'
import { relayTo } from '../support/relay-to.ts'
import { exchanger } from './exchanger.ts'

function setUp(records: FakeRecords, options: Partial<RouterOptions> = {}) {
  const resolver = fakeResolver(records)
  const interfaceAddresses = () => ['198.51.100.7', '10.0.0.7']
  const router = createRouter({ resolver, hostname: 'Mail.Ours.Test.', interfaceAddresses, ...options })
  return { router, resolver }
}

async function failure(promise: Promise<unknown>): Promise<RouteError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(RouteError)
  return error as RouteError
}

const mxOf = (...records: (readonly [number, string])[]): FakeRecords => ({ mx: { 'example.test': records } })

describe('route', () => {
  test('exchangers come by ascending preference, compared as numbers (RFC 5321 §5.1)', async () => {
    const { router } = setUp(mxOf([100, 'c.test'], [9, 'a.test'], [20, 'b.test']))
    expect(await router.route('Example.TEST')).toEqual({
      domain: 'example.test',
      site: 'a.test:25 / b.test:25 / c.test:25',
      exchangers: [exchanger('a.test', 9), exchanger('b.test', 20), exchanger('c.test', 100)],
    })
  })

  test('a host listed twice counts once, with its better preference', async () => {
    const { router } = setUp(mxOf([20, 'a.test'], [10, 'b.test'], [5, 'A.test']))
    expect((await router.route('example.test')).exchangers).toEqual([
      exchanger('a.test', 5),
      exchanger('b.test'),
    ])
  })

  test('a domain without MX stands for itself with preference 0 (RFC 5321 §5.1)', async () => {
    const { router, resolver } = setUp({ a: { 'example.test': ['8.8.4.4'] } })
    const { exchangers } = await router.route('example.test')
    expect(exchangers).toEqual([exchanger('example.test', 0, { implicit: true })])
    expect(resolver.queries).toEqual(['MX example.test'])
  })

  test('a null MX means no mail at all (RFC 7505 §3)', async () => {
    const { router } = setUp({ ...mxOf([0, '']), a: { 'example.test': ['8.8.4.4'] } })
    expect((await failure(router.route('example.test'))).kind).toBe('null-mx')
  })

  test('a root beside real exchangers is ignored (RFC 7505 §3)', async () => {
    const { router } = setUp(mxOf([0, ''], [10, 'a.test']))
    expect((await router.route('example.test')).exchangers).toEqual([exchanger('a.test')])
  })

  test('a domain that does not exist has no exchanger (RFC 5321 §5.1)', async () => {
    const { router } = setUp({})
    const error = await failure(router.route('example.test'))
    expect([error.kind, error.message]).toEqual(['no-domain', 'The domain example.test does not exist'])
  })

  test('a lookup that fails is a failure of DNS, not a domain without MX (RFC 5321 §5.1)', async () => {
    const { router } = setUp({ a: { 'example.test': ['8.8.4.4'] }, fails: ['MX example.test'] })
    const error = await failure(router.route('example.test'))
    expect(error.kind).toBe('dns')
    expect(error.message).toContain('SERVFAIL for MX example.test')
  })

  test.each(['[192.0.2.1]', '[IPv6:2001:DB8::1]', '[::ffff:192.0.2.1]'])(
    'mail for %s goes straight there, without a question (RFC 5321 §4.1.3)',
    async (domain) => {
      const { router, resolver } = setUp({})
      const host = domain.startsWith('[IPv6') ? '[2001:db8::1]' : '[192.0.2.1]'
      expect(await router.route(domain)).toEqual({
        domain: domain.toLowerCase(),
        site: `${host}:25`,
        exchangers: [exchanger(host, 0)],
      })
      expect(resolver.queries).toEqual([])
    },
  )

  test('a literal without an address in it leads nowhere', async () => {
    expect((await failure(setUp({}).router.route('[x-tag:what]'))).kind).toBe('no-address')
  })

  test('a static route skips MX and keeps its own port', async () => {
    const { router, resolver } = setUp(mxOf([10, 'a.test']), {
      routes: { 'Example.test': 'mx.internal:2525' },
    })
    expect(await router.route('example.TEST')).toEqual({
      domain: 'example.test',
      site: 'route:mx.internal:2525',
      exchangers: [exchanger('mx.internal', 0, { port: 2525, isStatic: true })],
    })
    expect(resolver.queries).toEqual([])
  })

  test('the fallback relay is behind exchangers and the relay, not behind a host of the operator’s, nor behind itself', async () => {
    const { domains: _, ...other } = relayTo('other.test')
    const { router } = setUp(mxOf([10, 'a.test']), {
      routes: { 'static.test': 'mx.internal', 'own.test': { ...other, host: 'own.relay.test' } },
      relay: { ...relayTo('relay.test'), domains: ['*.relayed.test'] },
      fallbackRelay: other,
    })
    const fallbackOf = async (domain: string) => (await router.route(domain)).fallback?.site ?? null
    const site = 'route:relay:verified:other.test:587'
    expect(await fallbackOf('example.test')).toBe(site)
    expect(await fallbackOf('[192.0.2.1]')).toBe(site)
    expect(await fallbackOf('a.relayed.test')).toBe(site)
    expect(await fallbackOf('static.test')).toBeNull()
    expect(await fallbackOf('own.test')).toBeNull()
    const same = setUp({}, { relay: relayTo('other.test'), fallbackRelay: other }).router
    expect((await same.route('a.test')).fallback).toBeUndefined()
  })

  test('ten thousand domains at one provider are one site', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `d${index}.test`)
    const mx = Object.fromEntries(
      names.map((name, index): [string, readonly (readonly [number, string])[]] => [
        name,
        index % 2 === 0
          ? [
              [10, 'mx1.host.test'],
              [10, 'mx2.host.test'],
            ]
          : [
              [5, 'MX2.host.test'],
              [5, 'mx1.host.test'],
            ],
      ]),
    )
    const { router } = setUp({ mx })
    const routes = await Promise.all(names.map((name) => router.route(name)))
    expect(new Set(routes.map(({ site }) => site))).toEqual(new Set(['mx1.host.test:25 mx2.host.test:25']))
  })

  test('an abort rejects with its reason', async () => {
    const reason = new Error('stop')
    const { router } = setUp(mxOf([10, 'a.test']))
    const signal = AbortSignal.abort(reason)
    await expect(router.route('example.test', { signal })).rejects.toBe(reason)
    await expect(router.targets(exchanger('a.test'), { signal })).rejects.toBe(reason)
  })
})

describe('ourselves as exchanger (RFC 5321 §5.1)', () => {
  test('exchangers of equal and worse preference than ours are dropped', async () => {
    const { router } = setUp(mxOf([10, 'a.test'], [20, 'mail.OURS.test'], [20, 'b.test'], [30, 'c.test']))
    const route = await router.route('example.test')
    expect(route.exchangers).toEqual([exchanger('a.test')])
    expect(route.site).toBe('a.test:25')
  })

  test('if none is better the mail would loop', async () => {
    const { router } = setUp(mxOf([10, 'mail.ours.test'], [10, 'a.test'], [30, 'c.test']), {
      allowLocalAddresses: true,
    })
    expect((await failure(router.route('example.test'))).kind).toBe('loop')
  })

  test('a domain without MX that has our name would loop too', async () => {
    const { router } = setUp({ a: { 'mail.ours.test': ['8.8.4.4'] } })
    expect((await failure(router.route('mail.ours.test'))).kind).toBe('loop')
  })

  test('every name of ours counts, and the best of them decides', async () => {
    const answer = mxOf([30, 'mail.ours.test'], [5, 'a.test'], [10, 'mx2.ours.test'], [20, 'b.test'])
    const { router } = setUp(answer, { otherHostnames: ['MX2.ours.test'] })
    expect((await router.route('example.test')).exchangers).toEqual([exchanger('a.test', 5)])
  })

  test('an exchanger that has one of our addresses is ourselves', async () => {
    const { router } = setUp({ a: { 'a.test': ['8.8.4.4', '198.51.100.7'], 'b.test': ['10.0.0.7'] } })
    expect((await failure(router.targets(exchanger('a.test')))).kind).toBe('loop')
    expect((await failure(router.targets(exchanger('b.test')))).kind).toBe('loop')
    expect((await failure(router.targets(exchanger('[198.51.100.7]')))).kind).toBe('loop')
  })

  test('with local addresses allowed our own are dialled', async () => {
    const { router } = setUp({ a: { 'a.test': ['10.0.0.7', '127.0.0.1'] } }, { allowLocalAddresses: true })
    const targets = await router.targets(exchanger('a.test'))
    expect(targets.map(({ ip }) => ip)).toEqual(['10.0.0.7', '127.0.0.1'])
  })
})

describe('targets', () => {
  const a = exchanger('a.test')

  test('both families are looked up, and alternate (RFC 5321 §5.2)', async () => {
    const records = { a: { 'a.test': ['8.8.8.8', '8.8.4.4'] }, aaaa: { 'a.test': ['2a00::2', '2a00::1'] } }
    const { router, resolver } = setUp(records)
    expect(await router.targets(a)).toEqual([
      { exchanger: a, ip: '2a00::2', family: 6 },
      { exchanger: a, ip: '8.8.8.8', family: 4 },
      { exchanger: a, ip: '2a00::1', family: 6 },
      { exchanger: a, ip: '8.8.4.4', family: 4 },
    ])
    expect(resolver.queries).toEqual(['AAAA a.test', 'A a.test'])
  })

  test('a family that is not in use is neither looked up nor dialled', async () => {
    const records = { a: { 'a.test': ['8.8.8.8'] }, aaaa: { 'a.test': ['2a00::1', '::ffff:8.8.4.4'] } }
    const only4 = setUp(records, { families: [4] })
    expect((await only4.router.targets(a)).map(({ ip }) => ip)).toEqual(['8.8.8.8'])
    expect(only4.resolver.queries).toEqual(['A a.test'])
    const only6 = setUp(records, { families: [6] })
    expect((await only6.router.targets(a)).map(({ ip }) => ip)).toEqual(['2a00::1'])
    const error = await failure(only6.router.targets(exchanger('[8.8.8.8]')))
    expect([error.kind, error.message]).toEqual(['no-address', '[8.8.8.8] has no IPv6 address'])
  })

  test('an address given twice is dialled once', async () => {
    const { router } = setUp({
      a: { 'a.test': ['8.8.8.8', '8.8.8.8'] },
      aaaa: { 'a.test': ['::ffff:8.8.8.8'] },
    })
    expect((await router.targets(a)).map(({ ip }) => ip)).toEqual(['8.8.8.8'])
  })

  test.each(['A', 'AAAA'])(
    'a failure of %s alone is no matter while the other family has addresses',
    async (type) => {
      const { router } = setUp({
        a: { 'a.test': ['8.8.8.8'] },
        aaaa: { 'a.test': ['2a00::1'] },
        fails: [`${type} a.test`],
      })
      expect((await router.targets(a)).map(({ ip }) => ip)).toEqual([type === 'A' ? '2a00::1' : '8.8.8.8'])
    },
  )

  test.each([
    ['both families', ['A a.test', 'AAAA a.test']],
    ['one family, the other empty', ['AAAA a.test']],
  ])('SERVFAIL for %s is a failure of DNS, never "no such host" (RFC 5321 §5.1)', async (_, fails) => {
    expect((await failure(setUp({ fails }).router.targets(a))).kind).toBe('dns')
    const implicit = exchanger('a.test', 0, { implicit: true })
    expect((await failure(setUp({ fails }).router.targets(implicit))).kind).toBe('dns')
  })

  test('an exchanger whose name does not exist, or has no address, cannot be dialled', async () => {
    const { router } = setUp({ mx: { 'empty.test': [[0, '']] } })
    for (const host of ['gone.test', 'empty.test']) {
      const error = await failure(router.targets(exchanger(host)))
      expect([error.kind, error.message]).toEqual(['no-address', `${host} has no address`])
    }
  })

  test('a domain with neither MX nor address is said to be one (RFC 5321 §5.1)', async () => {
    const { router } = setUp({ mx: { 'example.test': [] } })
    const [implicit] = (await router.route('example.test')).exchangers
    const error = await failure(router.targets(implicit ?? a))
    expect([error.kind, error.message]).toEqual([
      'no-address',
      'example.test has neither an MX record nor an address',
    ])
  })

  test('an MX record that names an IP address is not asked about and not dialled (RFC 5321 §5.1)', async () => {
    const { router, resolver } = setUp(mxOf([10, '8.8.8.8']))
    const [exchanger] = (await router.route('example.test')).exchangers
    const error = await failure(router.targets(exchanger ?? a))
    expect([error.kind, error.message]).toEqual([
      'no-address',
      'The MX record names the IP address 8.8.8.8 instead of a host',
    ])
    expect(resolver.queries).toEqual(['MX example.test'])
  })
})

describe('forbidden addresses', () => {
  const a = exchanger('a.test')
  const records = { a: { 'a.test': ['127.0.0.1'] }, aaaa: { 'a.test': ['fd00::1'] } }

  test('an exchanger with special-purpose addresses only is not dialled, and the range is named', async () => {
    const error = await failure(setUp(records).router.targets(a))
    expect([error.kind, error.message]).toEqual([
      'forbidden',
      'a.test has only addresses that mail is not sent to: fd00::1 (unique local) and 1 more',
    ])
  })

  test.each(['[127.0.0.1]', '[::1]', '[10.1.2.3]', '[::ffff:169.254.169.254]', '[0.0.0.0]'])(
    'nor is the address literal %s',
    async (domain) => {
      const { router } = setUp({})
      const [literal] = (await router.route(domain)).exchangers
      expect((await failure(router.targets(literal ?? a))).kind).toBe('forbidden')
    },
  )

  test('the public addresses beside them are', async () => {
    const { router } = setUp({ a: { 'a.test': ['10.0.0.1', '8.8.8.8'] }, aaaa: { 'a.test': ['::1'] } })
    expect(await router.targets(a)).toEqual([{ exchanger: a, ip: '8.8.8.8', family: 4 }])
  })

  test('with local addresses allowed all are', async () => {
    const { router } = setUp(records, { allowLocalAddresses: true })
    expect((await router.targets(a)).map(({ ip }) => ip)).toEqual(['fd00::1', '127.0.0.1'])
  })

  test.each([
    ['10.0.0.7:2525', ['10.0.0.7'], []],
    ['[::1]:2525', ['::1'], []],
    ['localhost:2525', ['::1', '127.0.0.1'], []],
    ['a.test', ['fd00::1', '127.0.0.1'], ['AAAA a.test', 'A a.test']],
    ['mail.ours.test', ['127.0.0.1'], ['AAAA mail.ours.test', 'A mail.ours.test']],
  ])('a static route to %s is the operator’s own choice', async (target, ips, queries) => {
    const more = { a: { ...records.a, 'mail.ours.test': ['127.0.0.1'] }, aaaa: records.aaaa }
    const { router, resolver } = setUp(more, { routes: { 'example.test': target } })
    const [chosen] = (await router.route('example.test')).exchangers
    expect((await router.targets(chosen ?? a)).map(({ ip }) => ip)).toEqual(ips)
    expect(resolver.queries).toEqual(queries)
  })

  test('an exchanger that DNS calls localhost gets no such trust', async () => {
    const { router, resolver } = setUp({ ...mxOf([10, 'localhost']), a: { localhost: ['127.0.0.1'] } })
    const [exchanger] = (await router.route('example.test')).exchangers
    expect((await failure(router.targets(exchanger ?? a))).kind).toBe('forbidden')
    expect(resolver.queries).toContain('A localhost')
  })
})

describe('lookups', () => {
  test('a cold domain costs three queries, a warm one none', async () => {
    const server = await startDnsServer(({ type, name }) => {
      const answers = {
        'MX example.test': { type: 'MX', name, data: { exchange: 'mx1.example.test', preference: 10 } },
        'A mx1.example.test': { type: 'A', name, data: '8.8.8.8' },
        'AAAA mx1.example.test': { type: 'AAAA', name, data: '2a00::1' },
      } as const
      const answer = answers[`${type} ${name}` as keyof typeof answers]
      return { answers: answer === undefined ? [] : [answer] }
    })
    const resolver = createCachingResolver(
      createSystemResolver({ servers: [server.server], timeoutMs: 30_000 }),
    )
    const lookups: Lookup[] = []
    const onLookup = (lookup: Lookup) => lookups.push(lookup)
    const router = createRouter({ resolver, hostname: 'mail.ours.test', onLookup })
    const deliver = async () => {
      const { exchangers } = await router.route('example.test')
      return Promise.all(exchangers.map((exchanger) => router.targets(exchanger)))
    }
    const targets = await Promise.all(Array.from({ length: 100 }, deliver))
    await deliver()
    expect(targets[99]?.flat().map(({ ip }) => ip)).toEqual(['2a00::1', '8.8.8.8'])
    expect(server.questions.toSorted()).toEqual([
      'A mx1.example.test udp',
      'AAAA mx1.example.test udp',
      'MX example.test udp',
    ])
    expect(lookups).toEqual([
      {
        domain: 'example.test',
        exchangers: ['mx1.example.test'],
        error: null,
        durationMs: expect.any(Number),
      },
    ])
    await server.close()
  })

  test('a failed lookup is told of with its reason, once while it is remembered', async () => {
    const lookups: Lookup[] = []
    const resolver = createCachingResolver(fakeResolver(mxOf([0, ''])))
    const { router } = setUp({}, { resolver, onLookup: (lookup) => lookups.push(lookup) })
    for (const domain of ['example.test', 'example.test', 'gone.test', 'gone.test']) {
      await failure(router.route(domain))
    }
    expect(lookups.map(({ domain, exchangers, error }) => [domain, exchangers, error])).toEqual([
      ['example.test', [], 'example.test accepts no mail (null MX, RFC 7505)'],
      ['gone.test', [], 'The domain gone.test does not exist'],
    ])
  })
})

test('a malformed route and an empty list of families are refused on entry', () => {
  expect(() => setUp({}, { routes: { 'example.test': 'a b' } })).toThrow(TypeError)
  expect(() => setUp({}, { families: [] })).toThrow(TypeError)
})
