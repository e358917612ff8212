import { isAscii } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress } from '../../src/mail/address.ts'
import { composeMail } from '../../src/mail/compose.ts'
import type { Mail } from '../../src/mail/mail.ts'
import { toSevenBit } from '../../src/mail/seven-bit.ts'
import { wireFields, wireProblem } from './read-back.ts'

const options = { hostname: 'mail.example.org', now: () => Date.UTC(2026, 10, 21, 7) }
const crlf = (text: string) => text.replaceAll('\n', '\r\n')
const dated = 'Date: Sat, 21 Nov 2026 07:00:00 +0000\nMessage-ID: <1@x.test>\n'
const head = `${dated}From: a@x.test\nTo: b@x.test\n`

async function send(mail: Mail) {
  const { message, envelope } = await composeMail(mail, options)
  return {
    message,
    content: Buffer.from(message.content ?? []).toString(),
    reversePath: envelope.reversePath && formatAddress(envelope.reversePath),
    recipients: envelope.recipients.map(({ address, field }) => `${field}:${formatAddress(address)}`),
  }
}

const refusal = (mail: Mail) =>
  composeMail(mail, options).then(
    () => null,
    (error: unknown) => error,
  )

test('a raw message is sent octet for octet, odd blanks, folds and dots included', async () => {
  const raw = crlf(`${head}X-Odd :\t spaced  \n \t\n folded\n\n.\n..dot\n\nno MIME  \n\n`)
  expect((await send({ raw })).content).toBe(raw)
  expect((await send({ raw: Buffer.from(raw) })).content).toBe(raw)
})

test('its line ends become CRLF (RFC 5321 §2.3.8)', async () => {
  expect((await send({ raw: `${head}\nx\ry\n\rz` })).content).toBe(crlf(`${head}\nx\ny\n\nz\n`))
})

test('no Bcc field reaches the wire, but its addresses are recipients (RFC 5322 §3.6.3)', async () => {
  const raw = `${head}BCC: c@x.test,\n\td@x.test\nbcc : e@x.test\nResent-Bcc: f@x.test\nSubject: Bcc: x\n\nBcc: body\n`
  const { content, recipients } = await send({ raw })
  expect(content).toBe(crlf(`${head}Subject: Bcc: x\n\nBcc: body\n`))
  expect((await send({ raw: crlf(raw) })).content).toBe(content)
  expect(recipients).toEqual(['to:b@x.test', 'bcc:c@x.test', 'bcc:d@x.test', 'bcc:e@x.test'])
})

test('a Bcc behind a bare CR is a Bcc field, not part of the field before', async () => {
  const { content } = await send({ raw: `${head}Subject: x\rBcc: c@x.test\r\n\r\n` })
  expect(content).toBe(crlf(`${head}Subject: x\n\n`))
})

test('a Bcc field too long for any line is no error, it is not sent', async () => {
  const bcc = Array.from({ length: 200 }, (_, index) => `u${index}@x.test`).join(',')
  expect((await send({ raw: `${head}Bcc: ${bcc}\n\nx\n` })).recipients).toHaveLength(201)
})

test('the recipients given as options replace those of the fields', async () => {
  const { recipients, content } = await send({
    raw: `${head}Bcc: c@x.test\n\nx\n`,
    to: 'd@x.test',
    bcc: 'e@x.test',
  })
  expect(recipients).toEqual(['to:d@x.test', 'bcc:e@x.test'])
  expect(content).toBe(crlf(`${head}\nx\n`))
})

test.each<[string, string, Partial<Mail>, string | null]>([
  ['its From', '', {}, 'a@x.test'],
  ['its Sender before its From', 'Sender: s@x.test\n', {}, 's@x.test'],
  ['`from` before its fields', 'Sender: s@x.test\n', { from: 'f@x.test' }, 'f@x.test'],
  [
    '`envelopeFrom` before all',
    'Sender: s@x.test\n',
    { from: 'f@x.test', envelopeFrom: 'e@x.test' },
    'e@x.test',
  ],
  ['null for <>', '', { envelopeFrom: '<>' }, null],
  ['null for null', '', { envelopeFrom: null }, null],
])('the reverse-path is %s', async (_, fields, mail, reversePath) => {
  expect((await send({ raw: `${head}${fields}\nx\n`, ...mail })).reversePath).toBe(reversePath)
})

test('Date, Message-ID and From are added where they are missing, on top (RFC 5322 §3.6, RFC 6409 §8)', async () => {
  const { content, message } = await send({ raw: 'To: b@x.test\n\nx\n', from: 'a@x.test' })
  expect(message.messageId).toMatch(/^<[\w-]{36}@mail\.example\.org>$/)
  expect(content).toBe(
    crlf(
      `Date: Sat, 21 Nov 2026 07:00:00 +0000\nMessage-ID: ${message.messageId}\nFrom: <a@x.test>\nTo: b@x.test\n\nx\n`,
    ),
  )
})

test('the `From ` line of an mbox and a byte order mark are not part of the message', async () => {
  const mbox = `From a@x.test Sat Nov 21 07:00:00 2026\n${head}\nx\n`
  expect((await send({ raw: mbox })).content).toBe(crlf(`${head}\nx\n`))
  expect((await send({ raw: crlf(mbox) })).content).toBe(crlf(`${head}\nx\n`))
  expect((await send({ raw: `\ufeff${head}\nx\n` })).content).toBe(crlf(`${head}\nx\n`))
})

test('a From field spelt with a blank before the colon is no mbox line (RFC 5322 §4.5)', async () => {
  const raw = crlf(`From : a@x.test\nTo: b@x.test\n${dated}\nx\n`)
  expect((await send({ raw })).content).toBe(raw)
})

test('8-bit content asks for 8BITMIME, UTF-8 in a field for SMTPUTF8', async () => {
  expect((await send({ raw: `${head}\nü\n` })).message.requires).toEqual(new Set(['8BITMIME']))
  expect((await send({ raw: `${head}Subject: ü\n\nx\n` })).message.requires).toEqual(new Set(['SMTPUTF8']))
})

test.each<[string, Mail, number | null, string]>([
  ['no octets', { raw: '' }, null, 'empty'],
  ['a blank line first', { raw: `\n${head}\nx` }, 1, 'header section'],
  ['garbage', { raw: 'Dear Bob,\nhow are you?\n' }, 1, 'header section'],
  ['a line that is no field', { raw: `${head}oops\n\nx` }, 5, 'not a header field'],
  ['a malformed To', { raw: `${dated}From: a@x.test\nTo: b@x.test, c@@x\n\nx` }, 4, 'the to field'],
  ['a malformed From', { raw: `${dated}From: a@\nTo: b@x.test\n\nx` }, 3, 'the from field'],
  ['no recipient', { raw: `${dated}From: a@x.test\n\nx` }, null, 'no recipient'],
  ['no author', { raw: 'To: b@x.test\n\nx' }, null, 'no From field'],
  ['no author of a bounce', { raw: 'To: b@x.test\n\nx', envelopeFrom: '<>' }, null, 'no From field'],
  [
    'Latin-1 in a field',
    { raw: Buffer.from(`${head}Subject: ü\n\nx`, 'latin1') },
    5,
    'neither ASCII nor UTF-8',
  ],
  ['a long line behind an mbox line', { raw: `From x\n${head}X: ${'y'.repeat(999)}\n\n` }, 6, '998'],
  ['a text beside it', { raw: `${head}\nx`, text: 'y' }, null, 'combined with `text`'],
])('%s is an error that names the line', async (_, mail, line, reason) => {
  expect(await refusal(mail)).toMatchObject({
    code: 'ERR_MESSAGE',
    line,
    message: expect.stringContaining(reason),
  })
})

test('a malformed address in an option is an address error', async () => {
  expect(await refusal({ raw: `${head}\nx`, to: 'nobody' })).toMatchObject({ code: 'ERR_ADDRESS' })
})

const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        '\0',
        ' ',
        '\t',
        ':',
        ',',
        '--b',
        '--b--',
        'ü',
        '\xfc',
        '"',
        '<',
        '>',
      ),
      fc.constantFrom(
        '\nBcc: c@x.test',
        '\nBCC :c@x.test',
        '\n\n',
        '\nContent-Type: multipart/mixed; boundary=b\n',
      ),
      fc.constantFrom(
        '\nContent-Type: message/rfc822\n\n',
        '\nContent-Transfer-Encoding: base64\n',
        'x'.repeat(1000),
      ),
      fc.string({ maxLength: 10, unit: 'binary' }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''))

test('any octets end in an error or in a message that is fit for the wire and hides its Bcc', async () => {
  let sent = 0
  const hasHead = fc.constantFrom(head.trimEnd(), '', 'From: a@x.test')
  await fc.assert(
    fc.asyncProperty(hasHead, soup, fc.constantFrom('utf8', 'latin1'), async (start, rest, charset) => {
      const found = await composeMail(
        { raw: Buffer.from(start + rest, charset), to: 'b@x.test' },
        options,
      ).catch((error: unknown) => error)
      if (found instanceof Error) {
        expect(found).toHaveProperty('code', expect.stringMatching(/^ERR_(MESSAGE|ADDRESS)$/))
        return
      }
      sent += 1
      const { message } = found as Awaited<ReturnType<typeof composeMail>>
      const content = message.content ?? new Uint8Array(0)
      expect(wireProblem(content)).toBeNull()
      expect(wireFields(content).filter((field) => /^(resent-)?bcc[ \t]*:/i.test(field))).toEqual([])
      await toSevenBit(message).then(
        (converted) => expect(isAscii(converted.content ?? new Uint8Array(0))).toBe(true),
        (error: unknown) => expect(error).toHaveProperty('code', 'ERR_MESSAGE'),
      )
    }),
    { numRuns: 500 },
  )
  // Else the property would say nothing about messages.
  expect(sent).toBeGreaterThan(50)
})
