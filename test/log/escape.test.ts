import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EscapeContext, escapeText } from '../../src/log/escape.ts'

const contexts: EscapeContext[] = ['text', 'quoted', 'angle', 'token']
const raw = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

describe('escapeText', () => {
  test('text without anything dangerous stays the same', () => {
    const text = '250 2.0.0 Ok: "queued" as <4D1> für Jürgen 日本語 😀'
    expect(escapeText(text)).toBe(text)
  })

  test.each([
    ['a line feed cannot begin a line of its own', 'ok\r\n2026 forged', 'ok\\x0d\\x0a2026 forged'],
    ['NUL', 'a\0b', 'a\\x00b'],
    ['ESC cannot drive the terminal', '\x1b[2J', '\\x1b[2J'],
    ['DEL', '\x7f', '\\x7f'],
    ['a C1 control (CSI in eight bits)', '\x9b31m', '\\x9b31m'],
    ['a right-to-left override', 'a\u202eb', 'a\\u{202e}b'],
    ['a directional isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['line and paragraph separators', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['a zero-width space and a byte order mark', '\u200b\ufeff', '\\u{200b}\\u{feff}'],
    ['an invisible tag character', '\u{e0041}', '\\u{e0041}'],
    ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
    ['a backslash, so that an escape is never faked', '\\x0a', '\\\\x0a'],
    ['the replacement character stands for octets that were not UTF-8 and is shown', '\ufffd', '\ufffd'],
  ])('%s', (_title, text, escaped) => {
    expect(escapeText(text)).toBe(escaped)
  })

  test('the context decides about quotes, brackets and spaces', () => {
    const text = 'a "b" <c>'
    expect(contexts.map((context) => escapeText(text, { context }))).toEqual([
      'a "b" <c>',
      'a \\"b\\" <c>',
      'a "b" \\x3cc\\x3e',
      'a\\x20\\"b\\"\\x20\\x3cc\\x3e',
    ])
  })

  test('a complaint, which quotes what may be escaped already, is not escaped twice and stays harmless', () => {
    const complaint = (text: string) => escapeText(text, { context: 'complaint' })
    expect(complaint('got `a\\u{1b}\\b`')).toBe('got `a\\u{1b}\\b`')
    expect(complaint('a\x1b\u202e\n\ud800')).toBe('a\\x1b\\u{202e}\\x0a\\u{d800}')
  })

  test('long text is cut and says so', () => {
    expect(escapeText('abcdefgh', { maxLength: 6 })).toBe('abcd\\…')
    expect(escapeText('abcdef', { maxLength: 6 })).toBe('abcdef')
    expect(escapeText('x'.repeat(1_048_576))).toHaveLength(2_000)
  })

  test('the cut never goes through an escape or a surrogate pair', () => {
    expect(escapeText('\n\n\n', { maxLength: 9 })).toBe('\\x0a\\…')
    expect(escapeText('ab😀cd', { maxLength: 5 })).toBe('ab\\…')
  })

  test('whatever comes in, nothing raw comes out, within the length, and escaped text reads back', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    )
    fc.assert(
      fc.property(
        anyText,
        fc.constantFrom(...contexts),
        fc.integer({ min: 2, max: 40 }),
        (text, context, maxLength) => {
          const cut = escapeText(text, { context, maxLength })
          expect(cut.length).toBeLessThanOrEqual(maxLength)
          expect(cut).not.toMatch(raw)
          const whole = escapeText(text, { context })
          expect(whole).not.toMatch(raw)
          expect(readBack(whole)).toBe(text)
          if (context === 'token') expect(whole).not.toMatch(/\s/u)
          if (context === 'quoted') expect(whole).not.toMatch(/(?<!\\)(\\\\)*"/u)
        },
      ),
    )
  })
})

function readBack(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|u\{([0-9a-f]+)\}|(.))/gu,
    (_match, octet, codePoint, itself) =>
      itself ?? String.fromCodePoint(Number.parseInt(octet ?? codePoint, 16)),
  )
}
