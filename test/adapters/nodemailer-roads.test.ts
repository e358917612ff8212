/** What an agent does to every message and on every road, when the message comes from nodemailer: signing, and a relay. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import nodemailer from 'nodemailer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createTransport } from '../../src/adapters/nodemailer.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { makeKey, verify } from '../support/dkim-keys.ts'
import { saslServer } from '../support/sasl-server.ts'
import { scripted } from '../support/scripted.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary, silence } from '../support/scripted-steps.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const mail = { from: 'Alice <alice@sender.test>', subject: 'Grüße', text: 'Hello\n' }
const ours = makeKey('sender.test', 'ours', 'ed25519')
const theirs = makeKey('sender.test', 'theirs', 'rsa')

test('the agent signs what nodemailer composes, also what nodemailer has signed', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const { selector, keyFile } = ours
  await using transport = createTransport({
    ...sandbox.agentOptions,
    dkim: { 'sender.test': { selector, keyFile } },
  })
  const transporter = nodemailer.createTransport(transport)
  const privateKey = await readFile(theirs.keyFile, 'utf8')
  const signed = { domainName: 'sender.test', keySelector: theirs.selector, privateKey }
  await transporter.sendMail({ ...mail, to: 'ours@accepts.test' })
  await transporter.sendMail({ ...mail, to: 'both@accepts.test', dkim: signed })
  const verdicts = async (recipient: string) => {
    const [received] = await sandbox.received({ recipient })
    return verify(received?.content ?? new Uint8Array(), [ours, theirs])
  }
  expect(await verdicts('ours@accepts.test')).toEqual(['pass sender.test ours'])
  expect((await verdicts('both@accepts.test')).toSorted()).toEqual([
    'pass sender.test ours',
    'pass sender.test theirs',
  ])
})

test('a relay takes the message after login; a refused login is EAUTH, and not for good', async () => {
  const sasl = saslServer({ user: 'me', password: 'right' })
  const server = await scripted(ordinary({ offers: ['AUTH CRAM-MD5'], AUTH: sasl.AUTH }))
  const passwordFile = path.join(await temporaryDirectory(), 'secret')
  await writeFile(passwordFile, 'right\n', { mode: 0o600 })
  await using transport = createTransport({
    hostname: 'sender.test',
    relay: { host: '127.0.0.1', port: server.port, tls: 'off', user: 'me', passwordFile },
  })
  const transporter = nodemailer.createTransport(transport)
  const to = 'bob@anywhere.test'
  expect(await transporter.sendMail({ ...mail, to })).toMatchObject({
    accepted: [to],
    response: '250 2.0.0 taken',
  })
  await writeFile(passwordFile, 'wrong\n')
  await using later = createTransport({
    hostname: 'sender.test',
    relay: { host: '127.0.0.1', port: server.port, tls: 'off', user: 'me', passwordFile },
  })
  const error = await nodemailer
    .createTransport(later)
    .sendMail({ ...mail, to })
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    code: 'EAUTH',
    command: 'AUTH',
    responseCode: 535,
    permanent: false,
    pending: [to],
  })
  expect(JSON.stringify(error)).not.toContain('wrong')
})

describe('verify of a transport with a relay', () => {
  const relayed = (port: number, password: string, more: object = {}) => {
    const relay = { host: '127.0.0.1', port, tls: 'off', user: 'me', password: () => password } as const
    const transport = createTransport({ hostname: 'sender.test', relay, ...more })
    onTestFinished(() => transport.close())
    return nodemailer.createTransport(transport)
  }
  const startRelay = async () => {
    const sasl = saslServer({ user: 'me', password: 'right' })
    return scripted(ordinary({ offers: ['AUTH CRAM-MD5'], AUTH: sasl.AUTH }))
  }
  const complaint = (verifying: Promise<unknown>) => verifying.catch((error: unknown) => error)

  test('logs in and says QUIT, and sends nothing', async () => {
    const server = await startRelay()
    expect(await relayed(server.port, 'right').verify()).toBe(true)
    const verbs = server.conversation.commands.map((line) => line.split(' ')[0])
    expect([verbs[0], verbs[1], verbs.at(-1)]).toEqual(['EHLO', 'AUTH', 'QUIT'])
    expect(verbs).not.toContain('MAIL')
  })

  test('rejects with EAUTH and the words of a relay that refuses the login, tried once', async () => {
    const server = await startRelay()
    const error = await complaint(relayed(server.port, 'wrong').verify())
    expect(error).toMatchObject({ name: 'RelayError', code: 'EAUTH', command: 'AUTH', responseCode: 535 })
    expect(server.conversations).toHaveLength(1)
    expect(`${error} ${JSON.stringify(error)}`).not.toContain('wrong')
  })

  test('rejects with ESOCKET, as the SMTP transport does, when nobody listens there', async () => {
    const gone = await startRelay()
    const { port } = gone
    await gone.close()
    expect(await complaint(relayed(port, 'right').verify())).toMatchObject({
      code: 'ESOCKET',
      command: 'CONN',
      message: expect.stringContaining(`Can't use the relay 127.0.0.1:${port}: [127.0.0.1]:${port}: `),
    })
  })

  test('rejects with ECONNECTION when the relay hangs up', async () => {
    await using server = await ScriptedServer.start(async (client) => client.close())
    expect(await complaint(relayed(server.port, 'right').verify())).toMatchObject({ code: 'ECONNECTION' })
  })

  test('finds a fallback relay, and one of a route, that refuses the login', async () => {
    const server = await startRelay()
    const other = await startRelay()
    const wrong = { host: '127.0.0.1', port: other.port, tls: 'off', user: 'me', password: () => 'no' }
    for (const more of [{ fallbackRelay: wrong }, { routes: { 'partner.test': wrong } }]) {
      expect(await complaint(relayed(server.port, 'right', more).verify())).toMatchObject({
        code: 'EAUTH',
        message: expect.stringContaining(`the relay 127.0.0.1:${other.port}`),
      })
    }
  })

  test('ends when the transport is closed, however long the relay is silent', async () => {
    await using server = await ScriptedServer.start([silence])
    const transport = createTransport({
      hostname: 'sender.test',
      relay: { host: '127.0.0.1', port: server.port, tls: 'off' },
    })
    const verifying = complaint(transport.verify())
    await expect.poll(() => server.conversations.length).toBe(1)
    await transport.close()
    expect(String(await verifying)).toContain('closed')
  })
})
