import { expect, test } from 'vitest'
import { defaultTimeouts } from '../support/default-timeouts.ts'

const MINUTE_MS = 60_000

test('no limit is below what RFC 5321 §4.5.3.2 asks for', () => {
  expect(defaultTimeouts.greetingMs).toBeGreaterThanOrEqual(5 * MINUTE_MS)
  expect(defaultTimeouts.ehloMs).toBeGreaterThanOrEqual(5 * MINUTE_MS)
  expect(defaultTimeouts.mailMs).toBeGreaterThanOrEqual(5 * MINUTE_MS)
  expect(defaultTimeouts.rcptMs).toBeGreaterThanOrEqual(5 * MINUTE_MS)
  expect(defaultTimeouts.dataInitiationMs).toBeGreaterThanOrEqual(2 * MINUTE_MS)
  expect(defaultTimeouts.dataBlockMs).toBeGreaterThanOrEqual(3 * MINUTE_MS)
  expect(defaultTimeouts.dataTerminationMs).toBeGreaterThanOrEqual(10 * MINUTE_MS)
})
