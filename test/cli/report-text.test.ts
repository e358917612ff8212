import { expect, test } from 'vitest'
import type { PlannedRoute, RecipientReport, SendReport } from '../../src/agent.ts'
import { recipientLine, summaryLine } from '../../src/cli/report-text.ts'
import { planLines } from '../../src/cli/send/plan-text.ts'
import { plain } from '../../src/cli/terminal.ts'

const delivered: RecipientReport = {
  address: 'bob@example.test',
  field: 'to',
  outcome: 'delivered',
  uncertain: false,
  status: '2.0.0',
  reply: { code: 250, status: '2.0.0', lines: ['Ok'] },
  diagnostic: '250 2.0.0 Ok',
  stage: 'end-of-data',
  exchanger: 'mx1.example.test',
  ip: '192.0.2.7',
  port: 25,
  tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: true, reason: null },
  durationMs: 314,
  attempts: [],
}

const unroutable: RecipientReport = {
  ...delivered,
  ...{ outcome: 'failed', status: '5.1.2', reply: null, diagnostic: 'no such domain', stage: 'route' },
  ...{ exchanger: null, ip: null, port: null, tls: null, durationMs: 5 },
}

test.each<readonly [string, RecipientReport, string]>([
  [
    'who took it, how safely and what was said',
    delivered,
    'delivered bob@example.test (to) mx1.example.test [192.0.2.7]:25 TLSv1.3 verified 0.31 s: 250 2.0.0 Ok',
  ],
  [
    'a session in clear',
    { ...delivered, tls: null },
    'delivered bob@example.test (to) mx1.example.test [192.0.2.7]:25 in clear 0.31 s: 250 2.0.0 Ok',
  ],
  [
    'our own words with status and stage, where nobody was reached',
    unroutable,
    'failed    bob@example.test (to) 0.01 s: 5.1.2 at route: no such domain',
  ],
  [
    'that the message may have arrived',
    {
      ...unroutable,
      outcome: 'deferred',
      uncertain: true,
      status: '4.4.2',
      diagnostic: 'lost',
      stage: 'end-of-data',
    },
    'deferred  bob@example.test (to) 0.01 s: 4.4.2 at end-of-data: lost (uncertain: the message may have arrived)',
  ],
  [
    'the words of a hostile server escaped',
    { ...delivered, diagnostic: '250 \u001b[2J\rfailed all', exchanger: 'mx\u009b.test' },
    'delivered bob@example.test (to) mx\\x9b.test [192.0.2.7]:25 TLSv1.3 verified 0.31 s: 250 \\x1b[2J\\x0dfailed all',
  ],
])('a line says %s', (_what, recipient, line) => {
  expect(recipientLine(recipient, plain)).toBe(line)
})

test('the summary colours only what there is', () => {
  const report: SendReport = {
    messageId: '<x@sender.test>',
    reversePath: '',
    startedAt: '2026-11-21T07:00:00.000Z',
    durationMs: 1234,
    counts: { delivered: 1, deferred: 0, failed: 2 },
    recipients: [],
  }
  expect(summaryLine(report, (style, text) => `<${style}>${text}</>`)).toBe(
    '<green>1 delivered</>, 0 deferred, <red>2 failed</> in 1.23 s, Message-ID <x@sender.test>',
  )
})

test('a plan shows the exchangers in order, and why there is no way', () => {
  const exchanger = {
    port: 25,
    preference: 10,
    implicit: false,
    ips: ['192.0.2.7', '2001:db8::7'],
    error: null,
  }
  const routes: readonly PlannedRoute[] = [
    {
      address: 'bob@example.test',
      field: 'to',
      domain: 'example.test',
      failure: null,
      exchangers: [
        { ...exchanger, host: 'mx1.example.test' },
        { ...exchanger, host: 'mx2.example.test', preference: 20, ips: [], error: 'no\u001b address' },
        { ...exchanger, host: 'example.test', preference: 0, implicit: true },
      ],
    },
    {
      address: 'x@null.test',
      field: 'bcc',
      domain: 'null.test',
      failure: { outcome: 'failed', status: '5.1.10', diagnostic: 'accepts no mail' },
      exchangers: [],
    },
  ]
  expect(planLines(routes, plain)).toEqual([
    'bob@example.test (to)',
    '  10 mx1.example.test 192.0.2.7, 2001:db8::7 port 25',
    '  20 mx2.example.test no\\x1b address',
    '  0 example.test 192.0.2.7, 2001:db8::7 port 25 (no MX record: the domain itself)',
    'x@null.test (bcc) failed: 5.1.10 accepts no mail',
  ])
})
