/** The life of a transport: idle and busy, its agent's owner, the queue behind it, its end. */
import { once } from 'node:events'
import path from 'node:path'
import nodemailer from 'nodemailer'
import { afterAll, expect, test } from 'vitest'
import { createTransport } from '../../src/adapters/nodemailer.ts'
import { createAgent } from '../../src/agent.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { startHeldExchanger } from '../cli/held-exchanger.ts'
import { connectionsTo } from '../cli/sending.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const sandbox = await startSandbox({ removeMail: true })
afterAll(() => sandbox.close())

const mail = { from: 'alice@sender.test', subject: 'hi', text: 'hello' }

test('it is idle, is not while it has as many messages as it was told, and says once when it is again', async () => {
  await using held = await startHeldExchanger()
  const routes = { 'held.test': `127.0.0.1:${held.port}` }
  await using transport = createTransport({ ...sandbox.agentOptions, routes }, { idleBelow: 2 })
  const transporter = nodemailer.createTransport(transport)
  let idles = 0
  transporter.on('idle', () => idles++)
  await once(transporter, 'idle')
  const first = transporter.sendMail({ ...mail, to: 'a@held.test' })
  await held.reached
  expect(transporter.isIdle()).toBe(true)
  const second = transporter.sendMail({ ...mail, to: 'b@held.test' })
  // nodemailer hands it over a little later.
  await expect.poll(() => transporter.isIdle()).toBe(false)
  const idleAgain = once(transporter, 'idle')
  held.accept()
  await idleAgain
  expect(transporter.isIdle()).toBe(true)
  await Promise.all([first, second])
  await transport.close()
  expect(idles).toBe(2)
})

test('without a relay verify checks the options and connects to nobody, with a promise or a callback', async () => {
  await using transport = createTransport(sandbox.agentOptions)
  const transporter = nodemailer.createTransport(transport)
  const asked = () => [...sandbox.statistics.queries.values()].reduce((sum, count) => sum + count, 0)
  const before = [asked(), connectionsTo(sandbox)]
  expect(await transporter.verify()).toBe(true)
  const called = await new Promise((resolve) =>
    transporter.verify((error, success) => resolve([error, success])),
  )
  expect(called).toEqual([null, true])
  expect([asked(), connectionsTo(sandbox)]).toEqual(before)
})

test('an agent that it was given goes on after it; one of its own is closed with it', async () => {
  await using agent = createAgent(sandbox.agentOptions)
  const transporter = nodemailer.createTransport(createTransport(agent))
  await transporter.sendMail({ ...mail, to: 'given@accepts.test' })
  await transporter.close()
  await expect(transporter.sendMail({ ...mail, to: 'late@accepts.test' })).rejects.toMatchObject({
    code: 'ECONNECTION',
    message: expect.stringContaining('closed'),
  })
  await expect(transporter.verify()).rejects.toThrow('closed')
  expect(transporter.isIdle()).toBe(false)
  expect(await agent.send({ ...mail, to: 'still@accepts.test' })).toMatchObject({ counts: { delivered: 1 } })
})

test.each(['its own', 'a given'])('close waits for what is being sent by %s agent', async (whose) => {
  await using held = await startHeldExchanger()
  const options = { ...sandbox.agentOptions, routes: { 'held.test': `127.0.0.1:${held.port}` } }
  await using agent = createAgent(options)
  const transport = createTransport(whose === 'its own' ? options : agent)
  const order: string[] = []
  const sending = nodemailer
    .createTransport(transport)
    .sendMail({ ...mail, to: 'a@held.test' })
    .then(() => order.push('sent'))
  await held.reached
  const closing = transport.close().then(() => order.push('closed'))
  held.accept()
  await Promise.all([sending, closing])
  expect(order).toEqual(['sent', 'closed'])
})

test('with `queue` it resolves when the message is on disk, and the same key queues it once', async () => {
  const queue = { dir: path.join(await temporaryDirectory(), 'queue') }
  await using agent = createAgent({ ...sandbox.agentOptions, queue })
  const results = agent.results()
  const transporter = nodemailer.createTransport(createTransport(agent, { queue: true }))
  const message = { ...mail, to: 'queued@accepts.test', idempotencyKey: 'order-4711' }
  const info = await transporter.sendMail(message)
  expect(info).toMatchObject({
    accepted: ['queued@accepts.test'],
    rejected: [],
    response: `250 2.0.0 Ok: queued as ${info.queueId}`,
  })
  expect(await transporter.sendMail(message)).toMatchObject({ queueId: info.queueId })
  const { value } = await results.next()
  expect(value).toMatchObject({ queueId: info.queueId, outcome: 'delivered' })
  expect(await sandbox.received({ recipient: 'queued@accepts.test' })).toHaveLength(1)
})

test('wishes about reports go out with the envelope (RFC 3461)', async () => {
  await using server = await ScriptedServer.start(ordinary({ offers: ['DSN'] }))
  const routes = { 'dsn.test': `127.0.0.1:${server.port}` }
  await using transport = createTransport({ ...sandbox.agentOptions, routes })
  await nodemailer.createTransport(transport).sendMail({
    ...mail,
    to: 'b@dsn.test',
    dsn: {
      id: 'order+4711',
      return: 'headers',
      notify: ['success', 'delay'],
      recipient: 'first@sender.test',
    },
  })
  const said = server.conversation.commands.filter((command) => /^(MAIL|RCPT)/.test(command))
  expect(said).toEqual([
    'MAIL FROM:<alice@sender.test> RET=HDRS ENVID=order+2B4711',
    'RCPT TO:<b@dsn.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first@sender.test',
  ])
})

test('with an empty `from` in the envelope the reverse-path is null', async () => {
  await using transport = createTransport(sandbox.agentOptions)
  const info = await nodemailer
    .createTransport(transport)
    .sendMail({ ...mail, to: 'x@accepts.test', envelope: { from: '', to: 'null@accepts.test' } })
  expect(info.envelope).toEqual({ from: false, to: ['null@accepts.test'] })
  expect(await sandbox.received({ recipient: 'null@accepts.test' })).toMatchObject([{ reversePath: '' }])
})

test('one message to many recipients is held once', async () => {
  const to = Array.from({ length: 300 }, (_, at) => `many${at}@accepts.test`)
  await using agent = createAgent(sandbox.agentOptions)
  const contents = new Set<unknown>()
  const watched: typeof agent = Object.create(agent, {
    prepare: { value: agent.prepare.bind(agent) },
    close: { value: agent.close.bind(agent) },
    deliver: {
      value: (...[message, envelope, options]: Parameters<typeof agent.deliver>) => {
        contents.add(message.content)
        return agent.deliver(message, envelope, options)
      },
    },
  })
  const info = await nodemailer.createTransport(createTransport(watched)).sendMail({ ...mail, to })
  expect(info.accepted.toSorted()).toEqual(to.toSorted())
  expect(contents.size).toBe(1)
})
