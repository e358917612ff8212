import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import type { NotifyKeyword } from '../../src/mail/dsn-parameters.ts'
import { delayWarningAt, isRelayReportWanted, isReportWanted } from '../../src/queue/bounce-policy.ts'

const alice = parseAddress('alice@sender.test')

/** Every value NOTIFY can have, and whether it asks for reports of: failure, delay, success. */
const table: readonly (readonly [readonly NotifyKeyword[] | null, boolean, boolean, boolean])[] = [
  [null, true, true, false],
  [['NEVER'], false, false, false],
  [['FAILURE'], true, false, false],
  [['DELAY'], false, true, false],
  [['SUCCESS'], false, false, true],
  [['FAILURE', 'DELAY'], true, true, false],
  [['SUCCESS', 'FAILURE'], true, false, true],
  [['SUCCESS', 'DELAY'], false, true, true],
  [['SUCCESS', 'FAILURE', 'DELAY'], true, true, true],
]

describe.each(table)('NOTIFY=%s (RFC 3461 §4.1, §5.2)', (notify, failed, delayed, relayed) => {
  test.each([
    ['failed', failed],
    ['delayed', delayed],
    ['relayed', relayed],
  ] as const)('%s: %s', (kind, isWanted) => {
    expect(isReportWanted(kind, { reversePath: alice, notify })).toBe(isWanted)
  })

  test('a null reverse-path is told nothing (RFC 5321 §6.1)', () => {
    for (const kind of ['failed', 'delayed', 'relayed'] as const) {
      expect(isReportWanted(kind, { reversePath: null, notify })).toBe(false)
    }
  })

  test('a server that was told the wishes reports success itself (RFC 3461 §5.2.1, §5.2.2)', () => {
    const wishes = { reversePath: alice, notify }
    expect(isRelayReportWanted(wishes, { isDsnPassedOn: true })).toBe(false)
    expect(isRelayReportWanted(wishes, { isDsnPassedOn: false })).toBe(relayed)
  })

  test('a delay is to be reported 4 h after submission if at all (RFC 3461 §5.2.5)', () => {
    const submission = { reversePath: alice, recipients: [{ notify }], createdAt: 1000 }
    expect(delayWarningAt(submission)).toBe(delayed ? 1000 + 4 * 3_600_000 : null)
  })
})

test('one recipient who may be told of a delay is enough, but not without a reverse-path', () => {
  const recipients = [{ notify: ['NEVER'] as const }, { notify: null }]
  expect(delayWarningAt({ reversePath: alice, recipients, createdAt: 0 }, 5)).toBe(5)
  expect(delayWarningAt({ reversePath: null, recipients, createdAt: 0 }, 5)).toBeNull()
})
