import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitParts } from '../../src/mail/message-parts.ts'

const octets = (text: string) => Buffer.from(text, 'latin1')

function split(text: string): string[][] {
  const bytes = octets(text)
  return splitParts(bytes).map((segment) => {
    const piece = bytes.subarray(segment.start, segment.end).toString('latin1')
    return 'part' in segment ? [segment.kind, segment.part.type, piece] : [segment.kind, piece]
  })
}

/** Lines of a message that mean something to MIME, in any order. */
const mimeSoup = fc
  .array(
    fc.constantFrom(
      'Content-Type: multipart/mixed; boundary=a',
      'Content-Type: multipart/mixed; boundary="b"',
      'Content-Type: message/rfc822',
      'Content-Type: text/plain',
      '--a',
      '--a--',
      '--b  ',
      '--b--',
      '',
      ' folded',
      'text',
    ),
    { maxLength: 60 },
  )
  .map((lines) => octets(`From: a@b\r\n${lines.join('\r\n')}`))

test('the pieces of any message are the message, octet for octet', () => {
  fc.assert(
    fc.property(mimeSoup, (bytes) => {
      let pieces: ReturnType<typeof splitParts>
      try {
        pieces = splitParts(bytes)
      } catch (error) {
        expect(error).toHaveProperty('code', 'ERR_MESSAGE')
        return
      }
      let at = 0
      for (const { start, end } of pieces) {
        expect(start).toBe(at)
        at = end
      }
      expect(at).toBe(bytes.length)
    }),
  )
})

test('the line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1)', () => {
  const head = 'Content-Type: multipart/mixed; boundary="x y"\r\n\r\n'
  expect(split(`${head}pre\r\n--x y\r\n\r\none\r\n\r\n--x y \t\r\n\r\n--x y--\r\npost\r\n`)).toEqual([
    ['header', 'multipart/mixed', head],
    ['ignored', 'pre'],
    ['delimiter', '\r\n--x y\r\n'],
    ['header', 'text/plain', '\r\n'],
    ['body', 'text/plain', 'one\r\n'],
    ['delimiter', '\r\n--x y \t\r\n'],
    ['header', 'text/plain', '\r\n'],
    ['body', 'text/plain', ''],
    ['delimiter', '--x y--\r\n'],
    ['ignored', 'post\r\n'],
  ])
})

test('an outer boundary ends the inner multiparts that were not closed (RFC 2046 §5.1.2)', () => {
  const pieces = split(
    'Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n' +
      '--in\n\ninner\n--out\n\n--in\n--out--\n',
  )
  expect(pieces.filter(([kind]) => kind === 'body')).toEqual([
    ['body', 'text/plain', 'inner'],
    ['body', 'text/plain', '--in'],
  ])
})

test('an inner multipart of the same boundary hides the outer one until it is closed', () => {
  const head = 'Content-Type: multipart/mixed; boundary=b\n\n'
  const pieces = split(`${head}--b\n${head}--b\n\ninner\n--b--\n--b\n\nouter\n--b--\n`)
  expect(pieces.filter(([kind]) => kind === 'body')).toEqual([
    ['body', 'text/plain', 'inner'],
    ['body', 'text/plain', 'outer'],
  ])
})

test('a line that only begins like a boundary is content', () => {
  const pieces = split('Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--ab\n--a-\n --a\n--a--\n')
  expect(pieces.filter(([kind]) => kind === 'body')).toEqual([['body', 'text/plain', '--ab\n--a-\n --a']])
})

test('the parts of a message in the message are found; those of an encoded one are not (RFC 2046 §5.2.1)', () => {
  const inner = 'Subject: in\n\ntext'
  expect(split(`Content-Type: message/rfc822\n\n${inner}`).map(([kind]) => kind)).toEqual([
    'header',
    'header',
    'body',
  ])
  const encoded = `Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${inner}`
  expect(split(encoded).map(([kind]) => kind)).toEqual(['header', 'body'])
})

test('a part of a digest is a message unless it says otherwise (RFC 2046 §5.1.5)', () => {
  const pieces = split('Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: in\n\ntext\n--d--\n')
  expect(pieces.filter(([kind]) => kind === 'header').map(([, type]) => type)).toEqual([
    'multipart/digest',
    'message/rfc822',
    'text/plain',
  ])
})

test('a multipart whose boundary never comes keeps its content', () => {
  expect(split('Content-Type: multipart/mixed; boundary=a\n\nall there is').at(-1)).toEqual([
    'body',
    'multipart/mixed',
    'all there is',
  ])
})

test('more than 100,000 parts are refused', () => {
  const bytes = octets(`Content-Type: multipart/mixed; boundary=a\n\n${'--a\n'.repeat(160_000)}`)
  expect(() => splitParts(bytes)).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE' }))
})
