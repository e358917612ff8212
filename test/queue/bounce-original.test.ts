import { isAscii } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/mail/message.ts'
import { toSevenBit } from '../../src/mail/seven-bit.ts'
import { quoteOriginal } from '../../src/queue/bounce-original.ts'
import { bytesOf, messageOf, readParts, recipientOf, reportOf, silence } from './bounce-samples.ts'

const header = 'From: a@b.test\r\nSubject: Hello\r\n world\r\n'
const small = messageOf(`${header}\r\nBody.\r\n`)
const large = messageOf(`${header}\r\n${'Body.\r\n'.repeat(10_000)}`)
const options = { whole: true, smtpUtf8: false }

describe('what of the message is returned (RFC 3461 §4.3, RFC 6522 §3)', () => {
  test.each([
    ['FULL', 'failed', 'small', 'message/rfc822'],
    ['HDRS', 'failed', 'small', 'text/rfc822-headers'],
    [null, 'failed', 'small', 'message/rfc822'],
    ['FULL', 'failed', 'large', 'text/rfc822-headers'],
    [null, 'failed', 'large', 'text/rfc822-headers'],
    ['FULL', 'delayed', 'small', 'text/rfc822-headers'],
    ['FULL', 'relayed', 'small', 'text/rfc822-headers'],
  ] as const)('RET=%s, %s, a %s message: %s', async (ret, action, size, type) => {
    const message = size === 'small' ? small : large
    const recipients = [recipientOf({ action, ...(action === 'delayed' ? { last: silence } : {}) })]
    const { parts } = await readParts(await bytesOf(reportOf({ ret, message, recipients })))
    expect(parts[1]?.type).toBe(type)
  })

  test('is bounded by the size that was set', async () => {
    const bytes = await bytesOf(reportOf({ message: large }), { maxReturnedOctets: 100_000 })
    expect((await readParts(bytes)).parts[1]?.type).toBe('message/rfc822')
  })
})

describe('the header alone', () => {
  test('is all fields before the blank line, and not that line (RFC 6522 §4)', async () => {
    const { body, ...label } = await quoteOriginal(small, { ...options, whole: false })
    expect(Buffer.from(body).toString()).toBe(header)
    expect(label).toEqual({ contentType: 'text/rfc822-headers', encoding: '7bit', isWhole: false })
  })

  test.each([1, 2, 3, 7])(
    'is found when the message comes %d octets at a time, and no more is read',
    async (size) => {
      let isFinished = false
      const content = Buffer.from(large.content ?? [])
      const dripping: Message = {
        messageId: '',
        size: content.length,
        requires: new Set(),
        async *open() {
          for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
          isFinished = true
        },
      }
      const { body } = await quoteOriginal(dripping, { ...options, whole: false })
      expect(Buffer.from(body).toString()).toBe(header)
      expect(isFinished).toBe(false)
    },
  )

  test('is the whole message where that has no body', async () => {
    const { body } = await quoteOriginal(messageOf(header), { ...options, whole: false })
    expect(Buffer.from(body).toString()).toBe(header)
  })

  test('without an end is cut after a line', async () => {
    const endless = messageOf('X-Padding: 0123456789012345678901234567890123456789\r\n'.repeat(5000))
    const { body } = await quoteOriginal(endless, { ...options, whole: false })
    expect(body.length).toBeLessThanOrEqual(100_000)
    expect(body.length).toBeGreaterThan(99_900)
    expect(Buffer.from(body.subarray(-2)).toString()).toBe('\r\n')
  })
})

describe('eight bits', () => {
  const latin1 = messageOf(Buffer.from('From: a@b.test\r\nSubject: \xfc\r\n\r\nBody.\r\n', 'latin1'))
  const utf8 = messageOf('From: a@b.test\r\nSubject: ü\r\n\r\nBody.\r\n')
  const eightBitBody = messageOf('From: a@b.test\r\n\r\nä\r\n')

  test.each([
    ['UTF-8 header, whole', utf8, true, false, 'message/global', 'quoted-printable'],
    ['UTF-8 header, whole, SMTPUTF8', utf8, true, true, 'message/global', '8bit'],
    ['UTF-8 header alone', utf8, false, false, 'message/global-headers', 'quoted-printable'],
    ['UTF-8 header alone, SMTPUTF8', utf8, false, true, 'message/global-headers', '8bit'],
    ['other octets in the header, whole', latin1, true, false, 'text/rfc822-headers', 'quoted-printable'],
    ['other octets in the header alone', latin1, false, true, 'text/rfc822-headers', 'quoted-printable'],
    ['in the body alone, whole', eightBitBody, true, false, 'message/rfc822', '8bit'],
    ['in the body alone, header', eightBitBody, false, false, 'text/rfc822-headers', '7bit'],
  ] as const)('%s', async (_, message, whole, smtpUtf8, contentType, encoding) => {
    expect(await quoteOriginal(message, { whole, smtpUtf8 })).toMatchObject({ contentType, encoding })
  })

  test('in a returned body make the report say that it needs 8BITMIME (RFC 2045 §6.4)', async () => {
    const bytes = await bytesOf(reportOf({ message: eightBitBody }))
    expect(bytes.toString().split('\r\n\r\n')[0]).toContain('Content-Transfer-Encoding: 8bit')
  })

  test('in a returned body are converted for a server without 8BITMIME, and the report stays one (RFC 6152 §3)', async () => {
    const report = messageOf(await bytesOf(reportOf({ message: eightBitBody })))
    expect([...report.requires]).toEqual(['8BITMIME'])
    const { content = new Uint8Array() } = await toSevenBit(report)
    expect(isAscii(content)).toBe(true)
    const types = (await readParts(content)).parts.map(({ type }) => type)
    expect(types).toEqual(['message/delivery-status', 'message/rfc822'])
  })
})
