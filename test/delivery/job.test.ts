import { expect, test } from 'vitest'
import { ActiveSessions } from '../../src/delivery/active-sessions.ts'
import { type Delivery, Job, targetKey } from '../../src/delivery/job.ts'
import { OutcomeStream } from '../../src/delivery/outcome-stream.ts'
import { collect, envelope, message, recipient, target } from './fixtures.ts'

function begin() {
  const outcomes = new OutcomeStream(1, new AbortController().signal, () => {})
  const delivery: Delivery = {
    id: '4D1A',
    message: message(),
    envelope: envelope('bob@a.test'),
    signal: new AbortController().signal,
    outcomes,
    startedAt: 1000,
    activeSessions: new ActiveSessions(),
    preferredSource: null,
    beforeContent: null,
  }
  return { job: new Job(delivery, recipient('bob@a.test', 'cc')), outcomes }
}

test('the conclusion becomes an outcome with the recipient, its attempts and the time since it was handed over', async () => {
  const { job, outcomes } = begin()
  const attempt = {
    exchanger: 'mx.a.test',
    ip: '192.0.2.1',
    port: 25,
    stage: 'rcpt',
    status: '4.2.0',
    diagnostic: '450 4.2.0 later',
    startedAt: 5,
    durationMs: 6,
    tls: null,
    localAddress: '192.0.2.9',
  } as const
  job.attempts.push(attempt)
  const cause = { stage: 'rcpt', status: '4.2.0' } as const
  const expected = {
    kind: 'deferred',
    cause,
    uncertain: false,
    recipient: recipient('bob@a.test', 'cc'),
    attempts: [attempt],
    durationMs: 250,
  }
  expect(job.isConcluded).toBe(false)
  expect(job.conclude({ kind: 'deferred', cause, uncertain: false }, 1250)).toEqual(expected)
  expect(job.isConcluded).toBe(true)
  expect(await collect(outcomes)).toEqual([expected])
})

test('a second conclusion is refused, and the first one stands', async () => {
  const { job, outcomes } = begin()
  const reply = { code: 250, status: null, lines: [] }
  job.conclude({ kind: 'delivered', reply }, 1001)
  expect(() => job.conclude({ kind: 'failed', cause: { stage: 'mail', status: '5.0.0' } }, 1002)).toThrow(
    'a recipient was given a second outcome',
  )
  expect(await collect(outcomes)).toMatchObject([{ kind: 'delivered' }])
})

test('targets are told apart by address and port, not by the name of the exchanger', () => {
  const { job } = begin()
  const one = target('mx1.a.test', '192.0.2.1')
  expect(job.hasTried(one)).toBe(false)
  job.rememberTried(one)
  expect(job.hasTried(one)).toBe(true)
  expect(job.hasTried(target('mx2.a.test', '192.0.2.1'))).toBe(true)
  expect(job.hasTried(target('mx1.a.test', '192.0.2.2'))).toBe(false)
  expect(job.hasTried(target('mx1.a.test', '192.0.2.1', { port: 2525 }))).toBe(false)
  expect(targetKey(target('mx1.a.test', '2001:db8::1', { port: 2525 }))).toBe('2001:db8::1:2525')
})
