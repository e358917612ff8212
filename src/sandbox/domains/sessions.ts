/** Domains whose exchangers break off, stall, refuse commands or speak an unusual dialect of SMTP. */
import { type Action, type Script, usualExtensions } from '../script.ts'
import { type DomainPlan, deferred, delivered, domain, failed, inOrder, only, ordinary } from './plan.ts'

const scripted = (script: Omit<Script, 'kind'>): Script => ({ kind: 'scripted', ...script })

const chunking = [...usualExtensions, 'CHUNKING']

/** Loses the connection when the message is in the mailbox already: a second delivery would be a duplicate. */
const drop: Action = { keepsMail: true, afterwards: 'close' }
const nonsense: Action = { keepsMail: true, lines: ['What was that?'] }
const uncertain = (status: string) => ({ outcome: 'deferred', uncertain: true, status }) as const

const lost = (): readonly DomainPlan[] => [
  domain({
    domain: 'drops-after-dot.test',
    description: 'closes the connection after the final dot; the second exchanger must not be asked',
    expected: uncertain('4.4.2'),
    hosts: inOrder(scripted({ steps: { 'end-of-data': drop } }), ordinary),
  }),
  domain({
    domain: 'nonsense-after-dot.test',
    description: 'answers the final dot with something that is no reply',
    expected: uncertain('4.5.0'),
    hosts: inOrder(scripted({ steps: { 'end-of-data': nonsense } }), ordinary),
  }),
  domain({
    domain: 'refuses-early.test',
    description: 'says 554 5.7.1 when 16 KiB of content have come and closes; smaller messages are accepted',
    expected: delivered,
    hosts: only(scripted({ earlyRefusal: { afterOctets: 16_384, lines: ['554 5.7.1 Enough of this'] } })),
  }),
  domain({
    domain: 'silent.test',
    description: 'accepts connections and never says a word',
    expected: { outcome: 'deferred' },
    waits: true,
    hosts: only(scripted({ steps: { greeting: { afterwards: 'wait' } } })),
  }),
  domain({
    domain: 'drips.test',
    description: 'sends one octet of its greeting at a time and never comes to an end',
    expected: { outcome: 'deferred' },
    waits: true,
    hosts: only(scripted({ steps: { greeting: { lines: ['220-One moment'], afterwards: 'drip' } } })),
  }),
]

const limits = (maxConnections: number): readonly DomainPlan[] => [
  domain({
    domain: 'busy.test',
    description: `greets with 421 while ${maxConnections} connections are open`,
    expected: delivered,
    hosts: only({ ...ordinary, maxConnections }),
  }),
  domain({
    domain: 'one-per-session.test',
    description: 'says 421 to the second MAIL of a session',
    expected: delivered,
    hosts: only(
      scripted({
        steps: {
          mail: ({ transactions }) =>
            transactions === 0
              ? undefined
              : { lines: ['421 4.7.0 One message a session, come again'], afterwards: 'close' },
        },
      }),
    ),
  }),
  domain({
    domain: 'hangs-up.test',
    description: 'accepts a message and closes the connection at once',
    expected: delivered,
    hosts: only(
      scripted({
        steps: {
          'end-of-data': { keepsMail: true, lines: ['250 2.0.0 Ok, and good bye'], afterwards: 'close' },
        },
      }),
    ),
  }),
]

const dialects = (): readonly DomainPlan[] => [
  domain({
    domain: 'no-pipelining.test',
    description: 'does not offer PIPELINING',
    expected: delivered,
    hosts: only({ ...ordinary, lacks: ['PIPELINING'] }),
  }),
  domain({
    domain: 'chunking.test',
    description: 'offers CHUNKING (BDAT)',
    expected: delivered,
    hosts: only(scripted({ extensions: chunking, certificate: 'trusted' })),
  }),
  domain({
    domain: 'false-chunking.test',
    description: 'offers CHUNKING and answers BDAT with 502',
    expected: delivered,
    hosts: only(
      scripted({ extensions: chunking, steps: { bdat: { lines: ['502 5.5.1 BDAT not implemented'] } } }),
    ),
  }),
  domain({
    domain: 'bare-250.test',
    description: 'replies with codes alone, no text behind them',
    expected: delivered,
    hosts: only(
      scripted({
        steps: {
          mail: { lines: ['250'], accepts: true },
          rcpt: { lines: ['250'], accepts: true },
          'end-of-data': { keepsMail: true, lines: ['250'] },
        },
      }),
    ),
  }),
  domain({
    domain: 'helo-only.test',
    description: 'knows no EHLO (502), only HELO',
    expected: delivered,
    hosts: only(scripted({ extensions: [], steps: { ehlo: { lines: ['502 5.5.1 Not implemented'] } } })),
  }),
  domain({
    domain: 'refuses-mail.test',
    description: 'refuses every reverse-path: 550 5.7.1',
    expected: failed('5.7.1'),
    hosts: only(scripted({ steps: { mail: { lines: ['550 5.7.1 Not from you'] } } })),
  }),
  domain({
    domain: 'tries-later.test',
    description: 'both exchangers say 451 4.3.0 to RCPT',
    expected: deferred('4.3.0'),
    hosts: inOrder(
      scripted({ steps: { rcpt: { lines: ['451 4.3.0 Try again later'] } } }),
      scripted({ steps: { rcpt: { lines: ['451 4.3.0 Try again later'] } } }),
    ),
  }),
]

export const sessionDomains = (maxConnections: number): readonly DomainPlan[] => [
  ...lost(),
  ...limits(maxConnections),
  ...dialects(),
]
