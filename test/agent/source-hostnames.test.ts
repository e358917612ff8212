import { expect, test } from 'vitest'
import { createAgent } from '../../src/agent.ts'
import { serverWith } from '../delivery/servers.ts'

const mail = { from: 'alice@sender.test', to: 'bob@example.test', subject: 'hi', text: 'hello' }

/** Our addresses as the server has seen them, each with the name given there, in EHLO or HELO. */
async function namesFrom(sourceHostnames: Readonly<Record<string, string>>, EHLO?: string) {
  await using server = await serverWith(EHLO === undefined ? {} : { EHLO })
  await using agent = createAgent({
    hostname: 'mail.sender.test',
    sourceAddresses: ['127.0.0.2', '127.0.0.3'],
    sourceHostnames,
    delivery: { messagesPerSession: 1 },
    routes: { 'example.test': `${server.address}:${server.port}` },
  })
  for (let time = 0; time < 2; time++) {
    expect((await agent.send(mail)).counts).toEqual({ delivered: 1, deferred: 0, failed: 0 })
  }
  return Object.fromEntries(
    server.conversations.map(({ remoteAddress, commands }) => [
      remoteAddress,
      commands.filter((command) => /^(EHLO|HELO) /.test(command)),
    ]),
  )
}

test('each source address gives the name that is configured for it, others the host’s', async () => {
  expect(await namesFrom({ '127.0.0.2': 'mx2.sender.test' })).toEqual({
    '127.0.0.2': ['EHLO mx2.sender.test'],
    '127.0.0.3': ['EHLO mail.sender.test'],
  })
})

test('in HELO too, and an address is the same in every spelling', async () => {
  const names = { '::ffff:127.0.0.2': 'mx2.sender.test', '127.0.0.3': 'mx3.sender.test' }
  expect(await namesFrom(names, '502 5.5.1 what')).toEqual({
    '127.0.0.2': ['EHLO mx2.sender.test', 'HELO mx2.sender.test'],
    '127.0.0.3': ['EHLO mx3.sender.test', 'HELO mx3.sender.test'],
  })
})
