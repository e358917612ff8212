import { expect, test } from 'vitest'
import * as der from '../../src/sandbox/der.ts'

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

test('a length up to 127 takes one octet, a longer one says how many octets it takes (X.690 §8.1.3)', () => {
  expect(hex(der.octetString(Buffer.alloc(127))).slice(0, 4)).toBe('047f')
  expect(hex(der.octetString(Buffer.alloc(128))).slice(0, 6)).toBe('048180')
  expect(hex(der.octetString(Buffer.alloc(300))).slice(0, 8)).toBe('0482012c')
})

test('an integer with a high first bit stays positive (X.690 §8.3)', () => {
  expect(hex(der.integer(Uint8Array.of(0x7f)))).toBe('02017f')
  expect(hex(der.integer(Uint8Array.of(0x80)))).toBe('02020080')
})

test('arcs of an object identifier are written in base 128 (X.690 §8.19)', () => {
  expect(hex(der.objectIdentifier('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302')
})

test('times until 2049 have a year of two digits (RFC 5280 §4.1.2.5)', () => {
  const text = (date: string) => Buffer.from(der.time(new Date(date)).subarray(2)).toString()
  expect(text('2049-12-31T23:59:59.000Z')).toBe('491231235959Z')
  expect(text('2050-01-01T00:00:00.123Z')).toBe('20500101000000Z')
})
