import { expect, test } from 'vitest'
import { parseHostName } from '../../src/dns/host-name.ts'

test('a host name is lower case without its final dot', () => {
  expect(parseHostName('MX1.Example.TEST.')).toBe('mx1.example.test')
  expect(parseHostName('mail_in-2.example.test')).toBe('mail_in-2.example.test')
  expect(parseHostName('x'.repeat(63))).toBe('x'.repeat(63))
})

test('the root is an empty name (RFC 7505 §3)', () => {
  expect(parseHostName('')).toBe('')
  expect(parseHostName('.')).toBe('')
})

test.each([
  'a b.test',
  'a\r\nb.test',
  'a\\013\\010b.test',
  'a..test',
  '.test',
  'test..',
  'ü.test',
  `${'x'.repeat(64)}.test`,
  `${'x.'.repeat(127)}x`,
  '<b>.test',
])('%j is no name of a host (RFC 1035 §2.3.4)', (text) => {
  expect(parseHostName(text)).toBeNull()
})
