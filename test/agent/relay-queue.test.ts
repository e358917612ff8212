/** The queue and a relay: what waits for it shares transactions, and a refused login is nobody's bounce. */
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createAgent } from '../../src/agent.ts'
import type { AgentOptions } from '../../src/config/options.ts'
import { saslServer } from '../support/sasl-server.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

async function relayWith(answers: Answers = {}): Promise<ScriptedServer> {
  return scripted(ordinary({ offers: ['PIPELINING', 'AUTH CRAM-MD5'], ...answers }))
}

async function agentFor(server: ScriptedServer, options: AgentOptions = {}) {
  const agent = createAgent({
    hostname: 'sender.test',
    queue: { dir: path.join(await temporaryDirectory(), 'queue'), retryFirst: '1h' },
    ...options,
    relay: { host: server.address, port: server.port, tls: 'off', ...options.relay },
  })
  onTestFinished(() => agent.close())
  return agent
}

const members = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `member${at}@d${at % 10}.test`)

test('recipients of a message that waits in the queue share transactions', async () => {
  const server = await relayWith()
  const agent = await agentFor(server)
  const to = members(600)
  const results = agent.results()
  await agent.enqueue({ from: 'alice@sender.test', to, subject: 'hi', text: 'hello' })
  let delivered = 0
  for await (const { outcome } of results) {
    expect(outcome).toBe('delivered')
    if (++delivered === to.length) break
  }
  const commands = server.conversations.flatMap((one) => one.commands)
  expect(commands.filter((line) => line.startsWith('RCPT'))).toHaveLength(to.length)
  const transactions = commands.filter((line) => line.startsWith('MAIL')).length
  expect(transactions).toBeLessThanOrEqual(to.length / 10)
})

test('a login that the relay refuses leaves them waiting', async () => {
  const sasl = saslServer({ user: 'me', password: 'right' })
  const server = await relayWith({ AUTH: sasl.AUTH })
  const agent = await agentFor(server, { relay: { user: 'me', password: () => 'wrong' } })
  const results = agent.results()
  await agent.enqueue({ from: 'alice@sender.test', to: members(20), subject: 'hi', text: 'hello' })
  const { value: first } = await results.next()
  expect(first).toMatchObject({
    outcome: 'deferred',
    isFinal: false,
    status: '5.7.8',
    report: { stage: 'auth' },
  })
  // The others wait for the site, which has shown that nobody gets in.
  expect(sasl.tried.length).toBeLessThanOrEqual(2)
  await results.return?.()
})

test.each(['530 5.7.0 authentication required', '530 5.7.0 must issue a STARTTLS command first'])(
  'a relay that lets nobody begin leaves them waiting, and is asked by one of them at a time: %s',
  async (MAIL) => {
    const server = await relayWith({ offers: ['PIPELINING'], MAIL })
    const agent = await agentFor(server)
    const results = agent.results()
    await agent.enqueue({ from: 'alice@sender.test', to: members(20), subject: 'hi', text: 'hello' })
    const { value: first } = await results.next()
    expect(first).toMatchObject({ outcome: 'deferred', isFinal: false, report: { stage: 'auth' } })
    await results.return?.()
    await agent.close()
    // What was leased before the first answer came.
    const commands = server.conversations.flatMap((one) => one.commands)
    expect(commands.filter((line) => line.startsWith('MAIL')).length).toBeLessThanOrEqual(2)
  },
)

test('a login that was refused is not tried again for other mail, but when the relay is checked', async () => {
  const sasl = saslServer({ user: 'me', password: 'right' })
  const server = await relayWith({ AUTH: sasl.AUTH })
  const agent = await agentFor(server, { relay: { user: 'me', password: () => 'wrong' } })
  const mail = { from: 'alice@sender.test', to: 'bob@d0.test', subject: 'hi', text: 'hello' }
  for (let times = 0; times < 3; times++) {
    expect((await agent.send(mail)).counts).toEqual({ delivered: 0, deferred: 1, failed: 0 })
  }
  expect(sasl.tried).toHaveLength(1)
  await agent.checkRelays()
  expect(sasl.tried).toHaveLength(2)
})
