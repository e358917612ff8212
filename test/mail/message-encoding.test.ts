import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fromQuotedPrintable,
  rewrapBase64,
  toBase64,
  toQuotedPrintable,
} from '../../src/mail/message-encoding.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const lines = (bytes: Uint8Array) => text(bytes).split('\r\n')
/** Octets whose line ends are CRLF, with much of what quoted-printable must take care of. */
const textOctets = fc
  .array(fc.constantFrom('\r\n', ' ', '\t', '=', '-', '--b', '.', 'ü', '\0', 'word', 'x'.repeat(70)), {
    maxLength: 60,
  })
  .map((pieces) => Buffer.from(pieces.join('')))

test('quoted-printable is 7-bit, at most 76 wide, without blanks at line ends (RFC 2045 §6.7)', () => {
  fc.assert(
    fc.property(textOctets, (octets) => {
      const encoded = toQuotedPrintable(octets)
      expect(Buffer.compare(fromQuotedPrintable(encoded), octets)).toBe(0)
      for (const line of lines(encoded)) expect(line).toMatch(/^[\t -~]{0,76}$(?<![\t ])/)
    }),
  )
})

test('no line of quoted-printable can be taken for a delimiter, even where a soft break put it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 80 }), (length) => {
      const encoded = toQuotedPrintable(Buffer.from(`${'x'.repeat(length)}--b\r\n--b\r\n`))
      expect(lines(encoded).filter((line) => line.startsWith('-'))).toEqual([])
    }),
  )
})

test('quoted-printable that is not well-formed stands for itself (RFC 2045 §6.7)', () => {
  expect(text(fromQuotedPrintable(Buffer.from('a=4x b=\r\nc=3d \r\n=e9=')))).toBe('a=4x bc=\r\n\xe9')
})

test('base64 is at most 76 wide (RFC 2045 §6.8)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const encoded = toBase64(octets)
      expect(Buffer.compare(Buffer.from(text(encoded), 'base64'), Buffer.from(octets))).toBe(0)
      for (const line of lines(encoded)) expect(line.length).toBeLessThanOrEqual(76)
    }),
  )
})

test('base64 that is wrapped anew keeps its characters and loses what is none', () => {
  expect(text(rewrapBase64(Buffer.from(`${'QUJD'.repeat(30)}\0!\r\nQQ==`)))).toBe(
    `${'QUJD'.repeat(19)}\r\n${'QUJD'.repeat(11)}QQ==`,
  )
})
