import { expect, test } from 'vitest'
import { fieldText, firstFieldText, parseHeader } from '../../src/mail/message-header.ts'

const octets = (text: string) => Buffer.from(text)

function read(text: string) {
  const bytes = octets(text)
  const { fields, bodyStart } = parseHeader(bytes)
  return {
    fields: fields.map((field) => [field.name, fieldText(bytes, field)]),
    body: bytes.subarray(bodyStart).toString(),
  }
}

test('fields are read in order, names in lower case, folded lines unfolded (RFC 5322 §2.2.3)', () => {
  expect(read('From: a@b\r\nSUBJECT: one\r\n two\r\n\tthree\r\n\r\nbody: no field\r\n')).toEqual({
    fields: [
      ['from', 'a@b'],
      ['subject', 'one two\tthree'],
    ],
    body: 'body: no field\r\n',
  })
})

test('blanks before the colon are part of neither name nor value (RFC 5322 §4.5)', () => {
  expect(read('Bcc \t: a@b\r\n\r\n').fields).toEqual([['bcc', 'a@b']])
})

test('a header section without body ends with the message', () => {
  expect(read('From: a@b')).toEqual({ fields: [['from', 'a@b']], body: '' })
})

test('bare CRs and LFs divide fields as CRLF does, so none can hide in another', () => {
  expect(read('From: a@b\rBcc: c@d\nTo: e@f\n\nx').fields.map(([name]) => name)).toEqual([
    'from',
    'bcc',
    'to',
  ])
})

test('the first field of a name is the one that counts', () => {
  const bytes = octets('To: a@b\r\nTo: c@d\r\n\r\n')
  const { fields } = parseHeader(bytes)
  expect(firstFieldText(bytes, fields, 'to')).toBe('a@b')
  expect(firstFieldText(bytes, fields, 'cc')).toBeNull()
})

test.each([
  ['', null, 'the message is empty'],
  ['\r\nbody', 1, 'no header section'],
  ['Hello, no field here\r\n', 1, 'no header section'],
  [' folded: from nothing\r\n', 1, 'no header section'],
  ['From: a@b\r\nTo: c@d\r\ngarbage\r\n\r\n', 3, 'not a header field'],
  ['From: a@b\r\nTwo words: x\r\n\r\n', 2, 'not a header field'],
  ['From: a@b\r\nÄ: x\r\n\r\n', 2, 'not a header field'],
  ['From: a@b\r\n: x\r\n\r\n', 2, 'not a header field'],
])('%j is refused, naming line %s', (text, line, reason) => {
  expect(() => parseHeader(octets(text))).toThrow(
    expect.objectContaining({ code: 'ERR_MESSAGE', line, message: expect.stringContaining(reason) }),
  )
})
