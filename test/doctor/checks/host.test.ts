/** Judges of the host itself: pure functions of what was seen. */
import { describe, expect, test } from 'vitest'
import { type ClockObservation, dateIn, judgeClock } from '../../../src/doctor/checks/clock.ts'
import { judgeDnssec } from '../../../src/doctor/checks/dnssec.ts'
import { judgeNode } from '../../../src/doctor/checks/node.ts'
import { judgeResolver } from '../../../src/doctor/checks/resolver.ts'
import type { ServerObservation } from '../../../src/doctor/name-servers.ts'
import type { Finding } from '../../../src/doctor/result.ts'

const said = (findings: readonly Finding[]) => findings.map(({ code, status }) => [code, status])

test.each([
  ['24.0.0', ['node-new-enough', 'ok']],
  ['26.1.0', ['node-new-enough', 'ok']],
  ['22.19.0', ['node-too-old', 'problem']],
])('Node %s', (version, expected) => {
  expect(said(judgeNode(version))).toEqual([expected])
})

describe('the clock', () => {
  const nowMs = Date.parse('2026-11-21T07:00:00Z')
  const day = 86_400_000
  const observed = (
    aheadMs: readonly number[],
    lifeDays: readonly [number, number] | null,
  ): ClockObservation => ({
    nowMs,
    aheadMs,
    signatures:
      lifeDays === null
        ? []
        : [{ inception: nowMs + lifeDays[0] * day, expiration: nowMs + lifeDays[1] * day }],
    evidence: [],
  })

  test.each([
    ['agrees with a greeting', [1_500], [-7, 7], ['clock-right', 'ok']],
    ['agrees with one of two', [-3_600_000, 400], [-7, 7], ['clock-right', 'ok']],
    ['is two minutes ahead', [120_000], [-7, 7], ['clock-wrong', 'warning']],
    ['is two minutes behind', [-120_000], null, ['clock-wrong', 'warning']],
    ['is an hour behind', [-3_600_000], [-7, 7], ['clock-wrong', 'problem']],
    ['is before all signatures', [], [1, 7], ['clock-wrong', 'problem']],
    ['is after all signatures, whatever a greeting says', [0], [-7, -1], ['clock-wrong', 'problem']],
    ['has signatures only', [], [-7, 7], ['clock-plausible', 'ok']],
    ['has nothing to be compared with', [], null, ['clock-uncompared', 'cannot-tell']],
  ] as const)('%s', (_, aheadMs, lifeDays, expected) => {
    expect(said(judgeClock(observed(aheadMs, lifeDays)))).toEqual([expected])
  })

  test.each([
    ['220 mx.example.net ESMTP ready at Sat, 21 Nov 2026 07:00:00 +0000', nowMs],
    ['220 mx.example.net ESMTP Exim 4.97 Sat, 21 Nov 2026 08:00:00 +0100', nowMs],
    ['220 mx.example.net ESMTP Sendmail; 21 Nov 2026 07:00:00 GMT', nowMs],
    ['220 mx.example.net ESMTP Postfix', null],
    ['220 at Sat, 41 Nov 2026 07:00:00 +0000', null],
    ['', null],
  ])('the date in %j', (greeting, ms) => {
    expect(dateIn(greeting)).toBe(ms)
  })
})

describe('name servers', () => {
  const server = (
    change: Partial<ServerObservation['answer'] & object> = {},
    name = 'a',
  ): ServerObservation => ({
    server: name,
    answer: { rcode: 'NOERROR', isValidated: true, answers: [], durationMs: 20, ...change },
    failure: null,
  })
  const silent: ServerObservation = { server: 'b', answer: null, failure: 'no answer within 5000 ms' }

  test.each([
    ['answer', [server(), server({}, 'c')], ['resolver-answers', 'ok'], ['dnssec-validated', 'ok']],
    ['one is silent', [server(), silent], ['resolver-partly-silent', 'warning'], ['dnssec-validated', 'ok']],
    ['all are silent', [silent], ['resolver-silent', 'problem'], ['dnssec-unanswered', 'cannot-tell']],
    ['there are none', [], ['resolver-silent', 'problem'], ['dnssec-unanswered', 'cannot-tell']],
    [
      'refuse',
      [server({ rcode: 'REFUSED' })],
      ['resolver-silent', 'problem'],
      ['dnssec-unanswered', 'cannot-tell'],
    ],
    ['are slow', [server({ durationMs: 1_200 })], ['resolver-slow', 'warning'], ['dnssec-validated', 'ok']],
    [
      'do not validate',
      [server({ isValidated: false })],
      ['resolver-answers', 'ok'],
      ['dnssec-not-validated', 'warning'],
    ],
    [
      'one of two does not validate',
      [server(), server({ isValidated: false }, 'c')],
      ['resolver-answers', 'ok'],
      ['dnssec-not-validated', 'warning'],
    ],
  ] as const)('%s', (_, servers, resolver, dnssec) => {
    expect(said(judgeResolver(servers))).toEqual([resolver])
    expect(said(judgeDnssec(servers))).toEqual([dnssec])
  })
})
