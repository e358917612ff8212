import { expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import type { ReportedRecipient } from '../../src/queue/bounce-report.ts'
import { composeStatus } from '../../src/queue/bounce-status.ts'
import { lockout, recipientOf, refusal, reportOf, retryUntil, silence } from './bounce-samples.ts'

const ascii = { hostname: 'mail.example.org', isGlobal: false }

function fieldsOf(change: Partial<ReportedRecipient>, options = ascii): string[] {
  const status = composeStatus(reportOf({ recipients: [recipientOf(change)] }), options)
  const [, group = ''] = status.split('\r\n\r\n')
  return group.trimEnd().replace(/\r\n /g, ' ').split('\r\n')
}

test('is per-message fields, a blank line, and a group for each recipient (RFC 3464 §2.1, Appendix E)', () => {
  const report = reportOf({
    envid: 'QQ314159',
    arrivedAt: Date.parse('1994-07-02T21:10:28Z'),
    recipients: [
      recipientOf({
        address: parseAddress('louisl@larry.slip.umd.edu'),
        orcpt: 'rfc822;louisl@larry.slip.umd.edu',
        last: {
          at: Date.parse('1994-07-07T21:15:49Z'),
          stage: 'connect',
          status: '4.0.0',
          diagnostic: '426 connection timed out',
          isReply: true,
          exchanger: 'larry.slip.umd.edu',
          ip: null,
        },
      }),
      recipientOf({ address: parseAddress('wsnell@sdcc13.ucsd.edu') }),
    ],
  })
  expect(composeStatus(report, { hostname: 'cs.utk.edu', isGlobal: false }).split('\r\n')).toEqual([
    'Original-Envelope-Id: QQ314159',
    'Reporting-MTA: dns; cs.utk.edu',
    'Arrival-Date: Sat, 02 Jul 1994 21:10:28 +0000',
    '',
    'Original-Recipient: rfc822; louisl@larry.slip.umd.edu',
    'Final-Recipient: rfc822; louisl@larry.slip.umd.edu',
    'Action: failed',
    'Status: 4.0.0',
    'Remote-MTA: dns; larry.slip.umd.edu',
    'Diagnostic-Code: smtp; 426 connection timed out',
    'Last-Attempt-Date: Thu, 07 Jul 1994 21:15:49 +0000',
    '',
    'Final-Recipient: rfc822; wsnell@sdcc13.ucsd.edu',
    'Action: failed',
    'Status: 5.1.1',
    'Remote-MTA: dns; mx1.example.test',
    'Diagnostic-Code: smtp; 550 5.1.1 No such user',
    'Last-Attempt-Date: Sat, 21 Nov 2026 07:00:05 +0000',
    '',
  ])
})

test('names no envelope and no original recipient that the sender did not (RFC 3464 §2.2.1, §3)', () => {
  expect(composeStatus(reportOf(), ascii)).not.toMatch(/Original-/)
})

test('says until when a delayed recipient is tried, and of no other (RFC 3464 §2.3.9)', () => {
  const line = 'Will-Retry-Until: Thu, 26 Nov 2026 07:00:00 +0000'
  expect(fieldsOf({ action: 'delayed', retryUntil })).toContain(line)
  for (const action of ['failed', 'relayed', 'delivered'] as const) {
    expect(fieldsOf({ action, retryUntil })).not.toContain(line)
  }
})

test('of a recipient given up after temporary trouble keeps its 4.x.x (RFC 3464 §2.3.3)', () => {
  expect(fieldsOf({ action: 'failed', last: silence })).toEqual(
    expect.arrayContaining(['Action: failed', 'Status: 4.4.1']),
  )
})

test.each([
  ['5.7.8', '4.7.8'],
  ['5.0.0', '4.0.0'],
  ['5.7.10', '4.7.10'],
  ['4.4.1', '4.4.1'],
] as const)(
  'of a delay has class 4, whatever was said of the session: %s (RFC 3464 §2.3.4)',
  (status, told) => {
    const last = { ...lockout, status }
    expect(fieldsOf({ action: 'delayed', last })).toContain(`Status: ${told}`)
    expect(fieldsOf({ action: 'delayed', last })).toContain(
      'Diagnostic-Code: smtp; 535 5.7.8 authentication failed',
    )
    expect(fieldsOf({ action: 'failed', last })).toContain(`Status: ${status}`)
  },
)

test('names a remote host only for its own words (RFC 3464 §2.3.5, §2.3.6)', () => {
  const last = { ...silence, exchanger: 'mx1.example.test', ip: '192.0.2.7' }
  const fields = fieldsOf({ last })
  expect(fields.filter((field) => field.startsWith('Remote-MTA'))).toEqual([])
  expect(fields).toContainEqual(expect.stringMatching(/^Diagnostic-Code: x-mxpress; connect to /))
})

test('has the reply letter for letter, folded before words', () => {
  const words = `550-5.7.1 "Quoted" (comment; \\back) ${'word '.repeat(60)}end`
  const status = composeStatus(
    reportOf({ recipients: [recipientOf({ last: { ...refusal, diagnostic: words } })] }),
    ascii,
  )
  expect(status.replace(/\r\n /g, ' ')).toContain(`Diagnostic-Code: smtp; ${words}\r\n`)
  expect(Math.max(...status.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(76)
})

test('marks a recipient that may have the message', () => {
  const mark = 'X-Mxpress-Uncertain: yes (a connection was lost after the final dot)'
  expect(fieldsOf({ uncertain: true })).toContain(mark)
  expect(fieldsOf({ uncertain: false })).not.toContain(mark)
})

test.each([
  ['rfc822;Bob+x@Example.test', false, 'rfc822; Bob+x@Example.test'],
  ['utf-8;日@example.test', true, 'utf-8; 日@example.test'],
  ['utf-8;a+b@example.test', false, 'utf-8; a\\x{2B}b@example.test'],
  ['x400;/c=us/a=b', false, 'x400; /c=us/a=b'],
])('shows the original recipient %s (global: %s) as %s (RFC 6533 §3)', (orcpt, isGlobal, shown) => {
  expect(fieldsOf({ orcpt }, { ...ascii, isGlobal })).toContain(`Original-Recipient: ${shown}`)
})
