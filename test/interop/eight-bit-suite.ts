/** What becomes of content and addresses beyond ASCII at servers that lack the extensions for them. */
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import type { Mta } from '../support/mta/mta.ts'
import { message } from './contents.ts'
import { sendTo } from './sending.ts'
import { asSent } from './stored.ts'

/** A mailbox whose name is not ASCII. */
export const utf8Mailbox = 'jürgen'

const greeting = 'Grüße an alle\r\n'
const inUtf8 = message(
  ['X-Greeting: Grüße', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
  greeting,
)

/** For a server that offers SMTPUTF8: the address and the header arrive as they are. */
export function smtpUtf8Suite(server: () => Mta): void {
  test('a UTF-8 address and a UTF-8 header arrive unchanged (RFC 6531)', async () => {
    const mta = server()
    const report = await sendTo(mta, 'opportunistic', { to: [utf8Mailbox], octets: inUtf8 })
    expect(report.recipients).toMatchObject([
      { address: `${utf8Mailbox}@${mta.domain}`, outcome: 'delivered' },
    ])
    const [stored = Buffer.alloc(0)] = await mta.waitForMail(utf8Mailbox, 1)
    expect(asSent(stored).toString()).toBe(inUtf8.toString())
  })
}

/** For a server that does not offer SMTPUTF8. */
export function noSmtpUtf8Suite(server: () => Mta): void {
  test('a UTF-8 address fails with 5.6.7 (RFC 6531 §3.2)', async () => {
    const octets = message(['Content-Type: text/plain'], 'Hello\r\n')
    const report = await sendTo(server(), 'off', { to: [utf8Mailbox], octets })
    expect(report.recipients).toMatchObject([{ outcome: 'failed', status: '5.6.7' }])
    expect(await server().mailbox(utf8Mailbox)).toEqual([])
  })
}

/** For a server that does not offer 8BITMIME, with a mailbox `seven`. */
export function noEightBitMimeSuite(server: () => Mta): void {
  test('an 8-bit body arrives in 7 bits and says the same (RFC 6152 §3)', async () => {
    const octets = message(
      ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
      greeting,
    )
    const report = await sendTo(server(), 'off', { to: ['seven'], octets })
    expect(report.recipients).toMatchObject([{ outcome: 'delivered' }])
    const [stored = Buffer.alloc(0)] = await server().waitForMail('seven', 1)
    expect(stored.findIndex((octet) => octet > 127)).toBe(-1)
    const { text } = await PostalMime.parse(stored)
    expect(text?.trimEnd()).toBe(greeting.trimEnd())
  })
}
