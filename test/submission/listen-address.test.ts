import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { formatListenAddress, isLoopback, parseListenAddress } from '../../src/submission/listen-address.ts'

test.each(['127.0.0.1:2525', '[::1]:2525', '0.0.0.0:0', '[2001:db8::1]:65535'])(
  '%s is an address',
  (text) => {
    expect(formatListenAddress(parseListenAddress(text))).toBe(text)
  },
)

test.each([
  '127.0.0.1',
  ':25',
  'localhost:2525',
  '127.0.0.1:65536',
  '::1:25',
  '[127.0.0.1]:25',
  '127.1:25',
  '',
])('%j is none', (text) => {
  expect(() => parseListenAddress(text)).toThrow(ConfigError)
})

test.each(['127.0.0.1', '127.255.0.3', '::1', '::ffff:127.0.0.1'])('%s is loopback', (ip) => {
  expect(isLoopback(ip)).toBe(true)
})

test.each(['0.0.0.0', '::', '128.0.0.1', '192.168.0.1', '10.0.0.1', '::ffff:192.0.2.1', 'fe80::1', '::2'])(
  '%s is not loopback',
  (ip) => {
    expect(isLoopback(ip)).toBe(false)
  },
)
