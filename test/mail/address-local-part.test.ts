import { expect, test } from 'vitest'
import { checkLocalPart, quoteLocalPart, unquoteLocalPart } from '../../src/mail/address-local-part.ts'
import { refusalOf } from './refusal.ts'

const check = (localPart: string): string | undefined => {
  checkLocalPart(localPart, localPart)
  return localPart
}

test.each([
  'user+tag',
  "!#$%&'*+-/=?^_`{|}~",
  'first.last',
  'host!user%relay',
  'δοκιμή',
  '用户',
  '😀',
  '"Joe Blow"',
  '"a@b"',
  '"<a,b;c>"',
  '"a\\"b\\\\c"',
  '".."',
  '"用 户"',
  '""',
])('%j can be sent (RFC 5321 §4.1.2, RFC 6531 §3.3)', (localPart) => {
  expect(check(localPart)).toBe(localPart)
})

test.each([
  ['.bob', 'write `".bob"@…`'],
  ['bob.', 'write `"bob."@…`'],
  ['bo..b', 'write `"bo..b"@…`'],
  ['bo b', '` ` is not allowed'],
  ['bo,b', '`,` is not allowed'],
  ['bo\\b', '`\\` is not allowed'],
  ['bo"b', '`"` is not allowed'],
  ['bo(b)', '`(` is not allowed'],
  ['bo<b', 'angle brackets'],
  ['bo\u00a0b', '`\\u{a0}` is not allowed'],
  ['\u200bbob', '`\\u{200b}` is not allowed'],
  ['bob\u2028', '`\\u{2028}` cannot'],
  ['bo\x7fb', '`\\u{7f}` cannot'],
  ['bo\x85b', '`\\u{85}` cannot'],
  ['bo\tb', '`\\t` cannot'],
  ['"bo\tb"', '`\\t` cannot'],
  ['bo\ud800b', '`\\u{d800}` cannot'],
  ['"', 'closing `"`'],
  ['"bob', 'closing `"`'],
  ['"bob\\"', 'closing `"`'],
  ['"bo"b"', 'closing `"`'],
  ['"a".b', 'closing `"`'],
  ['"a\\ü"', 'closing `"`'],
])('%j is refused', (localPart, reason) => {
  expect(refusalOf(() => check(localPart))).toContain(reason)
})

test('a local part of more than 64 octets is taken, as VERP makes them (RFC 5321 §4.5.3.1)', () => {
  const verp = `bounces+${'a'.repeat(80)}=example.org`
  expect(check(verp)).toBe(verp)
})

test.each([
  ['bob', 'bob'],
  ['"bob"', 'bob'],
  ['"a\\"b\\\\c\\d"', 'a"b\\cd'],
  ['""', ''],
])('%j means %j', (localPart, content) => {
  expect(unquoteLocalPart(localPart)).toBe(content)
})

test('quoting escapes quotes and backslashes', () => {
  expect(quoteLocalPart('a"b\\c d')).toBe('"a\\"b\\\\c d"')
})
