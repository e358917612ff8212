import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeXtext, encodeXtext, isXtext } from '../../src/mail/xtext.ts'

test.each([
  ['plain', 'plain'],
  ['a+b=c d', 'a+2Bb+3Dc+20d'],
  ['(par)\\"', '(par)\\"'],
  ['\r\n\0', '+0D+0A+00'],
  ['ü', '+C3+BC'],
  ['', ''],
])('%j is %s in xtext (RFC 3461 §4)', (text, xtext) => {
  expect(encodeXtext(text)).toBe(xtext)
  expect(decodeXtext(xtext)).toBe(text)
})

test.each(['a b', 'a=b', 'a+', 'a+2', 'a+2b', 'a+GG', 'ü', 'a\r\nb', '\t'])('%j is no xtext', (text) => {
  expect(isXtext(text)).toBe(false)
  expect(decodeXtext(text)).toBeNull()
})

test('octets that are no UTF-8 do not decode to something a terminal would take for text', () => {
  expect(decodeXtext('+FF')).toBe('\ufffd')
})

test('every text comes back from xtext, which is always one word of a command', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(encodeXtext(text)).toMatch(/^[!-<>-~]*$/)
      expect(decodeXtext(encodeXtext(text))).toBe(text)
    }),
  )
})
