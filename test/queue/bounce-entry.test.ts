import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { createBouncer } from '../../src/queue/bounce-entry.ts'
import type { Reportable } from '../../src/queue/bouncer.ts'
import type { QueueEntry } from '../../src/queue/entry.ts'
import { arrivedAt, now, original, readStatus, refusal, retryUntil } from './bounce-samples.ts'

const bouncer = createBouncer({ hostname: 'mail.example.org' })

const entry: QueueEntry = {
  id: 'S-1',
  submissionId: 'S',
  messageId: '<1@sender.test>',
  size: original.size,
  recipient: {
    address: parseAddress('bob@example.test'),
    field: 'to',
    notify: null,
    orcpt: 'rfc822;Bob@example.test',
  },
  reversePath: parseAddress('alice@sender.test'),
  envid: 'QQ1',
  ret: 'HDRS',
  state: 'leased',
  uncertain: false,
  attempts: 1,
  createdAt: arrivedAt,
  dueAt: arrivedAt,
  expiresAt: retryUntil,
  isDelayWarned: false,
  last: refusal,
  site: 'example.test',
  sourceAddress: null,
  lease: { owner: 'me', until: retryUntil },
}

function reportable(change: Partial<Reportable>, entryChange: Partial<QueueEntry> = {}): Reportable {
  return {
    kind: 'failed',
    entry: { ...entry, ...entryChange },
    last: refusal,
    uncertain: false,
    message: original,
    now,
    ...change,
  }
}

describe('a bouncer', () => {
  test('submits the report to the reverse-path, from nobody, for five days', async () => {
    const decision = await bouncer.bounce(reportable({}))
    if (decision.kind !== 'send') throw new Error(`Expected a report, got ${decision.kind}`)
    const { message, ...rest } = decision.report
    expect(rest).toEqual({
      reversePath: null,
      recipients: [
        { address: parseAddress('alice@sender.test'), field: 'to', notify: ['NEVER'], orcpt: null },
      ],
      createdAt: now,
      expiresAt: now + 5 * 86_400_000,
      warnAt: null,
    })
    expect(await readStatus(message.content ?? new Uint8Array())).toEqual([
      [
        'Original-Envelope-Id: QQ1',
        'Reporting-MTA: dns; mail.example.org',
        'Arrival-Date: Sat, 21 Nov 2026 07:00:00 +0000',
      ],
      [
        'Original-Recipient: rfc822; Bob@example.test',
        'Final-Recipient: rfc822; bob@example.test',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx1.example.test',
        'Diagnostic-Code: smtp; 550 5.1.1 No such user',
        'Last-Attempt-Date: Sat, 21 Nov 2026 07:00:05 +0000',
      ],
    ])
  })

  test('tells of a delay until when the entry lives', async () => {
    const decision = await bouncer.bounce(reportable({ kind: 'delayed' }))
    if (decision.kind !== 'send') throw new Error(`Expected a report, got ${decision.kind}`)
    const [, fields] = await readStatus(decision.report.message.content ?? new Uint8Array())
    expect(fields).toContain('Will-Retry-Until: Thu, 26 Nov 2026 07:00:00 +0000')
  })

  test('never bounces a bounce: a failed one is kept, of the rest nobody hears (RFC 5321 §6.1)', async () => {
    const decisions = await Promise.all(
      (['failed', 'delayed', 'relayed'] as const).map((kind) =>
        bouncer.bounce(reportable({ kind }, { reversePath: null })),
      ),
    )
    expect(decisions).toEqual([{ kind: 'undeliverable' }, { kind: 'unwanted' }, { kind: 'unwanted' }])
  })

  test('keeps a failed report although it asked for none itself', async () => {
    const recipient = { ...entry.recipient, notify: ['NEVER'] as const }
    const decision = await bouncer.bounce(reportable({}, { reversePath: null, recipient }))
    expect(decision).toEqual({ kind: 'undeliverable' })
  })

  test.each([
    ['failed', ['NEVER'], 'unwanted'],
    ['failed', ['DELAY'], 'unwanted'],
    ['failed', ['FAILURE'], 'send'],
    ['delayed', ['FAILURE'], 'unwanted'],
    ['delayed', ['DELAY'], 'send'],
    ['relayed', null, 'unwanted'],
    ['relayed', ['SUCCESS'], 'send'],
  ] as const)('%s with NOTIFY=%s: %s', async (kind, notify, decision) => {
    const recipient = { ...entry.recipient, notify }
    expect((await bouncer.bounce(reportable({ kind }, { recipient }))).kind).toBe(decision)
  })

  test('of a server that took the message and reports nothing says `relayed` and its reply (RFC 3461 §5.2.2)', async () => {
    const last = { ...refusal, stage: 'end-of-data', status: '2.0.0', diagnostic: '250 2.0.0 Ok' } as const
    const recipient = { ...entry.recipient, notify: ['SUCCESS'] as const }
    const decision = await bouncer.bounce(reportable({ kind: 'relayed', last }, { recipient }))
    if (decision.kind !== 'send') throw new Error(`Expected a report, got ${decision.kind}`)
    const [, fields] = await readStatus(decision.report.message.content ?? new Uint8Array())
    expect(fields).toEqual(
      expect.arrayContaining(['Action: relayed', 'Status: 2.0.0', 'Diagnostic-Code: smtp; 250 2.0.0 Ok']),
    )
  })
})
