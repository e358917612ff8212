/** mxpress delivers to a real Postfix. */
import { expect, test } from 'vitest'
import { contentMailboxes, contentSuite } from './content-suite.ts'
import { noEightBitMimeSuite, noSmtpUtf8Suite, smtpUtf8Suite, utf8Mailbox } from './eight-bit-suite.ts'
import { describeServer } from './server.ts'
import { transfers } from './transfers.ts'
import { sizeLimitOctets, verdictMailboxes, verdictSuite } from './verdict-suite.ts'

for (const { title, withhold, command } of transfers) {
  describeServer('postfix', `Postfix takes ${title}`, { mailboxes: contentMailboxes, withhold }, (server) => {
    contentSuite(server, ['off', 'opportunistic'], { tls: /using TLSv1\.[23] with cipher/ })

    test(`and every message came by ${command}`, async () => {
      // smtpd counts the commands of each session when it ends.
      await server().waitForLog(new RegExp(`disconnect .* ${command.toLowerCase()}=1 `))
      expect(server().log()).not.toMatch(command === 'BDAT' ? / data=\d/ : / bdat=\d/)
    })
  })
}

describeServer(
  'postfix',
  'Postfix',
  { mailboxes: [...verdictMailboxes, utf8Mailbox], sizeLimitOctets },
  (server) => {
    verdictSuite(server, {
      tlsMode: 'required',
      unknownMailbox: /^5\.1\.1$/,
      sessionOf: (count) => new RegExp(`disconnect .* starttls=1 mail=${count} rcpt=${count} .*quit=1 `),
    })
    smtpUtf8Suite(server)
  },
)

describeServer(
  'postfix',
  'Postfix without SMTPUTF8 and 8BITMIME',
  { mailboxes: [utf8Mailbox, 'seven'], withhold: ['SMTPUTF8', '8BITMIME'] },
  (server) => {
    noSmtpUtf8Suite(server)
    noEightBitMimeSuite(server)
  },
)
