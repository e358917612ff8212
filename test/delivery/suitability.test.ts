import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/client/session.ts'
import { fitFor, UnsuitableError } from '../../src/delivery/suitability.ts'
import { parseAddress } from '../../src/mail/address.ts'
import type { Message } from '../../src/mail/message.ts'
import { parseExtensions } from '../../src/smtp/extensions.ts'
import { message } from './fixtures.ts'

const offering = (...keywords: readonly string[]): Pick<Session, 'extensions'> => ({
  extensions: parseExtensions(['mx.a.test', ...keywords]),
})
const plain = { reversePath: parseAddress('alice@sender.test'), forwardPath: parseAddress('bob@a.test') }
const bounce = { ...plain, reversePath: null }
const utf8Recipient = { ...plain, forwardPath: parseAddress('bübi@a.test') }
const utf8Sender = { ...plain, reversePath: parseAddress('älice@sender.test') }
const utf8Domain = { ...plain, forwardPath: parseAddress('bob@bücher.test') }

const eightBit = message('grüße\r\n', 'Subject: hi\r\nContent-Type: text/plain; charset=utf-8\r\n')
const utf8Header = message('hello\r\n', 'Subject: grüße\r\n')
const signed = message(
  '--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ngrüße\r\n--b\r\n\r\nsignature\r\n--b--\r\n',
  'Content-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256\r\n',
)

const octetsOver127 = (content: Uint8Array | undefined) => content?.filter((octet) => octet > 127).length

describe('8BITMIME (RFC 6152 §3)', () => {
  test('where it is offered, 8-bit content goes as it is', async () => {
    expect(await fitFor(offering('8BITMIME'), eightBit, plain)).toEqual({
      kind: 'suits',
      message: eightBit,
      smtpUtf8: false,
    })
  })

  test('where it is not, the content is converted, once for all who need it', async () => {
    const first = await fitFor(offering(), eightBit, plain)
    const second = await fitFor(offering('PIPELINING'), eightBit, bounce)
    expect(first).toMatchObject({ kind: 'suits', smtpUtf8: false })
    if (first.kind !== 'suits' || second.kind !== 'suits') throw new Error('unsuitable')
    expect(octetsOver127(first.message.content)).toBe(0)
    expect(first.message.requires).toEqual(new Set())
    expect(Buffer.from(first.message.content ?? []).toString()).toContain('gr=C3=BC=C3=9Fe')
    expect(second.message).toBe(first.message)
  })

  test('what cannot be converted, such as a signed part, is 5.6.3', async () => {
    expect(await fitFor(offering(), signed, plain)).toEqual({
      kind: 'unsuitable',
      cause: { stage: 'policy', status: '5.6.3', error: expect.any(UnsuitableError) },
    })
  })

  test('a signer that fails is no fault of the message: 4.3.0, and asked again', async () => {
    const fresh = message('grüße\r\n', 'Subject: again\r\nContent-Type: text/plain; charset=utf-8\r\n')
    let calls = 0
    const signer = {
      sign: async (converted: Message) => converted,
      withoutOwn: async () => {
        if (calls++ === 0) throw new Error('the key is on a disk that is gone')
        return fresh.content ?? new Uint8Array()
      },
    }
    expect(await fitFor(offering(), fresh, plain, signer)).toEqual({
      kind: 'unsuitable',
      cause: { stage: 'policy', status: '4.3.0', error: expect.any(UnsuitableError) },
    })
    expect(await fitFor(offering(), fresh, plain, signer)).toMatchObject({ kind: 'suits' })
  })

  test('7-bit content is nobody’s concern', async () => {
    const sevenBit = message()
    expect(await fitFor(offering(), sevenBit, plain)).toEqual({
      kind: 'suits',
      message: sevenBit,
      smtpUtf8: false,
    })
  })
})

describe('SMTPUTF8 (RFC 6531 §3.2)', () => {
  test.each([
    ['the recipient', message(), utf8Recipient],
    ['the reverse-path', message(), utf8Sender],
    ['the header', utf8Header, plain],
  ])('is declared where %s needs it', async (_what, needy, paths) => {
    const fitted = await fitFor(offering('SMTPUTF8', '8BITMIME'), needy, paths)
    expect(fitted).toEqual({ kind: 'suits', message: needy, smtpUtf8: true })
  })

  test.each([
    ['the recipient', message(), utf8Recipient],
    ['the reverse-path', message(), utf8Sender],
    ['the header', utf8Header, plain],
  ])('where it is not offered and %s needs it: 5.6.7', async (_what, needy, paths) => {
    expect(await fitFor(offering('8BITMIME'), needy, paths)).toEqual({
      kind: 'unsuitable',
      cause: { stage: 'policy', status: '5.6.7', error: expect.any(UnsuitableError) },
    })
  })

  test('is not declared where nothing needs it (RFC 6531 §3.4): a domain travels in A-labels', async () => {
    for (const paths of [plain, bounce, utf8Domain]) {
      expect(await fitFor(offering('SMTPUTF8'), message(), paths)).toMatchObject({ smtpUtf8: false })
    }
  })
})

describe('SIZE (RFC 1870 §6.1)', () => {
  const { size } = message()

  test.each([
    ['just enough', `SIZE ${size}`],
    ['without a number', 'SIZE'],
    ['zero, which is no limit', 'SIZE 0'],
    ['not offered', '8BITMIME'],
  ])('%s: the message goes', async (_what, keyword) => {
    expect(await fitFor(offering(keyword), message(), plain)).toMatchObject({ kind: 'suits' })
  })

  test('one octet too small: 5.3.4, with both numbers', async () => {
    const fitted = await fitFor(offering(`SIZE ${size - 1}`), message(), plain)
    expect(fitted).toEqual({
      kind: 'unsuitable',
      cause: { stage: 'policy', status: '5.3.4', error: expect.any(UnsuitableError) },
    })
    expect(fitted).toMatchObject({
      cause: { error: { message: `the message has ${size} octets, the server takes ${size - 1}` } },
    })
  })

  test('counted is what would be sent: the converted form, which is longer', async () => {
    const fitted = await fitFor(offering(`SIZE ${eightBit.size}`), eightBit, plain)
    expect(fitted).toMatchObject({ kind: 'unsuitable', cause: { status: '5.3.4' } })
  })
})
