import { expect, test } from 'vitest'
import { reversedLabels, reverseName } from '../../src/dns/reverse-name.ts'

test('an IPv4 address back to front (RFC 1035 §3.5)', () => {
  expect(reverseName('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa')
})

test('an IPv6 address nibble by nibble (RFC 3596 §2.5)', () => {
  const nibbles = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
  expect(reverseName('2001:db8::1')).toBe(`${nibbles}.ip6.arpa`)
  expect(reversedLabels('2001:db8::1')).toBe(nibbles)
})
