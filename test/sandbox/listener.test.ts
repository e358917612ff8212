import { expect, test } from 'vitest'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { send } from './client.ts'

test.each(['accepts.test', 'chunking.test', 'no-tls.test'])(
  'a connection to %s is counted as open until it ends, under TLS too',
  async (domain) => {
    await using sandbox = await startSandbox({ removeMail: true })
    const host = `mx.${domain}`
    await send(sandbox, host, { to: `user@${domain}` })
    // The exchanger hears of the end a moment after the client has closed.
    await expect.poll(() => sandbox.statistics.exchangers.get(host)?.open, { timeout: 30_000 }).toBe(0)
    await send(sandbox, host, { to: `user@${domain}` })
    expect(sandbox.statistics.exchangers.get(host)).toMatchObject({ connections: 2, peak: 1 })
  },
)
