import { expect, test } from 'vitest'
import { lookupFunctionOf } from '../../src/dns/lookup-function.ts'
import { zoneResolver } from '../support/zone-resolver.ts'

const lookUp = lookupFunctionOf(
  zoneResolver({
    'a.test': {
      a: ['192.0.2.1'],
      aaaa: ['2001:db8::1'],
      mx: [{ preference: 5, host: 'mx.a.test' }],
      txt: ['one', 'two'],
      ptr: ['b.test'],
    },
    'alias.test': { cname: 'a.test' },
    'broken.test': { failure: 'servfail' },
  }),
)

test.each([
  ['A', 'a.test', ['192.0.2.1']],
  ['AAAA', 'a.test', ['2001:db8::1']],
  ['MX', 'a.test', [{ exchange: 'mx.a.test', priority: 5 }]],
  ['TXT', 'a.test', [['one'], ['two']]],
  ['PTR', 'a.test', ['b.test']],
  ['CNAME', 'alias.test', ['a.test']],
])('%s comes as node:dns gives it', async (type, name, records) => {
  const found = await lookUp(name, type)
  expect(type === 'TXT' ? found.map((strings) => [strings].flat()) : found).toEqual(records)
})

test.each([
  ['TXT', 'nowhere.test', 'ENOTFOUND'],
  ['A', 'broken.test', 'ESERVFAIL'],
  ['SRV', 'a.test', 'ENODATA'],
])('a failure of %s %s has Node’s code', async (type, name, code) => {
  const failed = await lookUp(name, type).then(
    () => 'none',
    (error: NodeJS.ErrnoException) => error.code,
  )
  expect(failed).toBe(code)
})

test('an abort is the signal’s reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(lookupFunctionOf(zoneResolver({}), signal)('a.test', 'A')).rejects.toBe(signal.reason)
})
