import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findLineFault, isWireForm, lineNumberAt, linesOf, withCrlf } from '../../src/mail/message-lines.ts'

const octets = (text: string) => Buffer.from(text, 'latin1')
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
/** Arbitrary octets in which line ends are frequent. */
const lineSoup = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', 'a', '\0', ' ', 'xyz'), { maxLength: 40 })
  .map((pieces) => octets(pieces.join('')))

test('CRLF, a bare CR and a bare LF each end a line (RFC 5321 §2.3.8)', () => {
  const bytes = octets('a\r\nb\rc\nd\r\r\ne')
  const lines = [...linesOf(bytes)].map(({ start, end }) => text(bytes.subarray(start, end)))
  expect(lines).toEqual(['a', 'b', 'c', 'd', '', 'e'])
})

test('the lines of any octets, with their ends, are the octets', () => {
  fc.assert(
    fc.property(lineSoup, (bytes) => {
      const pieces = [...linesOf(bytes)].map(({ start, next }) => bytes.subarray(start, next))
      expect(text(Buffer.concat(pieces))).toBe(text(bytes))
    }),
  )
})

test('every line end becomes CRLF and nothing else changes (RFC 5321 §2.3.8)', () => {
  fc.assert(
    fc.property(lineSoup, (bytes) => {
      expect(text(withCrlf(bytes))).toBe(text(bytes).replace(/\r\n|\r|\n/g, '\r\n'))
    }),
  )
})

test('octets whose line ends are CRLF already are not copied', () => {
  const bytes = octets('a\r\nb\r\n')
  expect(withCrlf(bytes)).toBe(bytes)
})

test('lines are numbered from 1, whichever way they end', () => {
  const bytes = octets('a\rb\nc\r\nd')
  expect([0, 2, 4, 7].map((offset) => lineNumberAt(bytes, offset))).toEqual([1, 2, 3, 4])
})

test('a line of 998 octets is in order and one of 999 is not (RFC 5322 §2.1.1)', () => {
  const line = (length: number) => octets(`x\r\n${'y'.repeat(length)}\r\n`)
  expect(findLineFault(line(998))).toBeNull()
  expect(isWireForm(line(998))).toBe(true)
  expect(findLineFault(line(999))).toEqual({ kind: 'long', offset: 3 })
  expect(isWireForm(line(999))).toBe(false)
})

test('the first of several faults is reported', () => {
  const long = 'y'.repeat(999)
  expect(findLineFault(octets(`a\0\r\n${long}`))).toEqual({ kind: 'nul', offset: 1 })
  expect(findLineFault(octets(`${long}\r\n\0`))).toEqual({ kind: 'long', offset: 0 })
})

test.each(['a', 'a\n', 'a\r', 'a\r\nb\n\r\n', 'a\0\r\n', '\r\r\n'])('%j is not wire form', (wrong) => {
  expect(isWireForm(octets(wrong))).toBe(false)
})

test.each(['', '\r\n', 'a\r\n\r\nb\r\n'])('%j is wire form', (right) => {
  expect(isWireForm(octets(right))).toBe(true)
})
