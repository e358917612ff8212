/** mxpress delivers to a real Exim. */
import { expect, test } from 'vitest'
import { contentMailboxes, contentSuite } from './content-suite.ts'
import { noEightBitMimeSuite, noSmtpUtf8Suite, smtpUtf8Suite, utf8Mailbox } from './eight-bit-suite.ts'
import { describeServer } from './server.ts'
import { transfers } from './transfers.ts'
import { sizeLimitOctets, verdictMailboxes, verdictSuite } from './verdict-suite.ts'

for (const { title, withhold, command } of transfers) {
  describeServer('exim', `Exim takes ${title}`, { mailboxes: contentMailboxes, withhold }, (server) => {
    contentSuite(server, ['off', 'opportunistic'], { tls: /with esmtps +\(TLS1\.[23]\)/ })

    test(`and every message came by ${command}`, () => {
      // Exim marks an arrival by BDAT with K.
      const arrivals =
        server()
          .log()
          .match(/ <= .*/g) ?? []
      const byBdat = arrivals.filter((arrival) => / K /.test(arrival))
      expect(byBdat).toHaveLength(command === 'BDAT' ? arrivals.length : 0)
      expect(arrivals).not.toEqual([])
    })
  })
}

describeServer(
  'exim',
  'Exim',
  { mailboxes: [...verdictMailboxes, utf8Mailbox], sizeLimitOctets },
  (server) => {
    verdictSuite(server, {
      tlsMode: 'required',
      unknownMailbox: /^5\.1\.1$/,
      // Arrivals logged by one process, the one that serves the connection.
      sessionOf: (count) =>
        new RegExp(String.raw`\[(\d+)\] \S+ <= ${String.raw`[\s\S]*\[\1\] \S+ <= `.repeat(count - 1)}`),
    })
    smtpUtf8Suite(server)
  },
)

describeServer(
  'exim',
  'Exim without SMTPUTF8 and 8BITMIME',
  { mailboxes: [utf8Mailbox, 'seven'], withhold: ['SMTPUTF8', '8BITMIME'] },
  (server) => {
    noSmtpUtf8Suite(server)
    noEightBitMimeSuite(server)
  },
)
