import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { askedWaitMs, DEFAULT_RETRY, nextAttemptAt, siteWaitMs } from '../../src/queue/retry.ts'
import { greylisted } from '../support/queue-submissions.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const timedOut = { ...greylisted, isReply: false, diagnostic: 'no answer within 30 s' }

const said = (diagnostic: string) => ({ ...greylisted, diagnostic })

const waitAfter = (attempts: number, random: number, last = timedOut) =>
  (nextAttemptAt({ attempts, now: 0, expiresAt: 5 * DAY, last }, DEFAULT_RETRY, random) ?? Number.NaN) /
  MINUTE

describe('when an entry is tried again (RFC 5321 §4.5.4.1)', () => {
  test('the first retry comes after five minutes or a little later, never sooner', () => {
    expect(waitAfter(1, 0)).toBe(5)
    expect(waitAfter(1, 0.999)).toBeCloseTo(6, 1)
  })

  test('the waits double up to four hours', () => {
    expect([2, 3, 4, 5, 6, 7, 8, 100].map((attempts) => waitAfter(attempts, 0.5))).toEqual([
      10, 20, 40, 80, 160, 240, 240, 240,
    ])
  })

  test('chance moves a wait by a fifth to either side', () => {
    expect(waitAfter(7, 0)).toBe(192)
    expect(waitAfter(7, 0.999_999)).toBeCloseTo(288, 1)
  })

  test('a greylisting reply is answered when it asks, up to ten seconds later', () => {
    expect(waitAfter(1, 0, said('450 4.2.0 Greylisted, try again in 120 seconds'))).toBe(2)
    expect(waitAfter(1, 0.999_999, said('450 4.2.0 Greylisted, try again in 120 seconds'))).toBeCloseTo(
      2 + 1 / 6,
      3,
    )
  })

  test('who asks again and again is not believed any more', () => {
    expect(waitAfter(4, 0.5, said('450 4.2.0 Greylisted, try again in 120 seconds'))).toBe(40)
  })

  test('one last try comes shortly before the end', () => {
    const last = { attempts: 9, expiresAt: 5 * DAY, last: timedOut }
    expect(nextAttemptAt({ ...last, now: 5 * DAY - HOUR }, DEFAULT_RETRY, 0.5)).toBe(5 * DAY - 10 * MINUTE)
    expect(nextAttemptAt({ ...last, now: 5 * DAY - 10 * MINUTE }, DEFAULT_RETRY, 0.5)).toBeNull()
    expect(nextAttemptAt({ ...last, now: 6 * DAY }, DEFAULT_RETRY, 0.5)).toBeNull()
  })

  test('always later than now, never after the end, and in the end given up', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 * DAY }),
        fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (lifeMs, randoms) => {
          let now = 0
          for (let attempts = 1; attempts < 1_000; attempts++) {
            const random = randoms[attempts % randoms.length] ?? 0
            const next = nextAttemptAt(
              { attempts, now, expiresAt: lifeMs, last: timedOut },
              DEFAULT_RETRY,
              random,
            )
            if (next === null) return true
            if (next <= now || next > lifeMs) return false
            now = next
          }
          return false
        },
      ),
    )
  })
})

describe('what a greylisting reply asks for', () => {
  test.each([
    [
      '450 4.2.0 <bob@example.test>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.test.html',
      null,
    ],
    ['451 4.7.1 Greylisting in action, please come back in 00:05:00', 5 * MINUTE],
    ['451 4.7.1 Please try again in 300 seconds', 5 * MINUTE],
    ['450 4.7.1 Greylisted for 5 minutes', 5 * MINUTE],
    ['451 Temporarily deferred; try again in 15 min', 15 * MINUTE],
    ['451 4.3.0 wait 90s and retry', 90_000],
    ['451 4.7.1 try again after 2 hours', HOUR],
    ['451 4.7.1 try again in 5 seconds', MINUTE],
    ['451 4.7.1 try again later', null],
    ['550 5.7.1 try again in 300 seconds', null],
    ['450 4.2.2 mailbox was full for 3 hours', null],
  ])('%s', (diagnostic, expected) => {
    expect(askedWaitMs(said(diagnostic))).toBe(expected)
  })

  test('our own words ask for nothing', () => {
    expect(askedWaitMs({ ...said('4 retry in 300 seconds'), isReply: false })).toBeNull()
  })
})

test('a site is left alone for longer each time, and probed every half hour at least', () => {
  expect([1, 2, 3, 4, 50].map((failures) => siteWaitMs(failures, DEFAULT_RETRY, 0.5) / MINUTE)).toEqual([
    5.5, 10, 20, 30, 30,
  ])
})
