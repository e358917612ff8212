import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentSeams, createAgent, type QueueResult } from '../../src/agent.ts'
import type { AgentOptions } from '../../src/config/options.ts'
import { QueueLockedError, QueueUnwritableError } from '../../src/queue/errors.ts'
import { openSqliteQueue } from '../../src/queue/sqlite/store.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true, greylistSeconds: 0 })
})
afterAll(() => sandbox.close())

const options = (directory: string, queue: AgentOptions['queue'] = {}): AgentOptions => ({
  ...sandbox.agentOptions,
  queue: { dir: path.join(directory, 'queue'), ...queue },
})

const mailTo = (...to: string[]) => ({ from: 'alice@sender.test', to, subject: 'hi', text: 'hello' })

async function take(results: AsyncIterable<QueueResult>, count: number): Promise<QueueResult[]> {
  const taken: QueueResult[] = []
  for await (const result of results) {
    taken.push(result)
    if (taken.length === count) break
  }
  return taken
}

const receivedBy = async (recipient: string): Promise<number> =>
  (await sandbox.received({ recipient })).length

test('queued mail is on disk when enqueue resolves, and results tell what became of it', async () => {
  const directory = await temporaryDirectory()
  await using agent = createAgent(options(directory))
  const results = agent.results()
  const enqueued = await agent.enqueue(mailTo('queued1@accepts.test'))
  expect(enqueued).toEqual({
    queueId: '0001',
    entryIds: ['0001-1'],
    messageId: expect.stringMatching(/^<.*@sender\.test>$/),
    isRepeated: false,
  })
  expect(await take(results, 1)).toEqual([
    {
      entryId: '0001-1',
      queueId: '0001',
      messageId: enqueued.messageId,
      address: 'queued1@accepts.test',
      outcome: 'delivered',
      isFinal: true,
      uncertain: false,
      status: '2.6.0',
      diagnostic: expect.stringMatching(/^250 /),
      attempts: 1,
      dueAt: null,
      report: expect.objectContaining({ address: 'queued1@accepts.test', outcome: 'delivered' }),
    },
  ])
  expect(await receivedBy('queued1@accepts.test')).toBe(1)
})

test('a prepared mail can be queued as it is, and the same key queues it once', async () => {
  await using agent = createAgent(options(await temporaryDirectory()))
  const prepared = await agent.prepare(mailTo('once@accepts.test'))
  const results = agent.results()
  const first = await agent.enqueue(prepared, { idempotencyKey: 'order-17' })
  const second = await agent.enqueue(prepared, { idempotencyKey: 'order-17' })
  const other = await agent.enqueue(mailTo('other@accepts.test'))
  expect(second).toEqual({ ...first, isRepeated: true })
  const addresses = (await take(results, 2)).map(({ address }) => address).sort()
  expect(addresses).toEqual(['once@accepts.test', 'other@accepts.test'])
  expect(other.isRepeated).toBe(false)
  expect(await receivedBy('once@accepts.test')).toBe(1)
})

test('a key that is no text, or empty, is a mistake of the caller and queues nothing', async () => {
  await using agent = createAgent(options(await temporaryDirectory()))
  for (const key of ['', 17, { order: 17 }]) {
    const queued = agent.enqueue(mailTo('never@accepts.test'), { idempotencyKey: key as string })
    await expect(queued).rejects.toThrow(TypeError)
  }
})

test('what is deferred is tried again until it is delivered (RFC 5321 §4.5.4.1)', async () => {
  const directory = await temporaryDirectory()
  await using agent = createAgent(options(directory))
  const results = agent.results()
  await agent.enqueue(mailTo('patient@greylists.test'))
  const [deferred] = await take(agentResults(results), 1)
  expect(deferred).toMatchObject({ outcome: 'deferred', isFinal: false, status: '4.2.0', attempts: 1 })
  expect(Date.parse(deferred?.dueAt ?? '')).toBeGreaterThan(Date.now())
  // As an operator does it, from another process.
  await using visitor = await openSqliteQueue(path.join(directory, 'queue'))
  const [delivered] = await Promise.all([take(results, 1), visitor.retryNow({ kind: 'all' }, Date.now())])
  expect(delivered).toMatchObject([{ outcome: 'delivered', isFinal: true, attempts: 2 }])
})

/** `for await` would end the iteration that the test goes on with. */
function agentResults(results: AsyncIterableIterator<QueueResult>): AsyncIterable<QueueResult> {
  return { [Symbol.asyncIterator]: () => ({ next: () => results.next() }) }
}

test('a failure is final, and its sender is told by a report that is queued with it (RFC 5321 §6.1)', async () => {
  await using agent = createAgent(options(await temporaryDirectory()))
  const results = agent.results()
  await agent.enqueue(mailTo('nobody@unknown-mailbox.test'))
  expect(await take(results, 2)).toMatchObject([
    { address: 'nobody@unknown-mailbox.test', outcome: 'failed', isFinal: true, status: '5.1.1' },
    { address: 'alice@sender.test', outcome: 'delivered', isFinal: true },
  ])
  const [report] = await sandbox.received({ recipient: 'alice@sender.test' })
  expect(report?.reversePath).toBe('')
  expect(Buffer.from(report?.content ?? []).toString()).toMatch(
    /^Final-Recipient: rfc822; ?nobody@unknown-mailbox\.test\r$/m,
  )
})

test('what is left in the queue is delivered by the next agent that starts it', async () => {
  const directory = await temporaryDirectory()
  const seams: AgentSeams = {
    resolver: {
      resolveMx: () => new Promise(() => {}),
      resolveAddresses: () => new Promise(() => {}),
    } as never,
  }
  const first = createAgent(options(directory), seams)
  await first.enqueue(mailTo('later@accepts.test'))
  await first.close()
  expect(await receivedBy('later@accepts.test')).toBe(0)
  await using second = createAgent(options(directory))
  expect(await take(second.results(), 1)).toMatchObject([
    { address: 'later@accepts.test', outcome: 'delivered', attempts: 1, uncertain: false },
  ])
})

test('where another agent works on the directory, mail is handed over and results are refused', async () => {
  const directory = await temporaryDirectory()
  await using worker = createAgent(options(directory))
  await worker.startQueue()
  const results = worker.results()
  await using guest = createAgent(options(directory))
  await guest.enqueue(mailTo('handed@accepts.test'))
  expect(await take(results, 1)).toMatchObject([{ address: 'handed@accepts.test', outcome: 'delivered' }])
  await expect(guest.startQueue()).rejects.toThrow(QueueLockedError)
  await expect(guest.results().next()).rejects.toThrow(QueueLockedError)
})

test('results end with the agent, and with their signal', async () => {
  const directory = await temporaryDirectory()
  const agent = createAgent(options(directory))
  const ended = agent.results().next()
  const stop = new AbortController()
  const aborted = agent.results({ signal: stop.signal }).next()
  stop.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  await agent.close()
  expect(await ended).toEqual({ done: true, value: undefined })
})

test('nothing is queued where the directory cannot be written, nor what cannot be sent', async () => {
  await using agent = createAgent({ ...sandbox.agentOptions, queue: { dir: '/dev/null/queue' } })
  await expect(agent.enqueue(mailTo('x@accepts.test'))).rejects.toThrow(QueueUnwritableError)
  await using other = createAgent(options(await temporaryDirectory()))
  await expect(other.enqueue({ from: 'alice@sender.test', text: 'to nobody' })).rejects.toThrow(
    'no recipient',
  )
})
