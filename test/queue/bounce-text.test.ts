import { expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import type { DsnReport, ReportedRecipient } from '../../src/queue/bounce-report.ts'
import { composeText } from '../../src/queue/bounce-text.ts'
import { lockout, recipientOf, refusal, reportOf, retryUntil, silence } from './bounce-samples.ts'

const whole = {
  contentType: 'message/rfc822',
  encoding: '7bit',
  body: new Uint8Array(),
  isWhole: true,
} as const

function textOf(change: Partial<DsnReport>): string {
  return composeText(reportOf(change), { hostname: 'mail.example.org', quotation: whole })
}

test('says who refused the message, why, when, that it is over, and what to do', () => {
  expect(textOf({}).split('\r\n')).toEqual([
    'This is the mail system at mail.example.org. It could not deliver your',
    'message as listed below, and has given up.',
    '',
    '<bob@example.test>: failed',
    "    Who:   mx1.example.test [192.0.2.7], in reply to the recipient's",
    '           address',
    '    Why:   550 5.1.1 No such user',
    '    When:  Sat, 21 Nov 2026 07:00:05 +0000',
    '    Retry: no, this was the last try',
    '    Do:    Check the address letter by letter, correct it and send the',
    '           message again. If it is right, ask the recipient in another',
    '           way.',
    '',
    'Your message came in on Sat, 21 Nov 2026 07:00:00 +0000.',
    'Its Message-ID is <1@sender.test>.',
    '',
    'A part for programs follows, and then your message.',
    '',
  ])
})

test('of a delay says until when it is tried and that nothing is to be done', () => {
  const text = textOf({ recipients: [recipientOf({ action: 'delayed', last: silence, retryUntil })] })
  expect(text).toContain('It keeps trying.')
  expect(text).toContain('Retry: yes, until Thu, 26 Nov 2026 07:00:00 +0000')
  expect(text).toContain('Do:    Nothing: do not send the message again.')
})

test('of mail that was given up in time says that nobody refused it for good', () => {
  const text = textOf({ recipients: [recipientOf({ last: silence })] }).replace(/\s+/g, ' ')
  expect(text).toContain('Why: No server took it in time. The last answer was: connect to mx1.example.test')
  expect(text).toContain('no answer within 30000 ms (status 4.4.1)')
})

test('of mail that waited for our login in vain says that nobody refused it', () => {
  const text = textOf({ recipients: [recipientOf({ last: lockout })] }).replace(/\s+/g, ' ')
  expect(text).toContain('No server took it in time. The last answer was: 535 5.7.8')
  expect(text).toContain('relay.example.net [192.0.2.9], when it was to let us in')
  expect(text).toContain('lies between the two servers, not with the address')
})

test('of an uncertain recipient says that the message may have arrived', () => {
  const text = textOf({ recipients: [recipientOf({ uncertain: true })] }).replace(/\s+/g, ' ')
  expect(text).toContain('Note: A connection was lost after all of the message had been sent')
  expect(text).toContain('The recipient may have the message: ask before you send it again.')
  expect(textOf({})).not.toContain('Note:')
})

test('shows the words of a peer without what moves a cursor or hides', () => {
  const last = { ...refusal, diagnostic: '550 \x1b[2J\u202egone\r\nReply-To: evil', exchanger: 'mx\n.test' }
  const text = textOf({ recipients: [recipientOf({ last })] })
  expect(text).toContain('550 \\x1b[2J\\u{202e}gone\\x0d\\x0aReply-To: evil')
  expect(text).toContain('mx\\x0a.test [192.0.2.7]')
})

test('has no line over 72 characters but for words that are longer', () => {
  const recipients = [recipientOf({ last: { ...refusal, diagnostic: 'word '.repeat(100) } })]
  expect(
    Math.max(
      ...textOf({ recipients })
        .split('\r\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(72)
})

test.each<[Partial<ReportedRecipient['last']>, RegExp]>([
  [{ status: '5.1.2' }, /what stands after the @/],
  [{ status: '5.1.10' }, /what stands after the @/],
  [{ status: '5.2.2' }, /mailbox is full/],
  [{ status: '5.3.4' }, /too large/],
  [{ status: '5.6.7' }, /Ask for another address/],
  [{ status: '5.7.1' }, /does not want this message/],
  [{ status: '5.0.0' }, /show this report to the people/],
])('advises by the status: %o', (last, advice) => {
  const text = textOf({ recipients: [recipientOf({ last: { ...refusal, ...last } })] })
  expect(text.replace(/\s+/g, ' ')).toMatch(advice)
})

test('names a recipient with UTF-8 as it is', () => {
  expect(textOf({ recipients: [recipientOf({ address: parseAddress('日@example.test') })] })).toContain(
    '<日@example.test>: failed',
  )
})
