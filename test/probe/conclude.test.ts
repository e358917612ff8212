/** From what every address did to the verdict on the target. */
import { describe, expect, test } from 'vitest'
import { statusOf } from '../../src/delivery/classify.ts'
import type { Cause } from '../../src/delivery/outcome.ts'
import { conclude, type ExchangerEnd } from '../../src/probe/conclude.ts'
import { Reachability } from '../../src/probe/reachability.ts'
import { ProbeRecord } from '../../src/probe/record.ts'
import { RouteError } from '../../src/route/route.ts'
import { ConnectError } from '../../src/smtp/errors.ts'
import { type Reply, ReplyParser } from '../../src/smtp/reply.ts'

function said(stage: Cause['stage'], line: string): Cause {
  const replies: Reply[] = []
  new ReplyParser().push(Buffer.from(`${line}\r\n`), replies)
  const [reply] = replies
  if (reply === undefined) throw new Error(`no reply: ${line}`)
  return { stage, status: statusOf(reply), reply }
}

const accepted = said('rcpt', '250 2.1.5 ok')
const rejected = said('rcpt', '550 5.1.1 no such user')
const greylisted = said('rcpt', '450 4.2.0 greylisted, try again in 600 seconds')
const blocked = said('greeting', '554 5.7.1 blocked')
const down: Cause = { stage: 'connect', status: '4.4.1', error: new ConnectError('no answer') }

/** An exchanger at whose addresses this happened. */
function exchanger(preference: number, ...causes: readonly (Cause | null | RouteError)[]): ExchangerEnd {
  const error = causes.find((cause) => cause instanceof RouteError) ?? null
  const ends = causes.filter((cause): cause is Cause | null => !(cause instanceof RouteError))
  const addresses = ends.map((cause, at) => ({
    cause,
    ip: `192.0.2.${at + 1}`,
    record: new ProbeRecord({ transcript: false }),
  }))
  return { host: `mx${preference}.a.test`, preference, implicit: false, port: 25, error, addresses }
}

function concluded(...exchangers: readonly ExchangerEnd[]) {
  const reachability = new Reachability(() => 0)
  return conclude(exchangers, { stopAfter: 'starttls', isDomain: false, reachability })
}

test.each([
  ['the best exchanger has the last word', [exchanger(10, rejected), exchanger(20, accepted)], 'rejects', 10],
  ['the next one where the best is down', [exchanger(10, down), exchanger(20, accepted)], 'accepts', 20],
  ['or defers', [exchanger(10, greylisted), exchanger(20, rejected)], 'rejects', 20],
  ['or turns us away', [exchanger(10, blocked), exchanger(20, accepted)], 'accepts', 20],
  ['the next address as well', [exchanger(10, down, accepted)], 'accepts', 10],
  [
    'without a last word what says most',
    [exchanger(10, down), exchanger(20, blocked, greylisted)],
    'greylisted',
    20,
  ],
  [
    'being refused says more than being down',
    [exchanger(10, down), exchanger(20, blocked)],
    'refused-us',
    20,
  ],
] as const)('%s', (_title, exchangers, verdict, preference) => {
  expect(concluded(...exchangers)).toMatchObject({
    verdict,
    decidedBy: { exchanger: `mx${preference}.a.test` },
  })
})

test('exchangers no better than this host do not count (RFC 5321 §5.1)', () => {
  const ourselves = exchanger(20, new RouteError('loop', 'mx20.a.test is this host'))
  expect(concluded(exchanger(10, down), ourselves, exchanger(30, accepted)).verdict).toBe('unreachable')
  expect(concluded(exchanger(10, accepted), ourselves, exchanger(30, rejected)).verdict).toBe('accepts')
})

test('a stage to end after that was reached anywhere is reached', () => {
  const reached = concluded(exchanger(10, down), exchanger(20, null))
  expect(reached).toMatchObject({ verdict: 'unknown', stoppedAfter: 'starttls', status: '2.0.0' })
})

test('an exchanger without address leaves the verdict to the others', () => {
  const nameless = exchanger(10, new RouteError('no-address', 'mx10.a.test has no address'))
  expect(concluded(nameless, exchanger(20, accepted)).verdict).toBe('accepts')
  expect(concluded(nameless)).toMatchObject({ verdict: 'unreachable', status: '4.4.4', decidedBy: null })
})

describe('when to ask a greylisting server again', () => {
  test.each([
    ['450 4.2.0 greylisted, try again in 600 seconds', 600],
    ['451 4.7.1 Greylisting in action, please come back in 00:05:00', 300],
    ['450 4.3.2 Service currently unavailable', 300],
    ['450 greylisted, try again in 2 seconds', 2],
    ['450 greylisted, try again in 0 seconds', 1],
    ['450 greylisted, try again in 9999 hours', 86_400],
  ])('%s: %i s', (line, seconds) => {
    expect(concluded(exchanger(10, said('rcpt', line))).retryAfterSeconds).toBe(seconds)
  })
})
