/** What users of the transport are told when mail does not get through, or was never fit to be sent. */
import { Readable } from 'node:stream'
import nodemailer, { type SendMailOptions } from 'nodemailer'
import { afterAll, describe, expect, test } from 'vitest'
import {
  AbortedError,
  createTransport,
  DeliveryError,
  TransportError,
} from '../../src/adapters/nodemailer.ts'
import type { AgentOptions } from '../../src/config/options.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { startHeldExchanger } from '../cli/held-exchanger.ts'
import { connectionsTo } from '../cli/sending.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary, silence } from '../support/scripted-steps.ts'

const sandbox = await startSandbox({ removeMail: true })
afterAll(() => sandbox.close())

const mail = { from: 'alice@sender.test', subject: 'hi', text: 'hello' }

/** What `sendMail` rejects with. */
async function failure(message: SendMailOptions, options: AgentOptions = {}): Promise<unknown> {
  await using transport = createTransport({ ...sandbox.agentOptions, ...options })
  return await nodemailer
    .createTransport(transport)
    .sendMail({ ...mail, ...message })
    .then(
      (info) => expect.fail(`it was accepted: ${info.response}`),
      (error: unknown) => error,
    )
}

test.each([
  ['unknown-mailbox.test', { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, permanent: true }],
  ['mailbox-full.test', { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 452, permanent: false }],
  ['rejects-content.test', { code: 'EMESSAGE', command: 'DATA', responseCode: 554, permanent: true }],
  ['refuses-mail.test', { code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 550, permanent: true }],
  ['refuses-connections.test', { code: 'ESOCKET', command: 'CONN', permanent: false }],
  ['no-such-domain.test', { code: 'EDNS', command: 'API', permanent: true }],
  ['null-mx.test', { code: 'EENVELOPE', command: 'API', permanent: true }],
  ['dns-servfail.test', { code: 'EDNS', command: 'API', permanent: false }],
  ['drops-after-dot.test', { code: 'ECONNECTION', command: 'DATA', permanent: false }],
])('%s fails with the code that nodemailer would give', async (domain, expected) => {
  const error = await failure({ to: `user@${domain}` })
  expect(error).toBeInstanceOf(DeliveryError)
  expect(error).toMatchObject(expected)
  const { rejected, pending } = error as DeliveryError
  expect({ rejected, pending }).toEqual(
    expected.permanent
      ? { rejected: [`user@${domain}`], pending: [] }
      : { rejected: [], pending: [`user@${domain}`] },
  )
})

test('the message names the server and its words, fit to be logged; `response` has them as they came', async () => {
  await using server = await ScriptedServer.start(ordinary({ RCPT: '550 5.7.1 \x1b[2Jno' }))
  const error = await failure(
    { to: 'user@refuses.test' },
    { routes: { 'refuses.test': `127.0.0.1:${server.port}` } },
  )
  expect(error).toMatchObject({
    message: `Can't send mail to user@refuses.test: [127.0.0.1]:${server.port}: 550 5.7.1 \\x1b[2Jno`,
    response: '550 5.7.1 \x1b[2Jno',
  })
  const refused = await failure({ to: 'user@no-such-domain.test' })
  expect(refused).toMatchObject({ message: expect.stringMatching(/^Can't send mail to \S+: The domain /) })
  expect(refused).not.toHaveProperty('response')
})

test('lost after the final dot: the error says that the message may have arrived', async () => {
  const error = await failure({ to: 'user@drops-after-dot.test' })
  expect(error).toMatchObject({
    pendingErrors: [{ uncertain: true, recipient: 'user@drops-after-dot.test' }],
  })
})

test('a host that turns us away before a transaction: EPROTOCOL, and not for good', async () => {
  await using server = await ScriptedServer.start(ordinary({ greeting: '554 5.7.1 not you' }))
  const routes = { 'refuses.test': `127.0.0.1:${server.port}` }
  expect(await failure({ to: 'user@refuses.test' }, { routes })).toMatchObject({
    code: 'EPROTOCOL',
    command: 'CONN',
    responseCode: 554,
    permanent: false,
  })
})

test('TLS that is required and not to be had is ETLS, a server that says nothing ETIMEDOUT', async () => {
  expect(await failure({ to: 'user@no-tls.test' }, { tls: { mode: 'required' } })).toMatchObject({
    code: 'ETLS',
  })
  await using silent = await ScriptedServer.start(silence)
  const options = { routes: { 'silent.test': `127.0.0.1:${silent.port}` }, timeouts: { greeting: '50ms' } }
  expect(await failure({ to: 'user@silent.test' }, options)).toMatchObject({
    code: 'ETIMEDOUT',
    command: 'CONN',
  })
})

test('of several, what may succeed later is told first, and the whole is not permanent', async () => {
  const error = await failure({ to: ['a@unknown-mailbox.test', 'b@mailbox-full.test'] })
  expect(error).toMatchObject({
    responseCode: 452,
    permanent: false,
    message: expect.stringMatching(
      /^Can't send mail, no recipient accepted it; .*b@mailbox-full\.test: mx\.mailbox-full\.test \[.*: 452 /,
    ),
    rejectedErrors: [{ responseCode: 550 }],
    recipients: [expect.anything(), expect.anything()],
  })
})

describe('refused before anybody was connected to:', () => {
  test.each<[string, SendMailOptions, string, RegExp]>([
    ['no recipient', {}, 'EENVELOPE', /No recipients defined/],
    ['a recipient that is none', { envelope: { from: 'a@sender.test', to: 'no address' } }, 'EENVELOPE', /./],
    [
      'a raw message that is none',
      { raw: 'not a header\r\n', envelope: { from: 'a@sender.test', to: 'b@accepts.test' } },
      'EMESSAGE',
      /header/,
    ],
    [
      'an attachment that is not there',
      { to: 'b@accepts.test', attachments: [{ path: '/nonexistent/file' }] },
      'ENOENT',
      /nonexistent/,
    ],
    ['REQUIRETLS', { to: 'b@accepts.test', requireTLSExtensionEnabled: true }, 'EREQUIRETLS', /RFC 8689/],
    [
      'an idempotency key that is none',
      { to: 'b@accepts.test', idempotencyKey: 5 } as SendMailOptions,
      'ECONFIG',
      /text that is not empty, got `5`/,
    ],
    ['NOTIFY that is none', { to: 'b@accepts.test', dsn: { notify: 'sometimes' } }, 'EENVELOPE', /NOTIFY/],
    ['RET that is none', { to: 'b@accepts.test', dsn: { return: 'half' } }, 'EENVELOPE', /RET/],
  ])('%s', async (_what, message, code, words) => {
    const before = connectionsTo(sandbox)
    const error = await failure(message)
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) })
    expect(connectionsTo(sandbox)).toBe(before)
  })
})

test('a log that cannot be written is found by verify, and by send before anything is sent', async () => {
  await using transport = createTransport({
    ...sandbox.agentOptions,
    log: { file: '/nonexistent/mxpress.log' },
  })
  const transporter = nodemailer.createTransport(transport)
  await expect(transporter.verify()).rejects.toThrow(/nonexistent/)
  await expect(transporter.sendMail({ ...mail, to: 'a@accepts.test' })).rejects.toThrow(/nonexistent/)
})

describe('its signal', () => {
  test('stops a message that has not begun, and nobody is connected to', async () => {
    await using transport = createTransport(sandbox.agentOptions)
    const before = connectionsTo(sandbox)
    const signal = AbortSignal.abort()
    // Not by way of nodemailer, which would not even call.
    const never = { message: null, data: { signal } }
    await expect(new Promise((_, reject) => transport.send(never, reject))).rejects.toBeInstanceOf(
      TransportError,
    )
    const sending = nodemailer.createTransport(transport).sendMail({ ...mail, to: 'a@accepts.test', signal })
    await expect(sending).rejects.toMatchObject({ code: 'EABORT' })
    expect(connectionsTo(sandbox)).toBe(before)
  })

  test('stops the reading of an attachment that has no end', async () => {
    await using transport = createTransport(sandbox.agentOptions)
    const content = new Readable({ read: () => {} })
    content.push('beginning')
    const stopping = new AbortController()
    const sending = nodemailer.createTransport(transport).sendMail({
      ...mail,
      to: 'a@accepts.test',
      attachments: [{ filename: 'a.bin', content }],
      signal: stopping.signal,
    })
    setImmediate(() => stopping.abort())
    await expect(sending).rejects.toMatchObject({ code: 'EABORT' })
    await expect.poll(() => content.destroyed).toBe(true)
  })

  test('waits for the word of a server that has the message, and tells of it', async () => {
    await using held = await startHeldExchanger()
    const routes = { 'held.test': `127.0.0.1:${held.port}` }
    await using transport = createTransport({ ...sandbox.agentOptions, routes })
    const stopping = new AbortController()
    const to = ['a@held.test', 'b@refuses-connections.test']
    const sending = nodemailer.createTransport(transport).sendMail({ ...mail, to, signal: stopping.signal })
    sending.catch(() => {})
    await held.reached
    stopping.abort()
    held.accept()
    await expect(sending).rejects.toBeInstanceOf(AbortedError)
    await expect(sending).rejects.toMatchObject({
      name: 'AbortError',
      code: 'EABORT',
      accepted: ['a@held.test'],
      pending: ['b@refuses-connections.test'],
    })
  })
})

test.each([
  [{ que: true }, /unknown option `que`/],
  [{ queue: 'yes' }, /`queue` to be true or false, got `yes`/],
  [{ idleBelow: 0 }, /`idleBelow` to be a whole number from 1, got `0`/],
])('a wrong option is a TypeError at once: %j', (options, words) => {
  expect(() => createTransport(sandbox.agentOptions, options as never)).toThrow(words)
  expect(() => createTransport({ hostnam: 'x' } as never)).toThrow(TypeError)
})
