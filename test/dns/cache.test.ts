import { expect, test } from 'vitest'
import { createCachingResolver } from '../../src/dns/cache.ts'
import { createSystemResolver } from '../../src/dns/system.ts'
import type { Clock } from '../../src/time/clock.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { fakeResolver } from '../support/fake-resolver.ts'

const records = {
  mx: { 'example.test': [[10, 'mx1.example.test']], 'other.test': [[10, 'mx.other.test']] },
  a: { 'mx1.example.test': ['192.0.2.1'] },
  aaaa: { 'mx1.example.test': ['2001:db8::1'] },
} as const

function movableClock(): Clock & { ms: number } {
  const clock = { ms: 1_000, now: () => 0, monotonic: () => clock.ms }
  return clock
}

test('one answer serves everyone until its life ends', async () => {
  const resolver = fakeResolver(records)
  const clock = movableClock()
  const cache = createCachingResolver(resolver, { clock, positiveMs: 100 })
  const first = await cache.resolveMx('example.test')
  clock.ms += 99
  expect(await cache.resolveMx('Example.TEST.')).toBe(first)
  expect(resolver.queries).toEqual(['MX example.test'])
  clock.ms += 1
  expect(await cache.resolveMx('example.test')).toEqual(first)
  expect(resolver.queries).toEqual(['MX example.test', 'MX example.test'])
})

test('the three types of a name are three questions', async () => {
  const resolver = fakeResolver(records)
  const cache = createCachingResolver(resolver)
  for (const _ of [1, 2]) {
    expect(await cache.resolve4('mx1.example.test')).toEqual(['192.0.2.1'])
    expect(await cache.resolve6('mx1.example.test')).toEqual(['2001:db8::1'])
    await expect(cache.resolveMx('mx1.example.test')).rejects.toMatchObject({ kind: 'no-records' })
  }
  expect(resolver.queries).toEqual(['A mx1.example.test', 'AAAA mx1.example.test', 'MX mx1.example.test'])
})

test.each([
  ['no such domain', 'gone.test', 'no-domain', 50],
  ['no such records', 'mx1.example.test', 'no-records', 50],
  ['a failure of the name servers', 'broken.test', 'temporary', 5],
] as const)('%s is remembered for its own, shorter life (RFC 2308 §5)', async (_, name, kind, lifeMs) => {
  const resolver = fakeResolver({ ...records, fails: ['MX broken.test'] })
  const clock = movableClock()
  const cache = createCachingResolver(resolver, { clock, positiveMs: 1_000, negativeMs: 50, temporaryMs: 5 })
  const ask = () => expect(cache.resolveMx(name)).rejects.toMatchObject({ kind })
  await ask()
  clock.ms += lifeMs - 1
  await ask()
  expect(resolver.queries).toHaveLength(1)
  clock.ms += 1
  await ask()
  expect(resolver.queries).toHaveLength(2)
})

test('the answer unused for longest makes room', async () => {
  const resolver = fakeResolver(records)
  const cache = createCachingResolver(resolver, { maxEntries: 2 })
  await cache.resolveMx('example.test')
  await cache.resolveMx('other.test')
  await cache.resolveMx('example.test')
  await cache.resolve4('mx1.example.test')
  await cache.resolveMx('example.test')
  await cache.resolveMx('other.test')
  expect(resolver.queries).toEqual([
    'MX example.test',
    'MX other.test',
    'A mx1.example.test',
    'MX other.test',
  ])
})

test('an abort ends one waiting, never the lookup that others wait for', async () => {
  const gate = Promise.withResolvers<void>()
  const slow = fakeResolver(records)
  const cache = createCachingResolver({
    ...slow,
    resolveMx: async (domain, options) => {
      expect(options?.signal).toBeUndefined()
      await gate.promise
      return slow.resolveMx(domain)
    },
  })
  const controller = new AbortController()
  const reason = new Error('stop')
  const impatient = cache.resolveMx('example.test', { signal: controller.signal })
  const patient = cache.resolveMx('example.test', { signal: new AbortController().signal })
  controller.abort(reason)
  await expect(impatient).rejects.toBe(reason)
  gate.resolve()
  expect(await patient).toEqual([{ host: 'mx1.example.test', preference: 10 }])
  await expect(cache.resolveMx('example.test', { signal: controller.signal })).rejects.toBe(reason)
  expect(slow.queries).toEqual(['MX example.test'])
})

test('a failure that nobody waits for any more troubles nobody', async () => {
  const gate = Promise.withResolvers<readonly []>()
  const cache = createCachingResolver({ ...fakeResolver({}), resolveMx: () => gate.promise })
  const controller = new AbortController()
  const lookup = cache.resolveMx('example.test', { signal: controller.signal })
  controller.abort(new Error('stop'))
  await expect(lookup).rejects.toThrow('stop')
  gate.reject(new Error('too late')) // an unhandled rejection would fail this run
})

test('a defect is not remembered as an answer', async () => {
  let calls = 0
  const cache = createCachingResolver({
    ...fakeResolver({}),
    resolveMx: () => {
      calls += 1
      throw new Error('defect')
    },
  })
  await expect(cache.resolveMx('example.test')).rejects.toThrow('defect')
  await expect(cache.resolveMx('example.test')).rejects.toThrow('defect')
  expect(calls).toBe(2)
})

test('a thousand callers at once are one query on the wire, and none while the answer lives', async () => {
  const server = await startDnsServer(({ name }) => ({
    answers: [{ type: 'MX', name, data: { exchange: 'mx1.example.test', preference: 10 } }],
  }))
  const cache = createCachingResolver(createSystemResolver({ servers: [server.server], timeoutMs: 30_000 }))
  const { signal } = new AbortController()
  const ask = () =>
    Promise.all(Array.from({ length: 1_000 }, () => cache.resolveMx('example.test', { signal })))
  const cold = await ask()
  const warm = await ask()
  expect(new Set([...cold, ...warm]).size).toBe(1)
  expect(server.questions).toEqual(['MX example.test udp'])
  await server.close()
})
