import { expect, test } from 'vitest'
import { type Attempt, decisiveAttempt, type Outcome, type Stage } from '../../src/delivery/outcome.ts'
import type { EnhancedStatus } from '../../src/smtp/enhanced-status.ts'
import { recipient } from './fixtures.ts'

const attempt = (exchanger: string, stage: Stage, status: EnhancedStatus): Attempt => ({
  exchanger,
  ip: '192.0.2.1',
  port: 25,
  stage,
  status,
  diagnostic: '',
  startedAt: 0,
  durationMs: 0,
  tls: null,
  localAddress: null,
})

const base = (attempts: readonly Attempt[]) => ({
  recipient: recipient('bob@a.test'),
  attempts,
  durationMs: 0,
})
const deferred = (attempts: readonly Attempt[], stage: Stage, status: EnhancedStatus): Outcome => ({
  ...base(attempts),
  kind: 'deferred',
  uncertain: false,
  cause: { stage, status },
})

const refused = attempt('mx1.a.test', 'connect', '4.4.1')
const greylisted = attempt('mx2.a.test', 'rcpt', '4.2.0')
const alsoRefused = attempt('mx3.a.test', 'connect', '4.4.1')

test('of a delivery the last attempt decided', () => {
  const taken = attempt('mx2.a.test', 'end-of-data', '2.0.0')
  const reply = { code: 250, status: null, lines: [] }
  expect(decisiveAttempt({ ...base([refused, taken]), kind: 'delivered', reply })).toBe(taken)
})

test('else the last one whose stage and status the outcome tells', () => {
  expect(decisiveAttempt(deferred([refused, greylisted, alsoRefused], 'rcpt', '4.2.0'))).toBe(greylisted)
  expect(decisiveAttempt(deferred([refused, greylisted, alsoRefused], 'connect', '4.4.1'))).toBe(alsoRefused)
})

test('else the last one; none when no target was reached for', () => {
  expect(decisiveAttempt(deferred([refused, greylisted], 'route', '4.4.3'))).toBe(greylisted)
  expect(decisiveAttempt(deferred([], 'route', '4.4.3'))).toBe(null)
})
