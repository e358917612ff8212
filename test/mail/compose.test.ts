import { isAscii } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAddress } from '../../src/mail/address.ts'
import { composeMail } from '../../src/mail/compose.ts'
import type { Mail } from '../../src/mail/mail.ts'
import { parse, readBack, wireFields, wireProblem } from './read-back.ts'

const options = { hostname: 'mail.example.org', now: () => Date.UTC(2026, 10, 21, 7) }
const plain: Mail = { from: 'a@x.test', to: 'b@x.test', subject: 'Hello', text: 'Hi.\n' }

async function compose(mail: Mail) {
  const { message, envelope } = await composeMail(mail, options)
  const content = Buffer.from(message.content ?? [])
  expect(wireProblem(content)).toBeNull()
  return {
    message,
    content,
    fields: wireFields(content),
    reversePath: envelope.reversePath && formatAddress(envelope.reversePath),
    recipients: envelope.recipients.map(({ address, field }) => `${field}:${formatAddress(address)}`),
  }
}

const refusal = (mail: unknown) =>
  composeMail(mail as Mail, options).then(
    () => null,
    (error: unknown) => error,
  )
const named = (fields: readonly string[], name: string) =>
  fields.filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))

test('a plain message is what one would have written by hand', async () => {
  const { content, message } = await compose(plain)
  expect(message.messageId).toMatch(/^<[\w-]{36}@mail\.example\.org>$/)
  expect(message.requires).toEqual(new Set())
  expect(content.toString().split('\r\n')).toEqual([
    'From: a@x.test',
    'To: b@x.test',
    'Subject: Hello',
    `Message-ID: ${message.messageId}`,
    'Date: Sat, 21 Nov 2026 07:00:00 +0000',
    'Content-Transfer-Encoding: 7bit',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Hi.',
    '',
  ])
})

test('text and HTML make a multipart/alternative, attachments a multipart/mixed, cid images a related', async () => {
  const both = await compose({ ...plain, html: '<p>Grüße</p>' })
  expect(named(both.fields, 'content-type')[0]).toContain('multipart/alternative')
  expect(await readBack(both.content)).toMatchObject({
    text: expect.stringMatching(/^Hi\.\n+$/),
    html: expect.stringMatching(/^<p>Grüße<\/p>\n$/),
  })
  const image = { filename: 'i.png', content: Buffer.from([0, 10, 13, 255]), cid: 'img1' }
  const all = await compose({
    ...plain,
    html: '<img src="cid:img1">',
    attachments: [image, { content: 'x' }],
  })
  expect(named(all.fields, 'content-type')[0]).toContain('multipart/mixed')
  expect(all.content.toString()).toContain('Content-Type: multipart/related')
  expect((await readBack(all.content)).attachments).toEqual([
    { name: 'i.png', type: 'image/png', octets: '\0\n\r\xff' },
    { name: 'attachment', type: 'application/octet-stream', octets: 'x' },
  ])
})

test('the To field shows what was written, the envelope what is meant; groups give their members', async () => {
  const { fields, recipients } = await compose({
    ...plain,
    to: [
      '"Doe, J." <j@x.test>, =?utf-8?Q?J=C3=B6?= <o@x.test>',
      { name: 'K "x"', address: 'k@münchen.test' },
    ],
    cc: 'Team: "odd one"@x.test, <l@[192.0.2.1]>;',
  })
  expect(named(fields, 'to')).toEqual([
    'To: "Doe, J." <j@x.test>, =?UTF-8?B?SsO2?= <o@x.test>, "K \\"x\\"" <k@xn--mnchen-3ya.test>',
  ])
  expect(named(fields, 'cc')).toEqual(['Cc: <"odd one"@x.test>, <l@[192.0.2.1]>'])
  expect(recipients).toEqual([
    'to:j@x.test',
    'to:o@x.test',
    'to:k@xn--mnchen-3ya.test',
    'cc:"odd one"@x.test',
    'cc:l@[192.0.2.1]',
  ])
})

test('no field names a Bcc recipient, given as option or header, and a mailbox gets one copy', async () => {
  const { content, recipients } = await compose({ ...plain, bcc: 'b@x.test, c@x.test' })
  expect(recipients).toEqual(['to:b@x.test', 'bcc:c@x.test'])
  expect(content.toString()).not.toMatch(/bcc:|c@x\.test/i)
  const asHeader = await compose({ ...plain, headers: { Bcc: 'c@x.test', 'Resent-Bcc': 'd@x.test' } })
  expect(asHeader.recipients).toEqual(['to:b@x.test', 'bcc:c@x.test'])
  expect(asHeader.content.toString()).not.toMatch(/bcc:|[cd]@x\.test/i)
})

test.each<[string, Partial<Mail>, string | null]>([
  ['the first author', { from: 'a@x.test, b@x.test' }, 'a@x.test'],
  ['the sender', { sender: 's@x.test' }, 's@x.test'],
  ['envelopeFrom', { sender: 's@x.test', envelopeFrom: 'e@x.test' }, 'e@x.test'],
  ['null for <>', { envelopeFrom: '<>' }, null],
  ['null for null', { envelopeFrom: null }, null],
])('the reverse-path is %s', async (_, mail, reversePath) => {
  expect((await compose({ ...plain, ...mail })).reversePath).toBe(reversePath)
})

test('several authors need a Sender, the first is taken (RFC 5322 §3.6.2)', async () => {
  const { fields } = await compose({ ...plain, from: 'a@x.test, b@x.test' })
  expect(named(fields, 'sender')).toEqual(['Sender: a@x.test'])
})

test('Date, Message-ID and MIME-Version stand there once, also when given as headers (RFC 5322 §3.6)', async () => {
  const headers = { DATE: 'Sat, 21 Nov 2026 08:00:00 +0100', 'message-id': '1@x.test', 'Mime-version': '2.0' }
  const { fields, message } = await compose({ ...plain, headers })
  expect(named(fields, 'date')).toEqual(['Date: Sat, 21 Nov 2026 08:00:00 +0100'])
  expect(named(fields, 'message-id')).toEqual(['Message-ID: <1@x.test>'])
  expect(named(fields, 'mime-version')).toEqual(['MIME-Version: 1.0'])
  expect(message.messageId).toBe('<1@x.test>')
})

test('further fields keep their names and order, and may repeat', async () => {
  const headers: Mail['headers'] = [
    ['X-GitHub-iD', 'one'],
    ['x-b', 'Grüße'],
    ['X-GitHub-iD', 'two'],
  ]
  const { fields } = await compose({ ...plain, headers })
  expect(fields.slice(0, 3)).toEqual([
    'X-GitHub-iD: one',
    'x-b: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
    'X-GitHub-iD: two',
  ])
})

test('a subject of any length and script is encoded, folded and read back the same (RFC 2047)', async () => {
  const subjects = [
    'Grüße '.repeat(300).trim(),
    '日本語'.repeat(200),
    'a'.repeat(3000),
    `x ${'b'.repeat(1500)} 😀`,
  ]
  for (const subject of subjects) {
    const { content } = await compose({ ...plain, subject })
    expect(isAscii(content)).toBe(true)
    expect((await readBack(content)).subject).toBe(subject)
  }
})

test('text of any kind is 7-bit on the wire and read back the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('ü', '😀', '\n', '.', ' ', '=', '\0', 'From ', 'x'.repeat(1100)), {
        maxLength: 30,
      }),
      async (pieces) => {
        const text = `${pieces.join('')}end`
        const { content } = await compose({ ...plain, text })
        expect(isAscii(content)).toBe(true)
        // How the line ends are shown, and whether the last is, depends on the encoding and says nothing.
        const shown = (await readBack(content)).text ?? ''
        expect(shown.replaceAll('\r\n', '\n').replace(/\n$/, '')).toBe(text)
      },
    ),
  )
})

test('every kind of line end in a text becomes CRLF (RFC 5321 §2.3.8)', async () => {
  const { content } = await compose({ ...plain, text: 'a\rb\nc\r\nd' })
  expect(content.toString()).toMatch(/\r\n\r\na\r\nb\r\nc\r\nd\r\n$/)
  // In base64 as well, where only the reader sees them (RFC 2045 §6.8).
  const inBase64 = (await compose({ ...plain, text: '日\n本' })).content.toString()
  expect(inBase64).toContain(Buffer.from('日\r\n本').toString('base64'))
})

test('a local part in UTF-8 is written as it is and asks for SMTPUTF8 (RFC 6531 §3.2), a Bcc alone does not', async () => {
  const { message, content } = await compose({ ...plain, to: 'jörg@x.test', subject: 'ü' })
  expect(message.requires).toEqual(new Set(['SMTPUTF8']))
  expect(content.toString()).toMatch(/^To: jörg@x\.test\r\nSubject: =\?UTF-8/m)
  expect((await compose({ ...plain, bcc: 'jörg@x.test' })).message.requires).toEqual(new Set())
})

test.each<[string, object, string]>([
  ['no author', { from: undefined }, 'nobody in From'],
  ['an empty group as author', { from: 'nobody:;' }, 'nobody in From'],
  ['two senders', { sender: 's@x.test, t@x.test' }, 'one address in the Sender field'],
  ['no recipient', { to: 'undisclosed-recipients:;' }, 'no recipient'],
  [
    'a CR in the subject',
    { subject: 'a\rBcc: c@x.test' },
    'the subject must not contain `\\r`, got `a\\rBcc: c@x.test`',
  ],
  ['a NUL in the subject', { subject: '\0' }, 'the subject must not contain'],
  ['a LF in a header', { headers: { 'X-A': 'a\nBcc: c@x.test' } }, 'the header X-A must not contain `\\n`'],
  ['a CR in a display name', { to: { name: 'a\r\nBcc: c', address: 'b@x.test' } }, 'the display name of to'],
  ['an encoded CR in a display name', { to: '=?utf-8?Q?a=0Db?= <b@x.test>' }, 'a display name'],
  ['a header name with a colon', { headers: { 'X: y': 'z' } }, '`X: y` is no header field name'],
  ['a header name with a line end', { headers: [['X\r\nBcc', 'z']] }, 'no header field name'],
  ['no header name', { headers: [['', 'z']] }, 'no header field name'],
  ['a header name in UTF-8', { headers: { 'X-Ä': 'z' } }, 'no header field name'],
  ['a Content-Type of one’s own', { headers: { 'content-type': 'text/x' } }, 'cannot be set'],
  ['a subject given twice', { headers: { Subject: 'again' } }, 'given twice'],
  [
    'a header given twice that is once',
    {
      headers: [
        ['Date', 'x'],
        ['date', 'y'],
      ],
    },
    'given twice',
  ],
  ['a date that is none', { date: 'soon' }, 'got `soon`'],
  ['an invalid Date', { date: new Date(Number.NaN) }, 'expected the Date field'],
  ['a Message-ID in UTF-8 (RFC 6532 §3.3)', { messageId: '<ü@x.test>' }, 'in ASCII'],
  ['a Message-ID that ends early', { messageId: '<a@b> <c@d>' }, 'the Message-ID field'],
  ['UTF-8 in a field of ids', { headers: { References: '<ü@x.test>' } }, 'cannot be encoded'],
])('%s is refused', async (_, mail, reason) => {
  expect(await refusal({ ...plain, ...mail })).toMatchObject({
    code: 'ERR_MESSAGE',
    message: expect.stringContaining(reason),
  })
})

test.each<[string, object]>([
  ['a text', { text: { path: '/etc/hostname' } }],
  ['an HTML', { html: { href: 'http://127.0.0.1/' } }],
  ['a subject', { subject: 7 }],
  ['a header', { headers: { 'X-A': [{ prepared: true, value: 'a\r\nb' }] } }],
  ['a raw message', { raw: { path: '/etc/hostname' } }],
])('%s that is no string is a mistake of the caller’s', async (_, mail) => {
  const { subject, text, ...rest } = plain
  expect([subject, text]).toEqual(['Hello', 'Hi.\n'])
  expect(await refusal({ ...rest, ...mail })).toBeInstanceOf(TypeError)
})

test.each([
  ['composed', plain],
  ['raw', { raw: 'From: a@x.test\r\nTo: b@x.test\r\n\r\nHi.\r\n' }],
])('a key that no %s mail has is a mistake of the caller’s, not left out', async (_, mail) => {
  // As nodemailer has it: left out, the mail would go to those of its header.
  const error = await refusal({ ...mail, envelope: { to: 'c@x.test' } } as object)
  expect(error).toBeInstanceOf(TypeError)
  expect(error).toMatchObject({ message: expect.stringContaining('`envelope`') })
  expect(await refusal({ ...mail, envelope: undefined } as object)).toBeNull()
})

test('a malformed address is an address error', async () => {
  expect(await refusal({ ...plain, to: 'b@x.test\r\nBcc: c@x.test' })).toMatchObject({ code: 'ERR_ADDRESS' })
  expect(await refusal({ ...plain, from: { address: 'a b@x.test' } })).toMatchObject({ code: 'ERR_ADDRESS' })
})

test('whatever stands in names and values, no field is added and none changes its name', async () => {
  const nasty = fc
    .array(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        'Bcc: c@x.test',
        ' ',
        '\t',
        '"',
        '\\',
        'ü',
        '\x1b',
        '=?',
        '?=',
        'a',
        ',',
        '<',
      ),
      {
        maxLength: 12,
      },
    )
    .map((pieces) => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(nasty, nasty, nasty, async (subject, value, name) => {
      const mail = {
        ...plain,
        subject: `s${subject}`,
        headers: { 'X-A': `v${value}` },
        to: { name, address: 'b@x.test' },
      }
      const found = await compose(mail).catch((error: unknown) => error)
      if (found instanceof Error) {
        expect(found).toHaveProperty('code', 'ERR_MESSAGE')
        return
      }
      const { fields, content } = found as Awaited<ReturnType<typeof compose>>
      expect(fields.map((field) => field.split(':', 1)[0])).toEqual([
        'X-A',
        'From',
        'To',
        'Subject',
        'Message-ID',
        'Date',
        'Content-Transfer-Encoding',
        'MIME-Version',
        'Content-Type',
      ])
      expect((await parse(content)).to?.map(({ address }) => address)).toEqual(['b@x.test'])
    }),
  )
})
