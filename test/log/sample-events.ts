/** Events as the delivery reports them, for the tests of the formats. */
import type { LogTarget, LogTls, VerdictEvent } from '../../src/log/events.ts'

export const target: LogTarget = { exchanger: 'mx1.example.test', ip: '192.0.2.7', port: 25 }

export const tls: LogTls = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  verified: true,
  reason: null,
}

export const verdict: VerdictEvent = {
  kind: 'verdict',
  id: '4D1A',
  to: 'bob@example.test',
  field: 'to',
  outcome: 'delivered',
  uncertain: false,
  target,
  tls,
  stage: 'end-of-data',
  status: '2.0.0',
  delayMs: 310,
  reply: '250 2.0.0 Ok: queued as 4D1',
}
