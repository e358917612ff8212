import { expect, test } from 'vitest'
import {
  isAddressLiteral,
  isFqdn,
  isHostAndPort,
  isIp,
  isIpAndPort,
  isListenAddress,
} from '../../src/config/host.ts'

test.each([
  'mail.example.org',
  'a.b',
  'xn--mail-zqa.example',
  'MX-1.Example.ORG',
  '1.example.org',
  `${'a'.repeat(63)}.test`,
])('%s is a fully qualified domain name', (name) => {
  expect(isFqdn(name)).toBe(true)
})

test.each([
  '',
  'localhost',
  'mail',
  'localhost.localdomain',
  'box.localhost',
  '192.0.2.1',
  '2001:db8::1',
  '[192.0.2.1]',
  'mail.example.org.',
  'mail..org',
  '-a.example.org',
  'a-.example.org',
  'a_b.example.org',
  'mail.bücher.example',
  'mail.example.org\r\nMAIL FROM:<>',
  `${'a'.repeat(64)}.test`,
  `${'a.'.repeat(127)}test`,
])('%j is not', (name) => {
  expect(isFqdn(name)).toBe(false)
})

test.each([
  ['[192.0.2.1]', true],
  ['[IPv6:2001:db8::1]', true],
  ['[ipv6:::1]', true],
  ['192.0.2.1', false],
  ['[2001:db8::1]', false],
  ['[192.0.2]', false],
  ['[192.0.2.256]', false],
  ['[IPv6:fe80::1%eth0]', false],
  ['[example.org]', false],
])('%s: an address literal? %s (RFC 5321 §4.1.3)', (text, expected) => {
  expect(isAddressLiteral(text)).toBe(expected)
})

test.each([
  ['192.0.2.1', true],
  ['2001:db8::1', true],
  ['::ffff:192.0.2.1', true],
  ['127.1', false],
  ['0x7f000001', false],
  ['192.0.2.01', false],
  ['fe80::1%eth0', false],
  ['[::1]', false],
  ['localhost', false],
])('%s: an IP address? %s', (text, expected) => {
  expect(isIp(text)).toBe(expected)
})

test.each([
  ['192.0.2.53', true, true],
  ['192.0.2.53:5353', true, true],
  ['2001:db8::53', true, true],
  ['[2001:db8::53]', true, true],
  ['[2001:db8::53]:53', true, true],
  ['mx.example.net', false, true],
  ['localhost:2525', false, true],
  ['mx.example.net:0', false, false],
  ['mx.example.net:65536', false, false],
  ['mx.example.net:', false, false],
  ['mx.example.net:smtp', false, false],
  ['mx example', false, false],
  ['smtp://mx.example.net', false, false],
  ['[mx.example.net]:25', false, false],
  [':25', false, false],
  ['', false, false],
])('%j: an IP address with a port? %s; a host with a port? %s', (text, ip, host) => {
  expect([isIpAndPort(text), isHostAndPort(text)]).toEqual([ip, host])
})

test.each([
  ['127.0.0.1:2525', true],
  ['[::1]:587', true],
  ['127.0.0.1:0', true],
  ['127.0.0.1', false],
  ['::1:587', false],
  ['[127.0.0.1]:25', false],
  ['localhost:25', false],
  ['127.0.0.1:65536', false],
  ['[fe80::1%eth0]:25', false],
  ['', false],
])('%j is an address to listen at: %j', (text, isOne) => {
  expect(isListenAddress(text)).toBe(isOne)
})
