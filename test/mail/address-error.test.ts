import { expect, test } from 'vitest'
import { AddressError, printable } from '../../src/mail/address-error.ts'

test.each([
  ['plain ü 日 😀', 'plain ü 日 😀'],
  ['\r\n\t\0\x1b\x7f\x9b', '\\r\\n\\t\\u{0}\\u{1b}\\u{7f}\\u{9b}'],
  ['\u202e\u200b\u2028\u00a0', '\\u{202e}\\u{200b}\\u{2028}\\u{a0}'],
  ['\ud800', '\\u{d800}'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('long text is cut between characters', () => {
  expect(printable('😀'.repeat(100))).toBe('😀'.repeat(100))
  expect(printable(`${'😀'.repeat(100)}a`)).toBe(`${'😀'.repeat(100)}…`)
  expect(printable('a'.repeat(1_000_000))).toBe(`${'a'.repeat(100)}…`)
})

test('the message names the text and the reason', () => {
  const error = new AddressError('bob\n', 'too short')
  expect(error).toMatchObject({ name: 'AddressError', code: 'ERR_ADDRESS', text: 'bob\\n' })
  expect(error.message).toBe('Malformed address `bob\\n`: too short')
})
