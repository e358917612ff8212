import { expect, test } from 'vitest'
import { silentLog } from '../../src/log/log.ts'
import { isLoopback } from '../../src/submission/listen-address.ts'
import { SubmissionListener } from '../../src/submission/listener.ts'
import { ReceiveBudget } from '../../src/submission/received-octets.ts'
import { systemClock } from '../../src/time/clock.ts'
import { certificates, hostname } from './client.ts'

const share = {
  hostname,
  maxSize: 1000,
  maxRecipients: 100,
  maxConnections: 10,
  maxErrors: 10,
  idleTimeoutMs: 1000,
  loginTimeoutMs: 1000,
  accept: async () => ({ queueId: 'never' }),
  clock: systemClock,
  log: silentLog,
  budget: new ReceiveBudget(1000),
  connections: new Set<never>(),
  open: new Set<never>(),
  isLoopback,
}
const protection = {
  certificate: certificates.kinds.trusted,
  authenticator: { authenticate: async () => 'alice' },
}

/** As if smtp-server had let the command pass. */
const judgeMail = (listener: SubmissionListener, session: object) =>
  new Promise<unknown>((resolve) => {
    const whole = { envelope: {}, remoteAddress: '127.0.0.1', id: '1', ...session }
    listener.onMailFrom({ address: 'a@b.test', args: false }, whole as never, resolve)
  })

test('whether a stranger may send does not depend on smtp-server alone', async () => {
  const listener = new SubmissionListener(share, protection)
  expect(await judgeMail(listener, { secure: false, user: 'alice' })).toMatchObject({ responseCode: 530 })
  expect(await judgeMail(listener, { secure: true, user: undefined })).toMatchObject({ responseCode: 530 })
  expect(await judgeMail(listener, { secure: true, user: 'alice' })).toBeUndefined()
})

test('TLS 1.0 and 1.1 are not spoken (RFC 8996)', () => {
  expect(new SubmissionListener(share, protection).options.minVersion).toBe('TLSv1.2')
})
