import { expect, test } from 'vitest'
import { verdictReason } from '../../src/tls/verdict-reason.ts'

test('a certificate that was not verified gets words, an unknown code stands for itself', () => {
  expect(verdictReason('DEPTH_ZERO_SELF_SIGNED_CERT')).toBe('self-signed certificate')
  expect(verdictReason('CERT_SIGNATURE_FAILURE')).toBe('CERT_SIGNATURE_FAILURE')
})
