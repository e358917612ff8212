import { isAscii } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Message, messageFromBytes } from '../../src/mail/message.ts'
import { toSevenBit } from '../../src/mail/seven-bit.ts'
import { readBack, wireProblem } from './read-back.ts'

const crlf = (text: string) => text.replaceAll('\n', '\r\n')
const messageOf = (text: string) => messageFromBytes(Buffer.from(crlf(text)))
const contentOf = (message: Message) => Buffer.from(message.content ?? [])

async function convert(text: string): Promise<string> {
  const converted = await toSevenBit(messageOf(text))
  expect(converted.requires).toEqual(new Set())
  expect(converted.size).toBe(contentOf(converted).length)
  expect(isAscii(contentOf(converted))).toBe(true)
  return contentOf(converted).toString()
}

test('a message that is 7-bit already is the one returned', async () => {
  const message = messageOf('From: a@b\n\nx\n')
  expect(await toSevenBit(message)).toBe(message)
})

test('text becomes quoted-printable, the rest base64, labels say so (RFC 6152 §3)', async () => {
  const text = `MIME-Version: 1.0
Content-Transfer-Encoding: 8bit
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße
--b
Content-Type: application/json
Content-Transfer-Encoding: 8bit

"ü"
--b
Content-Transfer-Encoding: 8bit

plain
--b--
`
  expect(await convert(text)).toBe(
    crlf(`MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b
Content-Transfer-Encoding: 7bit

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
--b
Content-Type: application/json
Content-Transfer-Encoding: base64

IsO8Ig==
--b
Content-Transfer-Encoding: 7bit

plain
--b--
`),
  )
})

test('a message within the message is converted inside, not as a whole (RFC 2046 §5.2.1)', async () => {
  const converted = await convert('MIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: x\n\nü\n')
  expect(converted).toBe(
    crlf(
      'MIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: x\nMIME-Version: 1.0\n' +
        'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC\n',
    ),
  )
})

test('a message/global may be encoded as a whole (RFC 6532 §3.7)', async () => {
  expect(await convert('MIME-Version: 1.0\nContent-Type: message/global\n\nSubject: ü\n\nx\n')).toContain(
    Buffer.from('Subject: ü\r\n\r\nx\r\n').toString('base64'),
  )
})

test('a multipart/signed that is 7-bit is left alone beside a part that is not (RFC 1847 §2.1)', async () => {
  const signed =
    'Content-Type: multipart/signed; boundary=s\n\n--s\nContent-Transfer-Encoding: 8bit\n\nsigned\n--s\n\nsig\n--s--\n'
  const converted = await convert(
    `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${signed}\n--b\n\nü\n--b--\n`,
  )
  expect(converted).toContain(crlf(signed))
})

test.each([
  ['UTF-8 in a header field', 'From: a@b\nSubject: ü\n\nx\n', 2],
  ['UTF-8 in the header of an inner message', 'Content-Type: message/rfc822\n\nSubject: ü\n\nx\n', 3],
  ['8 bits in a multipart/signed', 'Content-Type: multipart/signed; boundary=s\n\n--s\n\nü\n--s--\n', 5],
  ['8 bits in a message/partial', 'Content-Type: message/partial\n\nü\n', 3],
])('%s cannot be converted, and the error names the line', async (_, text, line) => {
  await expect(toSevenBit(messageOf(text))).rejects.toMatchObject({ code: 'ERR_MESSAGE', line })
})

test('one message is converted once, however many ask', async () => {
  const message = messageOf('From: a@b\n\nü\n')
  expect(await toSevenBit(message)).toBe(await toSevenBit(message))
})

test('a message that is not held in memory is read once from its stream', async () => {
  const { content, ...streamed } = messageOf('From: a@b\n\nü\n')
  expect(content.length).toBe(streamed.size)
  expect(contentOf(await toSevenBit(streamed)).toString()).toMatch(/\r\n\r\n=C3=BC\r\n$/)
})

// Leaves and trees of them; boundaries are numbered so that no two are alike.
const leaf = fc
  .record({
    type: fc.constantFrom('text/plain; charset=utf-8', 'text/html; charset=utf-8', 'application/x-y', ''),
    encoding: fc.constantFrom('8bit', 'binary', ''),
    body: fc.array(fc.constantFrom('ü', 'abc ', '\n', '=', '--', '.', 'ß'.repeat(40)), { maxLength: 12 }),
  })
  .map(({ type, encoding, body }) => {
    const label = type && `Content-Type: ${type}\n`
    return `${label}${encoding && `Content-Transfer-Encoding: ${encoding}\n`}\n${body.join('')}`
  })
let boundaries = 0
const entity = fc.letrec<{ entity: string; multipart: string; message: string }>((tie) => ({
  entity: fc.oneof({ maxDepth: 4 }, leaf, tie('multipart'), tie('message')),
  multipart: fc.array(tie('entity'), { minLength: 1, maxLength: 3 }).map((parts) => {
    const boundary = `=_b${boundaries++}`
    const delimited = parts.map((text) => `--${boundary}\n${text}\n`).join('')
    return `Content-Type: multipart/mixed; boundary="${boundary}"\n\n${delimited}--${boundary}--\n`
  }),
  message: tie('entity').map(
    (text) => `Content-Type: message/rfc822\n\nSubject: in\nMIME-Version: 1.0\n${text}`,
  ),
})).entity

test('another parser reads the same out of any message before and after', async () => {
  await fc.assert(
    fc.asyncProperty(entity, async (text) => {
      const original = messageOf(`From: a@b\nMIME-Version: 1.0\n${text}\n`)
      const converted = contentOf(await toSevenBit(original))
      expect(isAscii(converted)).toBe(true)
      expect(wireProblem(converted)).toBeNull()
      expect(comparable(await readBack(converted))).toEqual(comparable(await readBack(contentOf(original))))
    }),
    { numRuns: 200 },
  )
})

/**
 * What the other parser can tell: it hands out unencoded octets line by line with LF and one more at the end. Inner
 * messages are converted inside: their octets may differ, their number may not.
 */
function comparable(read: Awaited<ReturnType<typeof readBack>>) {
  const attachments = read.attachments.map((found) => ({
    ...found,
    octets: found.type === 'message/rfc822' ? '' : found.octets.replace(/\r\n?/g, '\n').replace(/\n+$/, ''),
  }))
  return { ...read, attachments }
}
