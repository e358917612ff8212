import path from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentOptions } from '../../src/config/options.ts'
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts'
import type { LogEvent } from '../../src/log/events.ts'
import { type Log, silentLog } from '../../src/log/log.ts'
import { QueueLockedError } from '../../src/queue/errors.ts'
import { openSqliteQueue } from '../../src/queue/sqlite/store.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { startExchangers } from '../crash/exchangers.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

const options = async (more: AgentOptions = {}): Promise<AgentOptions> => ({
  ...sandbox.agentOptions,
  queue: { dir: path.join(await temporaryDirectory(), 'queue'), ...more.queue },
  submission: { listen: ['127.0.0.1:0'], ...more.submission },
})

async function submit(daemon: Daemon, to: string | string[]): Promise<string> {
  const port = Number(daemon.addresses[0]?.split(':').at(-1))
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  const message = { from: 'alice@sender.test', to, subject: 'hi', text: 'hello\n' }
  return (await transport.sendMail(message)).response
}

function recordingLog(): { readonly events: LogEvent[]; readonly log: Log } {
  const events: LogEvent[] = []
  return { events, log: { ...silentLog, write: (event) => void events.push(event) } }
}

test('mail handed in over SMTP is delivered, and results tell so', async () => {
  await using daemon = await startDaemon(await options())
  const results = daemon.agent.results()
  expect(await submit(daemon, 'daemon@accepts.test')).toBe('250 2.0.0 Ok: queued as 0001')
  expect((await results.next()).value).toMatchObject({
    entryId: '0001-1',
    address: 'daemon@accepts.test',
    outcome: 'delivered',
  })
  expect(await sandbox.received({ recipient: 'daemon@accepts.test' })).toHaveLength(1)
})

test('what stays deferred is tried again by itself, and its sender told when its time is over (RFC 5321 §4.5.4.1)', async () => {
  const { events, log } = recordingLog()
  const times = { retryFirst: '50ms', retryMax: '100ms', expire: '1s' } as const
  await using daemon = await startDaemon(await options({ queue: times }), { log })
  const results = daemon.agent.results()
  await submit(daemon, 'full@mailbox-full.test')
  const told: unknown[] = []
  while (told.length < 3) {
    const { value } = await results.next()
    told.push({ address: value?.address, outcome: value?.outcome, attempts: value?.attempts })
  }
  expect(told).toEqual([
    { address: 'full@mailbox-full.test', outcome: 'deferred', attempts: 1 },
    { address: 'full@mailbox-full.test', outcome: 'failed', attempts: 2 },
    { address: 'alice@sender.test', outcome: 'delivered', attempts: 1 },
  ])
  const [report] = await sandbox.received({ recipient: 'alice@sender.test' })
  expect(Buffer.from(report?.content ?? []).toString()).toMatch(/^Action: failed\r\nStatus: 4\.2\.2\r$/m)
  const settled = events.filter((event) => event.kind === 'settled')
  expect(settled.at(-1)).toMatchObject({ outcome: 'failed', state: 'gone', attempts: 2, reports: 1 })
})

test('mail of a domain that has moved is not left with the trouble of its former site', async () => {
  const given = await options()
  const to = ['moved1@moved.test', 'moved2@moved.test', 'moved3@moved.test', 'moved4@moved.test']
  const first = await startDaemon({ ...given, routes: { 'moved.test': '127.0.0.1:9' } })
  const before = first.agent.results()
  await submit(first, to)
  await before.next()
  await first.close()
  await using exchangers = await startExchangers(() => 0)
  await using second = await startDaemon({
    ...given,
    routes: { 'moved.test': exchangers.routes['plain.test'] ?? '' },
  })
  const after = second.agent.results()
  // As an operator does who has changed the route.
  await using visitor = await openSqliteQueue(given.queue?.dir ?? '')
  await visitor.retryNow({ kind: 'all' }, Date.now())
  const delivered = new Set<string>()
  while (delivered.size < to.length) {
    const { value } = await after.next()
    expect(value?.outcome).toBe('delivered')
    if (value !== undefined) delivered.add(value.address)
  }
  expect([...delivered].sort()).toEqual(to)
})

test('it is one daemon to a directory; the next may come when it has gone', async () => {
  const given = await options()
  const daemon = await startDaemon(given)
  await expect(startDaemon(given)).rejects.toThrow(QueueLockedError)
  expect(await daemon.close()).toBe(true)
  await (await startDaemon(given)).close()
})

test('a listener that cannot be had leaves nothing running', async () => {
  const given = await options()
  await using other = await startDaemon(await options())
  const submission = { listen: [...other.addresses] }
  await expect(startDaemon({ ...given, submission })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  // Neither lock nor thread is left.
  await (await startDaemon(given)).close()
})

test('an address that strangers reach is refused without certificate and users', async () => {
  const given = await options({ submission: { listen: ['192.0.2.1:25'] } })
  await expect(startDaemon(given)).rejects.toMatchObject({ code: 'ERR_CONFIG' })
})

test('closing twice is closing once, and start and end stand in the log', async () => {
  const { events, log } = recordingLog()
  const daemon = await startDaemon(await options(), { log })
  expect(await Promise.all([daemon.close(), daemon.close()])).toEqual([true, true])
  const acts = events.filter((event) => event.kind === 'service').map(({ act }) => act)
  expect(acts).toEqual(['started', 'stopping', 'stopped'])
})
