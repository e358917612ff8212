import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asciiLine, foldField, printableLine, wrap } from '../../src/queue/bounce-words.ts'

test('what cannot be seen is escaped, what can be seen stays', () => {
  expect(printableLine('a\r\nb\0 "c\\d" ü \u202e\ud800')).toBe(
    'a\\x0d\\x0ab\\x00 "c\\d" ü \\u{202e}\\u{d800}',
  )
  expect(asciiLine('ü 日 😀')).toBe('\\xfc \\u{65e5} \\u{1f600}')
})

test('blanks in a row become one, because a folded line of blanks would end the fields', () => {
  expect(printableLine(`  a \t  b${' '.repeat(3000)}`)).toBe('a b [...]')
  expect(printableLine(' a \t b ')).toBe('a b')
})

test('text over 2,000 characters is cut and says so', () => {
  expect(asciiLine('x'.repeat(1_000_000))).toBe(`${'x'.repeat(2000)} [...]`)
})

test('lines are broken between words', () => {
  expect(wrap('one two three', { indent: ['- ', '  '], width: 9 })).toEqual(['- one two', '  three'])
  expect(wrap('', { indent: ['- ', '  '], width: 9 })).toEqual(['- '])
})

test('a folded field has no blank line, no line over 998 octets, and unfolds to its text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.boolean(), (text, isAscii) => {
      const line = isAscii ? asciiLine(text) : printableLine(text)
      const field = foldField('Diagnostic-Code', `smtp; ${line}`)
      const lines = field.slice(0, -2).split('\r\n')
      expect(lines.every((part) => part.trim() !== '' && Buffer.byteLength(part) <= 998)).toBe(true)
      expect(lines.slice(1).every((part) => part.startsWith(' '))).toBe(true)
      if (line.split(' ').every((word) => word.length <= 240)) {
        expect(field.replace(/\r\n /g, ' ').trimEnd()).toBe(`Diagnostic-Code: smtp; ${line}`.trimEnd())
      }
    }),
    { numRuns: 200 },
  )
})
