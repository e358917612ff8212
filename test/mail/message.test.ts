import { expect, test } from 'vitest'
import { messageFromBytes } from '../../src/mail/message.ts'

const crlf = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const collected: Uint8Array[] = []
  for await (const chunk of chunks) collected.push(chunk)
  return Buffer.concat(collected)
}

test('a message knows its size in octets and its Message-ID (RFC 1870 §5)', () => {
  const content = crlf('Message-ID:\n <1@x>\nSubject: ü\n\n')
  expect(messageFromBytes(content)).toMatchObject({ size: content.length, messageId: '<1@x>', content })
})

test('it can be opened any number of times, also at once', async () => {
  const content = Buffer.concat([crlf('From: a@b\n\n'), Buffer.alloc(200_000, 'x')])
  const message = messageFromBytes(content)
  const [first, second] = await Promise.all([collect(message.open()), collect(message.open())])
  expect(first.equals(content)).toBe(true)
  expect(second.equals(content)).toBe(true)
})

const inner = 'Content-Type: message/rfc822\n\nSubject: ü\n\nx\n'
const part = (fields: string) =>
  `Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain${fields}\n\nx\n--b--\n`

test.each([
  ['ASCII', 'Subject: x\n\nx\n', []],
  ['an 8-bit body', 'Subject: x\n\nü\n', ['8BITMIME']],
  ['UTF-8 in a field', 'Subject: ü\n\nx\n', ['SMTPUTF8']],
  ['both', 'Subject: ü\n\nü\n', ['SMTPUTF8', '8BITMIME']],
  ['UTF-8 in a field of a MIME part', part('; name=ü'), ['SMTPUTF8']],
  ['UTF-8 in the header of a message it holds', inner, ['8BITMIME']],
])('%s is what decides which extensions a message requires (RFC 6531 §3.6)', (_, text, requires) => {
  expect(messageFromBytes(crlf(text)).requires).toEqual(new Set(requires))
})

test('octets without a header section are no message', () => {
  expect(() => messageFromBytes(crlf('\nx'))).toThrow(
    expect.objectContaining({ code: 'ERR_MESSAGE', line: 1 }),
  )
})
