import { expect, test } from 'vitest'
import { type Origin, receivedField } from '../../src/submission/trace.ts'

const origin: Origin = {
  helo: 'client.test',
  ip: '192.0.2.9',
  isExtended: true,
  tls: null,
  isAuthenticated: false,
  isUtf8: false,
}
const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
const field = (part: Partial<Origin>) =>
  receivedField(
    { ...origin, ...part },
    { hostname: 'mail.sender.test', id: '4D1A', now: Date.UTC(2026, 10, 21, 7) },
  )

test('the field says from whom, by whom, how, under what name and when (RFC 5321 §4.4)', () => {
  expect(field({ tls, isAuthenticated: true })).toBe(
    'Received: from client.test ([192.0.2.9])\r\n' +
      '\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n' +
      '\tby mail.sender.test with ESMTPSA id 4D1A;\r\n' +
      '\tSat, 21 Nov 2026 07:00:00 +0000\r\n',
  )
})

test.each([
  ['SMTP', { isExtended: false }],
  ['ESMTP', {}],
  ['ESMTPS', { tls }],
  ['ESMTPA', { isAuthenticated: true }],
  ['UTF8SMTP', { isUtf8: true }],
  ['UTF8SMTPSA', { isUtf8: true, tls, isAuthenticated: true }],
] as const)('the protocol is %s (RFC 3848, RFC 6531 §4.3)', (protocol, part) => {
  expect(field(part)).toContain(` with ${protocol} id `)
})

test.each(['client.test', '[192.0.2.9]', '[IPv6:2001:db8::1]', 'my_pc', 'localhost'])(
  'the client is called %s as it says',
  (helo) => {
    expect(field({ helo })).toContain(`from ${helo} ([192.0.2.9])\r\n`)
  },
)

test.each(['x)(comment', 'a;b', 'a b', '', '"q"', 'a\tb', '[x]', 'b\u00fccher.test'])(
  'the client is not called %j: its address stands instead',
  (helo) => {
    expect(field({ helo })).toContain('from [192.0.2.9] ([192.0.2.9])\r\n')
  },
)

test('an IPv6 address is a literal with its tag (RFC 5321 §4.1.3)', () => {
  expect(field({ ip: '2001:db8::9' })).toContain('([IPv6:2001:db8::9])')
})
