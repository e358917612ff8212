import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { composeDsn } from '../../src/queue/bounce.ts'
import { wireFields, wireProblem } from '../mail/read-back.ts'
import {
  arrivedAt,
  bytesOf,
  hasPython,
  messageOf,
  now,
  original,
  readParts,
  readWithPython,
  recipientOf,
  refusal,
  reportOf,
  retryUntil,
  silence,
} from './bounce-samples.ts'

const options = { hostname: 'mail.example.org', now: () => now }

describe('a report', () => {
  test('goes to the reverse-path alone, from nobody, and wants no report on itself (RFC 3464 §2, RFC 3834 §3.3)', async () => {
    const { envelope } = await composeDsn(reportOf(), options)
    expect(envelope).toEqual({
      reversePath: null,
      recipients: [{ address: parseAddress('alice@sender.test'), field: 'to', dsn: { notify: ['NEVER'] } }],
    })
  })

  test('has the header of a report (RFC 6522 §3, RFC 3464 §2, RFC 3834 §5.2)', async () => {
    const fields = wireFields(await bytesOf(reportOf()))
    const shown = fields.map((field) =>
      field.replace(/^(Message-ID: <)[^@]+/, '$1…').replace(/boundary=".*"/, 'boundary="…"'),
    )
    expect(shown).toEqual([
      'From: Mail Delivery System <MAILER-DAEMON@mail.example.org>',
      'To: alice@sender.test',
      'Subject: Undelivered mail returned to sender',
      'Date: Sat, 21 Nov 2026 07:00:06 +0000',
      'Message-ID: <…@mail.example.org>',
      'Auto-Submitted: auto-replied',
      'In-Reply-To: <1@sender.test>',
      'References: <1@sender.test>',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary="…"',
    ])
  })

  test.each([
    ['failed', 'Undelivered mail returned to sender'],
    ['delayed', 'Delayed mail (still being retried)'],
    ['relayed', 'Mail handed to a server that sends no reports'],
    ['delivered', 'Mail delivered'],
  ] as const)('of %s mail says so in the subject', async (action, subject) => {
    const fields = wireFields(await bytesOf(reportOf({ recipients: [recipientOf({ action })] })))
    expect(fields).toContain(`Subject: ${subject}`)
  })

  test('consists of text, status and message, in this order (RFC 3464 §2)', async () => {
    const bytes = await bytesOf(reportOf())
    const { text, parts } = await readParts(bytes)
    expect(text).toContain('<bob@example.test>: failed')
    expect(parts.map(({ type }) => type)).toEqual(['message/delivery-status', 'message/rfc822'])
    expect(bytes.indexOf('text/plain')).toBeLessThan(bytes.indexOf('message/delivery-status'))
  })

  test('returns the message octet for octet, as the last part', async () => {
    const text = (await bytesOf(reportOf())).toString('latin1')
    const [, boundary] = /boundary="(.*)"/.exec(text) ?? []
    const returned = Buffer.from(original.content ?? []).toString('latin1')
    expect(text.endsWith(`Content-Type: message/rfc822\r\n\r\n${returned}\r\n--${boundary}--\r\n`)).toBe(true)
  })

  test('tells of several recipients of one message together, the gravest first in the subject', async () => {
    const bytes = await bytesOf(
      reportOf({
        recipients: [
          recipientOf({ action: 'delayed', last: silence, retryUntil }),
          recipientOf({ address: parseAddress('carol@example.test') }),
        ],
      }),
    )
    expect(wireFields(bytes)).toContain('Subject: Undelivered mail returned to sender')
  })

  test('is about at least one recipient', async () => {
    await expect(composeDsn(reportOf({ recipients: [] }), options)).rejects.toThrow(TypeError)
  })

  test('on a message without a usable Message-ID refers to none', async () => {
    const message = messageOf('From: a@b.test\r\nMessage-ID: <no id at all\r\n\r\n')
    const fields = wireFields(await bytesOf(reportOf({ message })))
    expect(fields.filter((field) => /^(In-Reply-To|References):/.test(field))).toEqual([])
  })

  test('is made without the message when that cannot be read, and says so', async () => {
    const unreadable = {
      messageId: '<1@sender.test>',
      size: 10,
      requires: new Set<never>(),
      // biome-ignore lint/correctness/useYield: it fails before the first chunk
      async *open() {
        throw new Error('the content is gone')
      },
    }
    const { text, parts } = await readParts(await bytesOf(reportOf({ message: unreadable })))
    expect(parts.map(({ type }) => type)).toEqual(['message/delivery-status'])
    expect(text.replace(/\s+/g, ' ')).toContain('Your message itself could not be read any more.')
  })

  test('is made without the message when that was damaged on disk', async () => {
    const damaged = messageOf(`From: a@b.test\r\n\r\n${'x'.repeat(2000)}\n\0\n`)
    const bytes = await bytesOf(reportOf({ message: damaged }))
    expect(wireProblem(bytes)).toBeNull()
    expect((await readParts(bytes)).parts).toHaveLength(1)
  })

  test('comes from a host without a name too (RFC 5321 §4.1.3)', async () => {
    const fields = wireFields(await bytesOf(reportOf(), { hostname: '[192.0.2.1]' }))
    expect(fields).toContain('From: Mail Delivery System <MAILER-DAEMON@[192.0.2.1]>')
  })
})

describe('UTF-8 in a report (RFC 6533)', () => {
  const toUtf8 = [recipientOf({ address: parseAddress('日@example.test') })]
  const utf8Message = messageOf('From: a@b.test\r\nSubject: ü\r\nMessage-ID: <1@b.test>\r\n\r\nä\r\n')

  test('is encoded for a sender whose own address is ASCII, so that any server takes it (§4.5)', async () => {
    const { message } = await composeDsn(reportOf({ recipients: toUtf8, message: utf8Message }), options)
    expect([...message.requires]).toEqual([])
    const { parts } = await readParts(message.content ?? new Uint8Array())
    expect(parts.map(({ type }) => type)).toEqual(['message/global-delivery-status', 'message/global'])
    expect(parts[1]?.octets).toBe(Buffer.from(utf8Message.content ?? []).toString('latin1'))
  })

  test('stands as it is for a sender whose own address needs SMTPUTF8', async () => {
    const reversePath = parseAddress('ü@sender.test')
    const { message } = await composeDsn(reportOf({ reversePath, recipients: toUtf8 }), options)
    expect([...message.requires].sort()).toEqual(['8BITMIME', 'SMTPUTF8'])
    expect(Buffer.from(message.content ?? []).toString()).toContain('Final-Recipient: utf-8; 日@example.test')
  })

  test('of a peer alone does not ask for it: the diagnostic is escaped (RFC 3464 §2.1)', async () => {
    const last = { ...refusal, diagnostic: '550 5.1.1 Benutzer unbekannt für 日' }
    const bytes = await bytesOf(reportOf({ recipients: [recipientOf({ last })] }))
    const { parts } = await readParts(bytes)
    expect(parts[0]?.type).toBe('message/delivery-status')
    expect(parts[0]?.octets).toContain('550 5.1.1 Benutzer unbekannt f\\xfcr \\u{65e5}')
  })
})

describe.skipIf(!hasPython)('read by the email package of Python', () => {
  test('a report is a multipart/report without a defect, and its fields are the expected ones', async () => {
    const recipients = [
      recipientOf({ orcpt: 'rfc822;Bob@example.test' }),
      recipientOf({
        address: parseAddress('carol@example.test'),
        action: 'delayed',
        last: silence,
        retryUntil,
        uncertain: true,
      }),
    ]
    const reading = readWithPython(await bytesOf(reportOf({ recipients, envid: 'QQ314159', arrivedAt })))
    expect(reading.defects).toEqual([])
    expect(reading.headers).toMatchObject({ 'report-type': 'delivery-status', To: 'alice@sender.test' })
    expect(reading.types).toEqual([
      'multipart/report',
      'text/plain',
      'message/delivery-status',
      // Python takes each group of fields for a message of its own.
      'text/plain',
      'text/plain',
      'text/plain',
      'message/rfc822',
      'text/plain',
    ])
    expect(reading.status).toEqual([
      {
        'Original-Envelope-Id': 'QQ314159',
        'Reporting-MTA': 'dns; mail.example.org',
        'Arrival-Date': 'Sat, 21 Nov 2026 07:00:00 +0000',
      },
      {
        'Original-Recipient': 'rfc822; Bob@example.test',
        'Final-Recipient': 'rfc822; bob@example.test',
        Action: 'failed',
        Status: '5.1.1',
        'Remote-MTA': 'dns; mx1.example.test',
        'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
        'Last-Attempt-Date': 'Sat, 21 Nov 2026 07:00:05 +0000',
      },
      {
        'Final-Recipient': 'rfc822; carol@example.test',
        Action: 'delayed',
        Status: '4.4.1',
        'Diagnostic-Code': 'x-mxpress; connect to mx1.example.test [192.0.2.7]: no answer within 30000 ms',
        'Last-Attempt-Date': 'Sat, 21 Nov 2026 07:00:05 +0000',
        'Will-Retry-Until': 'Thu, 26 Nov 2026 07:00:00 +0000',
        'X-Mxpress-Uncertain': 'yes (a connection was lost after the final dot)',
      },
    ])
  })
})
