/** The table of verdicts, held against what servers of the field say. */
import { describe, expect, test } from 'vitest'
import { exitCodeOfAnswers } from '../../src/cli/exit-code.ts'
import { statusOf } from '../../src/delivery/classify.ts'
import type { Cause } from '../../src/delivery/outcome.ts'
import { answerOf } from '../../src/probe/answer.ts'
import { isLastWord, rule, type Verdict } from '../../src/probe/verdict.ts'
import { RouteError } from '../../src/route/route.ts'
import {
  ConnectError,
  ConnectionLostError,
  RemoteProtocolError,
  TimeoutError,
  TlsError,
} from '../../src/smtp/errors.ts'
import { type Reply, ReplyParser } from '../../src/smtp/reply.ts'

function reply(...lines: readonly string[]): Reply {
  const replies: Reply[] = []
  new ReplyParser().push(Buffer.from(lines.map((line) => `${line}\r\n`).join('')), replies)
  const [first] = replies
  if (first === undefined) throw new Error(`no reply: ${lines}`)
  return first
}

const said = (stage: Cause['stage'], ...lines: readonly string[]): Cause => {
  const parsed = reply(...lines)
  return { stage, status: statusOf(parsed), reply: parsed }
}

const happened = (stage: Cause['stage'], error: Error): Cause => ({ stage, status: '4.0.0', error })

function exitCode(verdict: Verdict, { status }: Cause): number {
  const answers = { yes: 0, undecided: 0, no: 0 }
  answers[answerOf({ verdict, status, stoppedAfter: null })]++
  return exitCodeOfAnswers(answers)
}

/** Situation → verdict → exit code of a run with this target alone. */
const matrix: readonly (readonly [
  stage: Cause['stage'],
  line: string,
  verdict: Verdict,
  exit: 0 | 69 | 75,
])[] = [
  // Yes.
  ['rcpt', '250 2.1.5 Ok', 'accepts', 0],
  ['rcpt', '250', 'accepts', 0],
  ['rcpt', '251 User not local; will forward to <bob@elsewhere.test>', 'accepts', 0],
  ['rcpt', '252 Cannot VRFY user, but will accept message', 'accepts', 0],

  // The mailbox, in the words of Postfix, Exim, OpenSMTPD, Sendmail, qmail, Exchange, Google, Outlook, Yahoo.
  [
    'rcpt',
    '550 5.1.1 <bob@a.test>: Recipient address rejected: User unknown in virtual mailbox table',
    'rejects',
    69,
  ],
  ['rcpt', '550 Unrouteable address', 'rejects', 69],
  ['rcpt', '550 Invalid recipient: <bob@a.test>', 'rejects', 69],
  ['rcpt', '550 5.1.1 bob... User unknown', 'rejects', 69],
  ['rcpt', '550 sorry, no mailbox here by that name (#5.1.1)', 'rejects', 69],
  [
    'rcpt',
    '550 5.4.1 Recipient address rejected: Access denied. [AM6EUR05FT010.eop-eur05.prod]',
    'rejects',
    69,
  ],
  [
    'rcpt',
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    'no-mail',
    69,
  ],
  ['rcpt', '550-5.1.1 The email account that you tried to reach does not exist. Please try', 'rejects', 69],
  ['rcpt', '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).', 'rejects', 69],
  [
    'rcpt',
    "554 delivery error: dd This user doesn't have a yahoo.com account (bob@a.test) [0]",
    'rejects',
    69,
  ],
  ['rcpt', '550 5.7.1 No such user!', 'rejects', 69],
  ['rcpt', '550 5.2.1 The email account that you tried to reach is disabled', 'rejects', 69],
  ['rcpt', '551 User not local', 'rejects', 69],
  ['rcpt', '553 5.1.3 bad syntax', 'rejects', 69],

  // A refusal that speaks of us is never held against the mailbox.
  [
    'rcpt',
    '550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org',
    'refused-us',
    69,
  ],
  ['rcpt', '550 5.1.1 Client host [192.0.2.1] blocked using zen.spamhaus.org', 'refused-us', 69],
  ['rcpt', '550 5.7.25 Client host rejected: cannot find your reverse hostname', 'refused-us', 69],
  ['rcpt', '553 5.3.0 Rejected: 192.0.2.1 listed at rbl.example', 'refused-us', 69],
  ['rcpt', '550 5.1.8 <alice@sender.test>: Sender address rejected: Domain not found', 'refused-us', 69],
  ['rcpt', '554 5.7.1 <bob@a.test>: Relay access denied', 'refused-us', 69],
  ['rcpt', '550 5.7.1 no', 'refused-us', 69],
  ['rcpt', '450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]', 'refused-us', 75],
  [
    'rcpt',
    '421 4.7.28 Our system has detected an unusual rate of mail originating from your IP',
    'refused-us',
    75,
  ],
  ['rcpt', '451 4.7.500 Server busy. Please try again later from [192.0.2.1].', 'unknown', 75],
  ['mail', '550 5.7.1 Not from you', 'refused-us', 69],
  ['mail', '550 5.1.8 Sender domain must exist', 'refused-us', 69],
  ['mail', '450 4.7.1 <alice@sender.test>: Sender address rejected: try again later', 'refused-us', 75],
  ['greeting', '554 5.7.1 You are on our block list', 'refused-us', 69],
  ['greeting', '554 No SMTP service here', 'refused-us', 69],
  [
    'greeting',
    '421 4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred due to user complaints',
    'refused-us',
    75,
  ],
  ['ehlo', '550 5.7.1 Bad HELO name', 'refused-us', 69],

  // What a name says is no reason.
  ['rcpt', '450 4.3.0 <greylisted@spamhaus.test>: not now', 'unknown', 75],
  ['rcpt', '550 5.0.0 blocked@nouser.test is not for you', 'unknown', 75],
  ['rcpt', '451 4.3.0 <spamhaus.example>: not now', 'unknown', 75],

  // Room.
  ['rcpt', '452 4.2.2 The email account that you tried to reach is over quota', 'full', 75],
  ['rcpt', '552 5.2.2 Mailbox full', 'full', 69],
  ['rcpt', '550 Mailbox quota exceeded', 'full', 69],
  ['rcpt', '552 Requested mail action aborted: exceeded storage allocation', 'full', 69],
  ['rcpt', '552 1 Requested mail action aborted, mailbox not found', 'rejects', 69],
  ['rcpt', '452 4.3.1 Insufficient system storage', 'unknown', 75],

  // Greylisting: Postgrey, Exim, milter-greylist, postscreen, others.
  [
    'rcpt',
    '450 4.2.0 <bob@a.test>: Recipient address rejected: Greylisted, see http://postgrey.example/',
    'greylisted',
    75,
  ],
  ['rcpt', '451 greylisted host, come back later', 'greylisted', 75],
  ['rcpt', '451 4.7.1 Greylisting in action, please come back in 00:05:00', 'greylisted', 75],
  ['rcpt', '450 4.3.2 Service currently unavailable', 'greylisted', 75],
  ['rcpt', '451 4.7.1 Please try again later', 'greylisted', 75],
  ['rcpt', '450 4.7.0 try again in 300 seconds', 'greylisted', 75],
  ['mail', '451 4.7.1 gray-listed', 'greylisted', 75],
  ['greeting', '450 4.3.2 greylisting, retry', 'greylisted', 75],

  // Neither: a 4xx is never final, whatever it says.
  ['rcpt', '450 4.1.1 No such user, for now', 'unknown', 75],
  ['rcpt', '451 Temporary local problem - please try later', 'unknown', 75],
  ['rcpt', '450 4.2.1 The user you are trying to contact is receiving mail at a rate that', 'unknown', 75],
  ['rcpt', '451 4.3.0 Try again later', 'unknown', 75],
  ['rcpt', '452 4.5.3 Too many recipients', 'refused-us', 75],
  ['greeting', '421 4.3.2 All server ports are busy', 'unknown', 75],
  ['greeting', '421 Service not available', 'unknown', 75],
  ['rcpt', '550', 'unknown', 75],
  ['rcpt', '554 Transaction failed', 'unknown', 75],
  ['mail', '502 5.5.1 Not implemented', 'unknown', 75],
  ['ehlo', '502 5.5.1 Not implemented', 'unknown', 75],

  // No mail at all.
  ['greeting', '521 mx.a.test does not accept mail', 'no-mail', 69],
  ['greeting', '521 Your IP is blocked', 'refused-us', 69],
  ['rcpt', '556 5.1.10 Recipient address has null MX', 'no-mail', 69],

  // TLS was asked for.
  ['starttls', '454 4.7.0 TLS not available', 'unreachable', 75],
]

test.each(matrix)('%s: %s → %s, exit code %i', (stage, line, verdict, exit) => {
  const cause = said(stage, line.replace(/^(\d\d\d)-/, '$1 '))
  const ruling = rule(cause)
  expect(ruling.verdict).toBe(verdict)
  expect(ruling.means).toMatch(/^[A-Z].*\.$/)
  expect(exitCode(ruling.verdict, cause)).toBe(exit)
})

/** Where no server spoke. */
const failures: readonly (readonly [title: string, cause: Cause, verdict: Verdict])[] = [
  ['no such domain', happened('route', new RouteError('no-domain', '')), 'no-domain'],
  ['a null MX', happened('route', new RouteError('null-mx', '')), 'no-mail'],
  ['name servers that fail', happened('route', new RouteError('dns', '')), 'unknown'],
  ['ourselves', happened('route', new RouteError('loop', '')), 'unreachable'],
  ['an exchanger without address', happened('route', new RouteError('no-address', '')), 'unreachable'],
  ['private addresses only', happened('route', new RouteError('forbidden', '')), 'unreachable'],
  ['no connection', happened('connect', new ConnectError('')), 'unreachable'],
  ['a connection without greeting', happened('greeting', new TimeoutError('greeting', 1)), 'unreachable'],
  ['a connection that closes at once', happened('greeting', new ConnectionLostError('')), 'unreachable'],
  ['required TLS not to be had', happened('starttls', new TlsError('unavailable', '')), 'unreachable'],
  ['silence at RCPT', happened('rcpt', new TimeoutError('RCPT', 1)), 'unknown'],
  ['hanging up at RCPT', happened('rcpt', new ConnectionLostError('')), 'unknown'],
  ['nonsense', happened('greeting', new RemoteProtocolError('')), 'unknown'],
  ['a defect', happened('rcpt', new Error('oops')), 'unknown'],
]

test.each(failures)('%s → %s', (_title, cause, verdict) => {
  expect(rule(cause).verdict).toBe(verdict)
})

test('a domain with neither exchanger nor address takes no mail', () => {
  const cause = happened('route', new RouteError('no-address', ''))
  expect(rule(cause, { isImplicit: true }).verdict).toBe('no-mail')
})

describe('the last word', () => {
  test.each([
    [true, said('rcpt', '250 2.1.5 Ok')],
    [true, said('rcpt', '550 5.1.1 no')],
    [true, said('mail', '550 5.7.1 no')],
    [false, said('rcpt', '450 4.2.0 later')],
    [false, said('rcpt', '421 4.3.2 closing')],
    [false, said('greeting', '554 5.7.1 no')],
    [false, happened('rcpt', new ConnectionLostError(''))],
  ])('%s: %j', (expected, cause) => {
    expect(isLastWord(cause)).toBe(expected)
  })
})

test('a mailbox is rejected only by a permanent reply to RCPT', () => {
  for (const stage of ['greeting', 'ehlo', 'starttls', 'mail', 'rcpt'] as const) {
    for (const line of ['450 4.1.1 No such user', '421 4.1.1 No such user', '550 5.1.1 No such user']) {
      const { verdict } = rule(said(stage, line))
      expect([stage, line, verdict === 'rejects']).toEqual([
        stage,
        line,
        stage === 'rcpt' && line.startsWith('5'),
      ])
    }
  }
})

test('text of any length and shape is judged at once', () => {
  const words = [
    'no such user ',
    'mailbox is over quota ',
    'a@b ',
    '<'.repeat(300),
    'try '.repeat(20),
    'exceed a b c ',
  ]
  for (const word of words) {
    const long = said(
      'rcpt',
      ...Array.from(
        { length: 200 },
        (_, at) => `550${at < 199 ? '-' : ' '}${word.repeat(4000 / word.length)}`,
      ),
    )
    expect(typeof rule(long).verdict).toBe('string')
  }
})
