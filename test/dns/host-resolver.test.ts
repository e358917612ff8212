import { expect, test } from 'vitest'
import { createHostResolver } from '../../src/dns/host-resolver.ts'
import { DnsError } from '../../src/dns/resolver.ts'

const resolver = (lookUp: Parameters<typeof createHostResolver>[0]['lookUp'], timeoutMs = 60_000) =>
  createHostResolver({ timeoutMs, ...(lookUp === undefined ? {} : { lookUp }) })

const problem = async (asked: Promise<unknown>): Promise<string> => {
  const error = await asked.then(
    () => new Error('found something'),
    (reason: unknown) => reason,
  )
  return error instanceof DnsError ? `${error.kind} ${error.reason}` : String(error)
}

test('the system’s own lookup knows localhost', async () => {
  expect(await resolver(undefined).resolve4('localhost')).toContain('127.0.0.1')
})

test('each family is asked for by itself, and all its addresses are given', async () => {
  const both = resolver(async (host, { family }) => [
    { address: family === 6 ? '::1' : '127.0.0.1', family: family === 6 ? 6 : 4 },
    { address: host, family: 4 },
  ])
  expect(await both.resolve4('mx')).toEqual(['127.0.0.1', 'mx'])
  expect(await both.resolve6('mx')).toEqual(['::1', 'mx'])
})

test.each([
  ['ENOTFOUND', 'no-records ENOTFOUND'],
  ['EAI_AGAIN', 'temporary EAI_AGAIN'],
  ['ESOMETHING', 'temporary ESOMETHING'],
])('%s of the system is %s', async (code, expected) => {
  const failing = resolver(async () => {
    throw Object.assign(new Error('no'), { code })
  })
  expect(await problem(failing.resolve4('mx'))).toBe(expected)
})

test('no address at all is no record', async () => {
  expect(await problem(resolver(async () => []).resolve6('mx'))).toBe('no-records ENODATA')
})

test('a lookup that never ends is given up in time, or when the signal says so', async () => {
  const never = () => new Promise<never>(() => {})
  expect(await problem(resolver(never, 1).resolve4('mx'))).toBe('temporary ETIMEOUT')
  const stopped = resolver(never).resolve4('mx', { signal: AbortSignal.abort(new Error('enough')) })
  await expect(stopped).rejects.toThrow('enough')
})
