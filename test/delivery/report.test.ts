import { describe, expect, test } from 'vitest'
import type { Attempt, Outcome } from '../../src/delivery/outcome.ts'
import { reportOutcome } from '../../src/delivery/report.ts'
import { logOutcome } from '../../src/delivery/report-events.ts'
import type { LogEvent } from '../../src/log/events.ts'
import { silentLog } from '../../src/log/log.ts'
import { RouteError } from '../../src/route/route.ts'
import { TimeoutError } from '../../src/smtp/errors.ts'
import { recipient } from './fixtures.ts'

const tls = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  verified: true,
  reason: null,
  // What the client knows beside it is no part of the report.
  resumed: true,
}
const taken: Attempt = {
  exchanger: 'mx1.example.test',
  ip: '192.0.2.7',
  port: 25,
  stage: 'end-of-data',
  status: '2.0.0',
  diagnostic: '250 2.0.0 Ok: queued as 4D1',
  startedAt: Date.UTC(2026, 10, 21, 7),
  durationMs: 299.6,
  tls,
  localAddress: '192.0.2.9',
}
const lost: Attempt = {
  ...taken,
  exchanger: 'mx0.example.test',
  ip: '192.0.2.6',
  status: '4.4.2',
  diagnostic: 'no end of the reply to the content within 1000 ms',
  tls: null,
}

const delivered: Outcome = {
  kind: 'delivered',
  recipient: recipient('bob@example.test', 'bcc'),
  attempts: [taken],
  durationMs: 310.4,
  reply: { code: 250, status: '2.0.0', lines: ['Ok: queued as 4D1'] },
}
const uncertain: Outcome = {
  kind: 'deferred',
  recipient: recipient('bob@example.test'),
  attempts: [lost],
  durationMs: 1000,
  uncertain: true,
  cause: { stage: 'end-of-data', status: '4.4.2', error: new TimeoutError('the reply to the content', 1000) },
}
const failed: Outcome = {
  kind: 'failed',
  recipient: recipient('bob@example.test'),
  attempts: [{ ...taken, stage: 'rcpt', status: '5.0.0', diagnostic: '550 no\nsuch user' }],
  durationMs: 5,
  cause: { stage: 'rcpt', status: '5.0.0', reply: { code: 550, status: null, lines: ['no', 'such user'] } },
}
const noWay: Outcome = {
  kind: 'failed',
  recipient: recipient('bob@example.test'),
  attempts: [],
  durationMs: 5,
  cause: { stage: 'route', status: '5.1.10', error: new RouteError('null-mx', 'accepts no mail') },
}

describe("the report has exactly contract.md's fields:", () => {
  test('delivered', () => {
    const { resumed: _, ...shown } = tls
    expect(reportOutcome(delivered)).toStrictEqual({
      address: 'bob@example.test',
      field: 'bcc',
      outcome: 'delivered',
      uncertain: false,
      status: '2.0.0',
      reply: { code: 250, status: '2.0.0', lines: ['Ok: queued as 4D1'] },
      diagnostic: '250 2.0.0 Ok: queued as 4D1',
      stage: 'end-of-data',
      exchanger: 'mx1.example.test',
      ip: '192.0.2.7',
      port: 25,
      tls: shown,
      durationMs: 310,
      attempts: [
        {
          exchanger: 'mx1.example.test',
          ip: '192.0.2.7',
          port: 25,
          stage: 'end-of-data',
          status: '2.0.0',
          diagnostic: '250 2.0.0 Ok: queued as 4D1',
          startedAt: '2026-11-21T07:00:00.000Z',
          durationMs: 300,
          tls: shown,
        },
      ],
    })
  })

  test('lost after the final dot', () => {
    expect(reportOutcome(uncertain)).toStrictEqual({
      address: 'bob@example.test',
      field: 'to',
      outcome: 'deferred',
      uncertain: true,
      status: '4.4.2',
      reply: null,
      diagnostic: 'no end of the reply to the content within 1000 ms',
      stage: 'end-of-data',
      exchanger: 'mx0.example.test',
      ip: '192.0.2.6',
      port: 25,
      tls: null,
      durationMs: 1000,
      attempts: [
        {
          exchanger: 'mx0.example.test',
          ip: '192.0.2.6',
          port: 25,
          stage: 'end-of-data',
          status: '4.4.2',
          diagnostic: 'no end of the reply to the content within 1000 ms',
          startedAt: '2026-11-21T07:00:00.000Z',
          durationMs: 300,
          tls: null,
        },
      ],
    })
  })

  test('refused: the reply as it came, on one line in the diagnostic', () => {
    expect(reportOutcome(failed)).toMatchObject({
      outcome: 'failed',
      uncertain: false,
      status: '5.0.0',
      stage: 'rcpt',
      reply: { code: 550, status: null, lines: ['no', 'such user'] },
      diagnostic: '550 no such user',
    })
  })

  test('no target was reached for: the place of the attempt is null', () => {
    expect(reportOutcome(noWay)).toStrictEqual({
      address: 'bob@example.test',
      field: 'to',
      outcome: 'failed',
      uncertain: false,
      status: '5.1.10',
      reply: null,
      diagnostic: 'accepts no mail',
      stage: 'route',
      exchanger: null,
      ip: null,
      port: null,
      tls: null,
      durationMs: 5,
      attempts: [],
    })
  })
})

test('an address is told as it is written, quotes kept', () => {
  const quoted = { ...noWay, recipient: recipient('"a b"@example.test', 'cc') }
  expect(reportOutcome(quoted)).toMatchObject({ address: '"a b"@example.test', field: 'cc' })
})

describe('the line of the log states', () => {
  const logged = (outcome: Outcome): LogEvent | undefined => {
    const events: LogEvent[] = []
    logOutcome(outcome, '4D1A', { ...silentLog, write: (event) => events.push(event) })
    expect(events).toHaveLength(1)
    return events[0]
  }

  test('a delivery with its target and the reply', () => {
    // The whole value: the JSON log writes whatever an event holds.
    expect(logged(delivered)).toEqual({
      kind: 'verdict',
      id: '4D1A',
      to: 'bob@example.test',
      field: 'bcc',
      outcome: 'delivered',
      uncertain: false,
      target: { exchanger: 'mx1.example.test', ip: '192.0.2.7', port: 25 },
      tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: true, reason: null },
      stage: 'end-of-data',
      status: '2.0.0',
      delayMs: 310.4,
      reply: '250 2.0.0 Ok: queued as 4D1',
    })
  })

  test('that a message is uncertain', () => {
    expect(logged(uncertain)).toMatchObject({ outcome: 'deferred', uncertain: true, status: '4.4.2' })
  })

  test('a failure without a target', () => {
    expect(logged(noWay)).toMatchObject({
      outcome: 'failed',
      target: null,
      tls: null,
      stage: 'route',
      status: '5.1.10',
      reply: 'accepts no mail',
    })
  })
})
