import { expect, test } from 'vitest'
import { lookUp, type Zone } from '../../src/sandbox/zone.ts'

const zone: Zone = new Map([
  ['a.test', { mx: [{ preference: 10, host: 'mx.a.test' }] }],
  ['mx.a.test', { a: ['127.0.0.1'] }],
  ['null.test', { mx: [{ preference: 0, host: '' }] }],
  ['*.many.test', { a: ['127.0.0.2'] }],
  ['mx.many.test', { aaaa: ['::1'] }],
  ['alias.test', { cname: 'mx.a.test' }],
  ['round.test', { cname: 'round.test' }],
  ['broken.test', { failure: 'servfail' }],
  ['half.test', { failure: 'servfail', failingTypes: ['A'] }],
  ['mute.test', { failure: 'silence' }],
  ['', { signed: true }],
  ['text.test', { txt: ['short', 'x'.repeat(300)] }],
  ['1.0.0.127.in-addr.arpa', { ptr: ['mx.a.test'] }],
])

const ask = (type: string, name: string) => lookUp(zone, { type, name })
const nothing = { kind: 'records', records: [] }

test('records are found whatever the case of the question (RFC 4343)', () => {
  const data = { preference: 10, exchange: 'mx.a.test' }
  expect(ask('MX', 'A.Test')).toEqual({ kind: 'records', records: [{ name: 'a.test', type: 'MX', data }] })
})

test('a null MX names the root (RFC 7505 §3)', () => {
  const data = { preference: 0, exchange: '.' }
  expect(ask('MX', 'null.test')).toEqual({
    kind: 'records',
    records: [{ name: 'null.test', type: 'MX', data }],
  })
})

test('a name without records of the type is not a name that does not exist (RFC 2308 §2.2)', () => {
  expect(ask('TXT', 'a.test')).toEqual(nothing)
  expect(ask('AAAA', 'mx.a.test')).toEqual(nothing)
  expect(ask('A', 'b.test')).toEqual({ kind: 'no-domain' })
})

test('a name with something below it exists (RFC 8020 §2)', () => {
  expect(ask('A', 'test')).toEqual(nothing)
  expect(ask('A', 'many.test')).toEqual(nothing)
})

test('a wildcard stands for names that are not there themselves (RFC 4592 §2.2.1)', () => {
  const record = { name: 'x.many.test', type: 'A', data: '127.0.0.2' }
  expect(ask('A', 'x.many.test')).toEqual({ kind: 'records', records: [record] })
  expect(ask('A', 'mx.many.test')).toEqual(nothing)
})

test('an alias leads to its records (RFC 1034 §4.3.2), a circle to a failure', () => {
  const alias = { name: 'alias.test', type: 'CNAME', data: 'mx.a.test' }
  const address = { name: 'mx.a.test', type: 'A', data: '127.0.0.1' }
  expect(ask('A', 'alias.test')).toEqual({ kind: 'records', records: [alias, address] })
  expect(ask('CNAME', 'alias.test')).toEqual({ kind: 'records', records: [alias] })
  expect(ask('A', 'round.test')).toEqual({ kind: 'servfail' })
})

test('a text is cut into strings of 255 octets (RFC 1035 §3.3)', () => {
  expect(ask('TXT', 'text.test')).toEqual({
    kind: 'records',
    records: [
      { name: 'text.test', type: 'TXT', data: ['short'] },
      { name: 'text.test', type: 'TXT', data: ['x'.repeat(255), 'x'.repeat(45)] },
    ],
  })
})

test('an address has a name', () => {
  const record = { name: '1.0.0.127.in-addr.arpa', type: 'PTR', data: 'mx.a.test' }
  expect(ask('PTR', '1.0.0.127.in-addr.arpa')).toEqual({ kind: 'records', records: [record] })
})

test('a signed name has an SOA record, whether it is asked for with its dot or without', () => {
  expect(ask('SOA', '.')).toEqual({ kind: 'signed' })
  expect(ask('SOA', '')).toEqual({ kind: 'signed' })
  expect(ask('SOA', 'a.test')).toEqual(nothing)
})

test('failures are played for all types, or for those named', () => {
  expect(ask('MX', 'broken.test')).toEqual({ kind: 'servfail' })
  expect(ask('A', 'half.test')).toEqual({ kind: 'servfail' })
  expect(ask('MX', 'half.test')).toEqual(nothing)
  expect(ask('MX', 'mute.test')).toEqual({ kind: 'silence' })
})
