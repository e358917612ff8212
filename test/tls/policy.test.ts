import { expect, test } from 'vitest'
import { mayEncrypt, mayGoInClear, mustVerify, type TlsMode } from '../../src/tls/policy.ts'

test.each([
  ['off', [false, true, false]],
  ['opportunistic', [true, true, false]],
  ['required', [true, false, false]],
  ['verified', [true, false, true]],
] as const)('%s: may encrypt, may go in clear, must verify: %j', (mode: TlsMode, answers) => {
  const policy = { mode, minVersion: 'TLSv1.2', decidedBy: 'configuration' } as const
  expect([mayEncrypt(policy), mayGoInClear(policy), mustVerify(policy)]).toEqual(answers)
})
