import { expect, test } from 'vitest'
import { type RewriteOptions, rewriteMessage } from '../../src/mail/message-rewrite.ts'
import { readBack, wireProblem } from './read-back.ts'

const crlf = (text: string) => text.replaceAll('\n', '\r\n')
const long = 'x'.repeat(999)

function rewrite(text: string | Uint8Array, options?: RewriteOptions): string {
  const content = rewriteMessage(Buffer.from(text), options)
  expect(wireProblem(content)).toBeNull()
  return Buffer.from(content).toString()
}

/** A multipart/mixed of the given parts, with LF. */
function mixed(...parts: string[]): string {
  const delimited = parts.map((part) => `--b\n${part}\n`).join('')
  return `From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n${delimited}--b--\n`
}

const binaryPart = (octets: string) => `Content-Type: image/x\nContent-Transfer-Encoding: binary\n\n${octets}`

test('a message that is in order keeps every octet', () => {
  const text = crlf(`${mixed('X-Odd :  spaced \n\t folded\n\n.dot\n', 'no header here', '\n')}epilogue\n`)
  expect(rewrite(text)).toBe(text)
})

test('line ends become CRLF, the last line gets one, a blank line is not made up', () => {
  expect(rewrite('From: a@b\rTo: c@d\n\nx\r\ry')).toBe('From: a@b\r\nTo: c@d\r\n\r\nx\r\n\r\ny\r\n')
  expect(rewrite('From: a@b')).toBe('From: a@b\r\n')
})

test('text with a line over 998 octets becomes quoted-printable, the parts beside it stay (RFC 5322 §2.1.1)', async () => {
  const neighbour = 'Content-Type: text/html\n\n<b>\n'
  const text = mixed(
    `Content-Type: text/plain\nContent-Transfer-Encoding: 7bit\nX-Last: y\n\n${long}`,
    neighbour,
  )
  const rewritten = rewrite(text)
  expect(rewritten).toContain(
    crlf('Content-Type: text/plain\nX-Last: y\nContent-Transfer-Encoding: quoted-printable\n\nxxx'),
  )
  expect(rewritten).toContain(crlf(neighbour))
  expect(await readBack(Buffer.from(rewritten))).toEqual(await readBack(Buffer.from(text)))
})

test('binary content becomes base64 of exactly its octets, line ends included (RFC 3030 §3)', async () => {
  const octets = 'a\nb\rc\r\nd\0'
  const { attachments } = await readBack(Buffer.from(rewrite(mixed(binaryPart(octets)))))
  expect(attachments).toEqual([{ name: null, type: 'image/x', octets }])
})

test('base64 in one long line is wrapped, and keeps its characters', () => {
  const part = `Content-Type: image/x\nContent-Transfer-Encoding: Base64\n\n${'QUJD'.repeat(300)}`
  const [, body] = /base64\r\n\r\n([^-]*)\r\n--b--/.exec(rewrite(mixed(part))) ?? []
  expect(body?.replaceAll('\r\n', '')).toBe('QUJD'.repeat(300))
})

test('quoted-printable with long lines is encoded anew to the same octets', async () => {
  const text = mixed(`Content-Transfer-Encoding: quoted-printable\n\n${'=C3=BC'.repeat(200)} end`)
  const read = await readBack(Buffer.from(rewrite(text)))
  expect(read).toEqual(await readBack(Buffer.from(text)))
})

test('a message from before MIME gets the fields that say how it was encoded (RFC 1428)', () => {
  const body = (text: string | Uint8Array) =>
    rewrite(Buffer.concat([Buffer.from('From: a@b\n\n'), Buffer.from(text)]))
  const header = (charset: string) =>
    crlf(
      `From: a@b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=${charset}\nContent-Transfer-Encoding: quoted-printable\n\n`,
    )
  expect(body('a\0\n')).toBe(`${header('us-ascii')}a=00\r\n`)
  expect(body('ü\0\n')).toBe(`${header('utf-8')}=C3=BC=00\r\n`)
  expect(body(Buffer.from('ü\0\n', 'latin1'))).toBe(`${header('unknown-8bit')}=FC=00\r\n`)
})

test('a quoted-printable body that ends within a line ends in a soft line break', () => {
  expect(rewrite('From: a@b\n\na\0')).toMatch(/\r\n\r\na=00=\r\n$/)
})

test('a part whose body begins without a blank line gets one when it gets a field', () => {
  expect(rewrite(mixed('no header\0'))).toContain(
    crlf('--b\nContent-Transfer-Encoding: quoted-printable\n\nno header=00\n--b--'),
  )
})

test('a preamble that cannot be sent is left out, nobody is to read it (RFC 2046 §5.1.1)', () => {
  const text = mixed('\nx').replace('\n\n--b\n', `\n\npreamble ${long}\n--b\n`)
  expect(rewrite(text)).toBe(crlf(mixed('\nx').replace('\n\n--b\n', '\n\n\n--b\n')))
})

test('a long field is folded at blanks that are there, and unfolds to the same (RFC 5322 §2.2.3)', () => {
  const value = `${'word '.repeat(500)}end`
  const rewritten = rewrite(`From: a@b\nSubject: ${value}\n\nx\n`)
  expect(rewritten.replaceAll('\r\n ', ' ')).toContain(`Subject: ${value}\r\n`)
  expect(rewritten).not.toMatch(/\r\n[ \t]*\r\n[ \t]/)
})

test('fields of the outermost header are dropped with their folded lines, those of inner messages are not', () => {
  const text = `Bcc: a@b,\n c@d\nbcc : e@f\nTo: g@h\nContent-Type: message/rfc822\n\nBcc: inner@x\n\nx\n`
  expect(rewrite(text, { dropFields: new Set(['bcc']) })).toBe(
    crlf('To: g@h\nContent-Type: message/rfc822\n\nBcc: inner@x\n\nx\n'),
  )
})

test.each([
  ['a long field without blanks', `From: a@b\nSubject: ${long}\n\nx`, 2, 'subject field'],
  [
    'a long folded line whose only blanks begin it',
    `From: a@b\nX: y\n${' '.repeat(500)}${'z'.repeat(600)}\n\nx`,
    3,
    'folded',
  ],
  [
    'a long field whose only blanks close it',
    `From: a@b\nX: ${'y'.repeat(990)}${' '.repeat(990)}\n\nx`,
    2,
    'folded',
  ],
  ['a NUL in a field', 'From: a@b\nSubject: a\n \0\n\nx', 3, 'NUL'],
  [
    'a NUL in a delivery report',
    mixed('Content-Type: message/delivery-status\n\nX: \0'),
    8,
    'message/delivery-status',
  ],
  ['a NUL in a multipart without parts', 'Content-Type: multipart/mixed\n\n\0', 3, 'multipart/mixed'],
  ['a NUL in an unknown encoding', mixed('Content-Transfer-Encoding: x-uue\n\n\0'), 8, 'x-uue'],
  ['a long line in a multipart/signed', mixed(`\n${long}`).replace('mixed', 'signed'), 7, 'multipart/signed'],
  [
    'a long field in a multipart/signed',
    mixed(`X: a ${long.slice(3)}\n\n`).replace('mixed', 'signed'),
    6,
    '998 octets in a multipart/signed',
  ],
  ['a delimiter over 998 octets', mixed('\nx').replace('--b\n', `--b${' '.repeat(999)}\n`), 5, 'delimiter'],
])('%s cannot be sent, and the error names the line', (_, text, line, reason) => {
  expect(() => rewriteMessage(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'ERR_MESSAGE', line, message: expect.stringContaining(reason) }),
  )
})

test('lines are counted from the first octet, wherever the message begins', () => {
  const text = `From someone\nFrom: a@b\nSubject: ${long}\n\n`
  expect(() => rewriteMessage(Buffer.from(text), { from: 13 })).toThrow(expect.objectContaining({ line: 3 }))
})
