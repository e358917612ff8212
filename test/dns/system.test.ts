import type { Answer, Question } from 'dns-packet'
import { afterEach, describe, expect, test } from 'vitest'
import { DnsError } from '../../src/dns/resolver.ts'
import { createSystemResolver } from '../../src/dns/system.ts'
import { type DnsServer, type Script, startDnsServer } from '../support/dns-server.ts'

let server: DnsServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function resolverOf(script: (question: Question) => Script | undefined, timeoutMs = 3_000) {
  server = await startDnsServer(script)
  return createSystemResolver({ servers: [server.server], timeoutMs })
}

const mx = (exchange: string, preference = 10, name = 'example.test'): Answer => ({
  type: 'MX',
  name,
  ttl: 60,
  data: { exchange, preference },
})

const failure = (promise: Promise<unknown>) =>
  promise.then(
    (value) => expect.unreachable(`resolved to ${JSON.stringify(value)}`),
    (error: unknown) => {
      expect(error).toBeInstanceOf(DnsError)
      return error as DnsError
    },
  )

describe('answers', () => {
  test('MX records come in lower case, without the final dot, the best first', async () => {
    const resolver = await resolverOf(() => ({
      answers: [mx('B.Example.TEST', 100), mx('a.example.test', 9)],
    }))
    expect(await resolver.resolveMx('example.test')).toEqual([
      { host: 'a.example.test', preference: 9 },
      { host: 'b.example.test', preference: 100 },
    ])
  })

  test('a null MX is one record with an empty host (RFC 7505 §3)', async () => {
    const resolver = await resolverOf(() => ({ answers: [mx('', 0)] }))
    expect(await resolver.resolveMx('example.test')).toEqual([{ host: '', preference: 0 }])
  })

  test('an alias is followed (RFC 5321 §5.1)', async () => {
    const alias: Answer = { type: 'CNAME', name: 'example.test', ttl: 60, data: 'real.test' }
    const resolver = await resolverOf(() => ({ answers: [alias, mx('mx.real.test', 5, 'real.test')] }))
    expect(await resolver.resolveMx('example.test')).toEqual([{ host: 'mx.real.test', preference: 5 }])
  })

  test('addresses keep the order given (RFC 5321 §5.1)', async () => {
    const resolver = await resolverOf(({ type, name }) => ({
      answers:
        type === 'A'
          ? ['192.0.2.9', '192.0.2.1'].map((data) => ({ type: 'A', name, data }))
          : ['2001:db8::9', '2001:db8::1'].map((data) => ({ type: 'AAAA', name, data })),
    }))
    expect(await resolver.resolve4('mx1.test')).toEqual(['192.0.2.9', '192.0.2.1'])
    expect(await resolver.resolve6('mx1.test')).toEqual(['2001:db8::9', '2001:db8::1'])
  })

  test('the strings of a TXT record stay apart, and belong together (RFC 7208 §3.3)', async () => {
    const txt: Answer = { type: 'TXT', name: 'example.test', data: ['v=spf1 ', '-all'] }
    const resolver = await resolverOf(() => ({ answers: [txt, { ...txt, data: ['other'] }] }))
    expect(await resolver.resolveTxt('example.test')).toEqual([['v=spf1 ', '-all'], ['other']])
  })

  test('PTR and CNAME records come as host names, and what is none is left out', async () => {
    const name = '1.2.0.192.in-addr.arpa'
    const resolver = await resolverOf(({ type }) => ({
      answers:
        type === 'PTR'
          ? ['Mail.Example.TEST', 'not a host.test'].map((data) => ({ type: 'PTR', name, data }))
          : [{ type: 'CNAME', name, data: 'Real.TEST' }],
    }))
    expect(await resolver.resolvePtr(name)).toEqual(['mail.example.test'])
    expect(await resolver.resolveCname(name)).toEqual(['real.test'])
  })

  test('a PTR record that names no possible host is a failure, not the absence of one', async () => {
    const resolver = await resolverOf(({ name }) => ({ answers: [{ type: 'PTR', name, data: 'a b' }] }))
    expect(await failure(resolver.resolvePtr('1.2.0.192.in-addr.arpa'))).toMatchObject({
      kind: 'temporary',
      reason: 'EBADRESP',
    })
  })

  test('a truncated answer is asked for again over TCP (RFC 1123 §6.1.3.2)', async () => {
    const resolver = await resolverOf(() => ({ truncated: true, answers: [mx('mx1.example.test')] }))
    expect(await resolver.resolveMx('example.test')).toEqual([{ host: 'mx1.example.test', preference: 10 }])
    expect(server?.questions).toEqual(['MX example.test udp', 'MX example.test tcp'])
  })

  test('of a list without end the best hundred are kept', async () => {
    const answers = Array.from({ length: 300 }, (_, index) => mx(`mx${index}.example.test`, 300 - index))
    const resolver = await resolverOf(() => ({ truncated: true, answers }))
    const records = await resolver.resolveMx('example.test')
    expect(records).toHaveLength(100)
    expect(records[0]).toEqual({ host: 'mx299.example.test', preference: 1 })
  })

  test('an exchanger whose name cannot be a host is dropped', async () => {
    const resolver = await resolverOf(() => ({ answers: [mx('a b\r\n.test', 1), mx('mx1.example.test')] }))
    expect(await resolver.resolveMx('example.test')).toEqual([{ host: 'mx1.example.test', preference: 10 }])
  })

  test('exchangers that are all impossible are a failure, not "no MX" (RFC 5321 §5.1)', async () => {
    const resolver = await resolverOf(() => ({ answers: [mx('a b.test'), mx('c\r\nd.test')] }))
    const error = await failure(resolver.resolveMx('example.test'))
    expect([error.kind, error.reason]).toEqual(['temporary', 'EBADRESP'])
  })
})

describe('failures', () => {
  test.each([
    ['NXDOMAIN', { rcode: 'NXDOMAIN' }, 'no-domain', 'ENOTFOUND'],
    ['an answer without records', {}, 'no-records', 'ENODATA'],
    ['SERVFAIL', { rcode: 'SERVFAIL' }, 'temporary', 'ESERVFAIL'],
    ['REFUSED', { rcode: 'REFUSED' }, 'temporary', 'EREFUSED'],
    ['FORMERR', { rcode: 'FORMERR' }, 'temporary', 'EFORMERR'],
    ['NOTIMP', { rcode: 'NOTIMP' }, 'temporary', 'ENOTIMP'],
    [
      'garbage',
      { spoil: (packet: Buffer) => Buffer.concat([packet.subarray(0, 4), Buffer.alloc(9, 255)]) },
      'temporary',
      'EBADRESP',
    ],
    ['two octets', { spoil: (packet: Buffer) => packet.subarray(0, 2) }, 'temporary', 'EBADRESP'],
    [
      'a packet cut short',
      { answers: [mx('mx1.example.test')], spoil: (packet: Buffer) => packet.subarray(0, -3) },
      'temporary',
      'EBADRESP',
    ],
  ] as const)('%s has its own kind', async (_, script: Script, kind, reason) => {
    const resolver = await resolverOf(() => script)
    const error = await failure(resolver.resolveMx('example.test'))
    expect([error.kind, error.reason]).toEqual([kind, reason])
    expect(error.message).toContain('example.test')
  })

  test.each(['A', 'AAAA'] as const)('%s lookups fail in the same kinds', async (type) => {
    const resolver = await resolverOf(({ name }) =>
      name === 'gone.test' ? undefined : name === 'broken.test' ? { rcode: 'SERVFAIL' } : {},
    )
    const ask = type === 'A' ? resolver.resolve4 : resolver.resolve6
    const names = ['gone.test', 'broken.test', 'empty.test']
    const kinds = await Promise.all(names.map(async (name) => (await failure(ask(name))).kind))
    expect(kinds).toEqual(['no-domain', 'temporary', 'no-records'])
  })

  test('an alias to a name without the records is "no records", an alias to nothing "no domain"', async () => {
    const alias = (data: string): Answer => ({ type: 'CNAME', name: 'example.test', data })
    const resolver = await resolverOf(({ type }) =>
      type === 'MX'
        ? { answers: [alias('real.test')] }
        : { rcode: 'NXDOMAIN', answers: [alias('gone.test')] },
    )
    expect((await failure(resolver.resolveMx('example.test'))).kind).toBe('no-records')
    expect((await failure(resolver.resolve4('example.test'))).kind).toBe('no-domain')
  })

  test('a name that no query can carry does not exist, and is not asked for', async () => {
    const resolver = await resolverOf(() => ({ answers: [mx('mx1.example.test')] }))
    for (const name of ['a..test', `${'x'.repeat(64)}.test`]) {
      expect((await failure(resolver.resolveMx(name))).kind).toBe('no-domain')
    }
    expect(server?.questions).toEqual([])
  })

  test('a question that got lost is asked again', async () => {
    let heard = 0
    const resolver = await resolverOf(() => {
      heard += 1
      return heard === 1 ? { silent: true } : { answers: [mx('mx1.example.test')] }
    }, 600)
    expect(await resolver.resolveMx('example.test')).toHaveLength(1)
  })

  test('a silent server is given up', async () => {
    const resolver = await resolverOf(() => ({ silent: true }), 150)
    const error = await failure(resolver.resolveMx('example.test'))
    expect([error.kind, error.reason]).toEqual(['temporary', 'ETIMEOUT'])
  })

  test('an answer to another query is no answer (RFC 5452 §9.1)', async () => {
    const spoil = (packet: Buffer) => {
      packet.writeUInt16BE(packet.readUInt16BE(0) ^ 1, 0)
      return packet
    }
    const resolver = await resolverOf(() => ({ answers: [mx('evil.test')], spoil }), 150)
    expect((await failure(resolver.resolveMx('example.test'))).reason).toBe('ETIMEOUT')
  })

  test('a dead first server leaves time for the second', async () => {
    const dead = await startDnsServer(() => ({ silent: true }))
    server = await startDnsServer(() => ({ answers: [mx('mx1.example.test')] }))
    const resolver = createSystemResolver({ servers: [dead.server, server.server], timeoutMs: 1_500 })
    expect(await resolver.resolveMx('example.test')).toHaveLength(1)
    expect(dead.questions).toContain('MX example.test udp')
    await dead.close()
  })
})

describe('many and impatient callers', () => {
  test('a thousand lookups at once all get their answers', async () => {
    const resolver = await resolverOf(({ name }) => ({ answers: [mx('mx1.example.test', 10, name)] }))
    const names = Array.from({ length: 1_000 }, (_, index) => `d${index}.test`)
    const answers = await Promise.all(names.map((name) => resolver.resolveMx(name)))
    expect(answers.every((records) => records[0]?.host === 'mx1.example.test')).toBe(true)
    expect(new Set(server?.questions).size).toBe(1_000)
  })

  test('an abort rejects with its reason', async () => {
    const reason = new Error('stop')
    const resolver = await resolverOf(() => ({ silent: true }), 150)
    const controller = new AbortController()
    const lookup = resolver.resolveMx('example.test', { signal: controller.signal })
    controller.abort(reason)
    await expect(lookup).rejects.toBe(reason)
    await expect(resolver.resolve4('example.test', { signal: controller.signal })).rejects.toBe(reason)
  })
})

describe('options', () => {
  test.each(['localhost', '192.0.2.1:99999', '192.0.2.1:', '', 'ns.example.test:53'])(
    '%j is refused as a server, and named',
    (bad) => {
      const create = () => createSystemResolver({ servers: ['192.0.2.1', bad], timeoutMs: 1_000 })
      expect(create).toThrow(TypeError)
      expect(create).toThrow(`got \`${bad}\``)
    },
  )

  test('servers may be IPv4 or IPv6, with or without a port', () => {
    const servers = ['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]', '[2001:db8::1]:5353']
    expect(() => createSystemResolver({ servers, timeoutMs: 1_000 })).not.toThrow()
  })

  test.each([0, -1, Number.NaN])('a time limit of %d is refused', (timeoutMs) => {
    expect(() => createSystemResolver({ timeoutMs })).toThrow(TypeError)
  })
})
