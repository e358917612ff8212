/**
 * mxpress delivers to a real OpenSMTPD: neither PIPELINING nor CHUNKING nor SMTPUTF8. Debian 12's OpenSMTPD 6.8 offers
 * STARTTLS and then breaks every handshake (OpenSMTPD issue 1171), as servers on the internet do.
 */
import { expect, test } from 'vitest'
import { contentMailboxes, contentSuite } from './content-suite.ts'
import { message } from './contents.ts'
import { noSmtpUtf8Suite } from './eight-bit-suite.ts'
import { sendTo } from './sending.ts'
import { describeServer } from './server.ts'
import { asSent, traceOf } from './stored.ts'
import { sizeLimitOctets, verdictMailboxes, verdictSuite } from './verdict-suite.ts'

const tlsTrace = /\(TLSv1\.[23]:/

describeServer(
  'opensmtpd',
  'OpenSMTPD takes DATA step by step',
  { mailboxes: contentMailboxes },
  (server) => {
    contentSuite(server, ['off'], { tls: tlsTrace })
  },
)

const mailboxes = [...verdictMailboxes, 'ladder']

describeServer('opensmtpd', 'OpenSMTPD', { mailboxes, sizeLimitOctets }, (server) => {
  verdictSuite(server, {
    tlsMode: 'off',
    // It says 550 without an enhanced status.
    unknownMailbox: /^5\.\d+\.\d+$/,
    sessionOf: (count) =>
      new RegExp(
        String.raw`^(\w+) smtp message ${String.raw`[\s\S]*^\1 smtp message `.repeat(count - 1)}`,
        'm',
      ),
  })

  test('a broken handshake costs encryption, not the mail', async () => {
    const mta = server()
    const isBroken = mta.version.startsWith('6.')
    const octets = message(['Content-Type: text/plain'], 'Hello\r\n')
    const report = await sendTo(mta, 'opportunistic', { to: ['ladder'], octets })
    const tls = isBroken ? null : expect.objectContaining({ verified: false })
    expect(report.recipients).toMatchObject([{ outcome: 'delivered', tls }])
    const [stored = Buffer.alloc(0)] = await mta.waitForMail('ladder', 1)
    expect(asSent(stored)).toEqual(octets)
    expect(tlsTrace.test(traceOf(stored))).toBe(!isBroken)
  })

  noSmtpUtf8Suite(server)
})
