import { expect, test } from 'vitest'
import { configuredSource, sourceFor, unmapped } from '../../src/client/source-address.ts'

const several = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:DB8:0::1']

test('without a source address of the family the system chooses', () => {
  expect(sourceFor(4, [])).toBe(undefined)
  expect(sourceFor(6, ['192.0.2.1'])).toBe(undefined)
  expect(sourceFor(6, ['192.0.2.1'], '192.0.2.1')).toBe(undefined)
})

test('those of the family are taken in turn', () => {
  const taken = Array.from({ length: 6 }, () => sourceFor(4, several))
  expect(taken.slice(0, 3).toSorted()).toEqual(several.slice(0, 3))
  expect(taken.slice(3)).toEqual(taken.slice(0, 3))
})

test('the preferred one is taken for its family, however it is written', () => {
  expect([1, 2, 3].map(() => sourceFor(4, several, '192.0.2.2'))).toEqual(Array(3).fill('192.0.2.2'))
  expect(sourceFor(4, several, '::ffff:192.0.2.3')).toBe('192.0.2.3')
  expect(sourceFor(6, [...several, '2001:db8::2'], '2001:db8::1')).toBe('2001:db8::1')
})

test('the turn of the others is not taken by a preferred one', () => {
  const first = sourceFor(4, several)
  sourceFor(4, several, '192.0.2.1')
  expect(several.indexOf(sourceFor(4, several) ?? '')).toBe((several.indexOf(first ?? '') + 1) % 3)
})

test('a preferred one that is not configured, or of the other family, is not taken', () => {
  expect(sourceFor(4, ['192.0.2.1'], '192.0.2.99')).toBe('192.0.2.1')
  expect(sourceFor(4, ['192.0.2.1', '2001:db8::1'], '2001:db8::1')).toBe('192.0.2.1')
})

test('an address is known again in its one spelling', () => {
  expect(configuredSource('2001:db8:0:0::1', several)).toBe('2001:db8::1')
  expect(configuredSource('192.0.2.9', several)).toBe(null)
  expect(unmapped('::ffff:127.0.0.1')).toBe('127.0.0.1')
  expect(unmapped('fe80::1%eth0')).toBe('fe80::1%eth0')
})
