import { describe, expect, test } from 'vitest'
import { endOf, isSpfRecord, mendedSpf, usesPtr } from '../../src/doctor/spf-record.ts'

test('the version stands alone or before a space (RFC 7208 §4.5)', () => {
  expect(['v=spf1', 'v=spf1 -all', 'V=SPF1 mx'].map(isSpfRecord)).toEqual([true, true, true])
  expect(['v=spf10', 'v=spf1-all', ' v=spf1', 'spf'].map(isSpfRecord)).toEqual([false, false, false, false])
})

test.each([
  ['v=spf1 mx -all', 'fail'],
  ['v=spf1 ~ALL', 'softfail'],
  ['v=spf1 ?all', 'neutral'],
  ['v=spf1 all', 'pass'],
  ['v=spf1 +all -all', 'pass'],
  ['v=spf1 redirect=example.net', 'redirect'],
  ['v=spf1 redirect=example.net -all', 'fail'],
  ['v=spf1 include:all', null],
  ['v=spf1', null],
])('%s ends in %s', (record, end) => {
  expect(endOf(record)).toBe(end)
})

test('ptr is recognised with a domain and a qualifier', () => {
  expect(['v=spf1 ptr', 'v=spf1 ?ptr:example.net', 'v=spf1 ptr/24'].map(usesPtr)).toEqual([true, true, true])
  expect(['v=spf1 include:ptr', 'v=spf1 ptrx'].map(usesPtr)).toEqual([false, false])
})

describe('a record is mended', () => {
  test.each([
    [[], ['192.0.2.1', '2001:db8::1'], 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all'],
    [['v=spf1 mx -all'], ['192.0.2.1'], 'v=spf1 ip4:192.0.2.1 mx -all'],
    [['v=spf1 mx +all'], ['192.0.2.1'], 'v=spf1 ip4:192.0.2.1 mx ~all'],
    [['v=spf1 mx  include:a.test ?all'], [], 'v=spf1 mx include:a.test ~all'],
    [['v=spf1 mx ~all', 'v=spf1 mx a -all'], [], 'v=spf1 mx a -all'],
    [['v=spf1 ip4:192.0.2.1 -all'], ['192.0.2.1'], 'v=spf1 ip4:192.0.2.1 -all'],
    [['v=spf1 redirect=a.test'], ['192.0.2.1'], 'v=spf1 ip4:192.0.2.1 redirect=a.test'],
  ] as const)('%j and %j: %s', (records, addresses, mended) => {
    expect(mendedSpf(records, addresses)).toBe(mended)
  })
})
