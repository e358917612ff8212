import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { headerField, routeEntry, wholeNumber } from '../../src/cli/option-values.ts'

test('a whole number is taken within its bounds, both included', () => {
  const port = wholeNumber(1, 65535)
  expect([port('1'), port('65535')]).toEqual([1, 65535])
})

test.each(['0', '65536', '', '1.5', '1e3', '-1', ' 1', '0x10', '25 '])('%o is no port', (text) => {
  expect(() => wholeNumber(1, 65535)(text)).toThrow(
    new InvalidArgumentError('Expected a whole number from 1 to 65535.'),
  )
})

test('a header field is a name, a colon and a value that may be empty or hold colons', () => {
  expect(headerField('X-Job: a: b')).toEqual(['X-Job', 'a: b'])
  expect(headerField('X-Job:')).toEqual(['X-Job', ''])
})

test.each(['X-Job', ': value', 'X Job: value', 'Ünï: value', ''])(
  '%o is no header field (RFC 5322 §3.6.8)',
  (text) => {
    expect(() => headerField(text)).toThrow("Expected 'Name: value'.")
  },
)

test.each(['X-Job: a\r\nBcc: x@example.test', 'X-Job: a\nb', 'X-Job: a\0'])(
  'a header value cannot smuggle in %o',
  (text) => {
    expect(() => headerField(text)).toThrow('Expected a value without line breaks and NUL.')
  },
)

test('a route is a domain and a host', () => {
  expect(routeEntry('example.test=10.0.0.5:2525')).toEqual(['example.test', '10.0.0.5:2525'])
  expect(() => routeEntry('example.test')).toThrow('Expected DOMAIN=HOST[:PORT].')
  expect(() => routeEntry('=host')).toThrow('Expected DOMAIN=HOST[:PORT].')
})
