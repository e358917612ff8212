import { expect, test } from 'vitest'
import type { RecipientReport } from '../../src/agent.ts'
import { compare } from '../../src/cli/demo/demonstration.ts'
import type { ExpectedOutcome } from '../../src/sandbox/sandbox.ts'

type Found = Pick<RecipientReport, 'outcome' | 'uncertain' | 'status'>

function isExpected(found: Found, expected: ExpectedOutcome): boolean | undefined {
  const mailbox = 'user@example.test'
  const domain = { domain: 'example.test', mailbox, description: '', expected, waits: false }
  const recipient = { address: mailbox, ...found } as RecipientReport
  return compare({ recipients: [recipient] }, { domains: [domain] })[0]?.isExpected
}

const lost: Found = { outcome: 'deferred', uncertain: true, status: '4.4.2' }

test.each<readonly [boolean, Found, ExpectedOutcome]>([
  [true, lost, { outcome: 'deferred', uncertain: true, status: '4.4.2' }],
  [true, lost, { outcome: 'deferred', uncertain: true }],
  [false, lost, { outcome: 'failed', uncertain: true, status: '4.4.2' }],
  [false, lost, { outcome: 'deferred', status: '4.4.2' }],
  [false, lost, { outcome: 'deferred', uncertain: true, status: '4.4.1' }],
  [false, { ...lost, uncertain: false }, { outcome: 'deferred', uncertain: true }],
])('%s: %j where %j is promised', (verdict, found, expected) => {
  expect(isExpected(found, expected)).toBe(verdict)
})
