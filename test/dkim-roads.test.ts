/** Every way that a message can take out of the house, and whether it is signed when it arrives. */
import { copyFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, describe, expect, test } from 'vitest'
import { type AgentOptions, createAgent, messageFromBytes, parseAddress, startDaemon } from '../src/index.ts'
import type { LogEvent } from '../src/log/events.ts'
import { type Log, silentLog } from '../src/log/log.ts'
import { openSqliteQueue } from '../src/queue/sqlite/store.ts'
import { startSandbox } from '../src/sandbox/sandbox.ts'
import { run, start } from './cli/run.ts'
import { intoSandbox } from './cli/sending.ts'
import { makeKey, type TestKey, verify } from './support/dkim-keys.ts'
import { temporaryDirectory } from './support/temporary-directory.ts'

const sandbox = await startSandbox({ removeMail: true })
afterAll(() => sandbox.close())

const rsa = makeKey('sender.test', 'rsa1', 'rsa')
const ed25519 = makeKey('sender.test', 'ed1', 'ed25519')
const keys = [rsa, ed25519]
const bothPass = ['pass sender.test rsa1', 'pass sender.test ed1']
const dkim = {
  'sender.test': { keys: keys.map(({ selector, keyFile }) => ({ selector, keyFile })) },
}

const options = async (rest: AgentOptions = {}): Promise<AgentOptions> => ({
  ...sandbox.agentOptions,
  dkim,
  submission: { listen: ['127.0.0.1:0'] },
  ...rest,
  queue: { dir: path.join(await temporaryDirectory(), 'queue'), ...rest.queue },
})

/** A directory with a configuration that signs. */
async function configured(): Promise<string> {
  const cwd = await temporaryDirectory()
  const tables = keys.map(({ selector, keyFile }) => `{ selector = "${selector}", keyFile = "${keyFile}" }`)
  await writeFile(path.join(cwd, 'mxpress.toml'), `[dkim."sender.test"]\nkeys = [${tables.join(', ')}]\n`)
  return cwd
}

const mail = { from: 'alice@sender.test', subject: 'Hi', text: 'Hello\n' }
const raw = (to: string, body = 'Hello') =>
  `From: alice@sender.test\r\nTo: ${to}\r\nSubject: Hi\r\n\r\n${body}\r\n`

async function arrivedAt(recipient: string): Promise<Uint8Array> {
  const [received, ...others] = await sandbox.received({ recipient })
  expect(others).toEqual([])
  return received?.content ?? new Uint8Array()
}

const verdicts = async (recipient: string) => verify(await arrivedAt(recipient), keys)

describe('a message arrives signed', () => {
  test('from `send`', async () => {
    await using agent = createAgent(await options())
    await agent.send({ ...mail, to: 'send@accepts.test' })
    expect(await verdicts('send@accepts.test')).toEqual(bothPass)
  })

  test('raw', async () => {
    await using agent = createAgent(await options())
    await agent.send({ raw: raw('raw@accepts.test') })
    expect(await verdicts('raw@accepts.test')).toEqual(bothPass)
  })

  test('prepared, then delivered or queued', async () => {
    await using agent = createAgent(await options())
    const results = agent.results()
    for (const to of ['prepared@accepts.test', 'prepared-queued@accepts.test']) {
      const prepared = await agent.prepare({ ...mail, to })
      if (to.startsWith('prepared@'))
        for await (const _ of agent.deliver(prepared.message, prepared.envelope));
      else await agent.enqueue(prepared).then(() => results.next())
      expect(await verdicts(to)).toEqual(bothPass)
    }
  })

  test('made elsewhere, then delivered or queued', async () => {
    await using agent = createAgent(await options())
    const results = agent.results()
    for (const to of ['made@accepts.test', 'made-queued@accepts.test']) {
      const message = messageFromBytes(Buffer.from(raw(to)))
      const envelope = {
        reversePath: parseAddress('alice@sender.test'),
        recipients: [{ address: parseAddress(to), field: 'to' as const }],
      }
      if (to.startsWith('made@')) for await (const _ of agent.deliver(message, envelope));
      else await agent.enqueue({ message, envelope }).then(() => results.next())
      expect(await verdicts(to)).toEqual(bothPass)
    }
  })

  test('from `enqueue`, with an attachment that lies in a file of the queue', async () => {
    await using agent = createAgent(await options())
    const results = agent.results()
    const attachments = [{ filename: 'a.bin', content: Buffer.alloc(500_000, 1) }]
    await agent.enqueue({ ...mail, to: 'enqueued@accepts.test', attachments })
    expect((await results.next()).value).toMatchObject({ outcome: 'delivered' })
    expect(await verdicts('enqueued@accepts.test')).toEqual(bothPass)
  })

  test('handed in over SMTP', async () => {
    await using daemon = await startDaemon(await options())
    const results = daemon.agent.results()
    const port = Number(daemon.addresses[0]?.split(':').at(-1))
    await createTransport({ host: '127.0.0.1', port, ignoreTLS: true }).sendMail({
      ...mail,
      to: 'submitted@accepts.test',
    })
    await results.next()
    expect(await verdicts('submitted@accepts.test')).toEqual(bothPass)
  })

  test('from the command line', async () => {
    const to = 'command@accepts.test'
    const args = ['send', ...intoSandbox(sandbox), '--raw', '-']
    const { code, stderr } = await run(args, { cwd: await configured(), stdin: raw(to) })
    expect([code, stderr]).toEqual([0, ''])
    expect(await verdicts(to)).toEqual(bothPass)
  })

  test('from sendmail(8), text and -bs, by way of the daemon', async () => {
    const cwd = await configured()
    const env = { MXPRESS_HOSTNAME: 'sender.test' }
    const [text, session] = ['sendmail@accepts.test', 'bs@accepts.test']
    expect((await run(['sendmail', '-t'], { cwd, env, stdin: raw(text) })).code).toBe(0)
    const dialogue = `EHLO x\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<${session}>\r\nDATA\r\n${raw(session)}.\r\nQUIT\r\n`
    expect((await run(['sendmail', '-bs'], { cwd, env, stdin: dialogue })).stdout).toContain('queued as')
    const queue = { dir: path.join(cwd, 'queue') }
    await using agent = createAgent({ ...sandbox.agentOptions, queue })
    const results = agent.results()
    await results.next()
    await results.next()
    expect([await verdicts(text), await verdicts(session)]).toEqual([bothPass, bothPass])
  })

  test('as a report to its sender (RFC 3464)', async () => {
    await using agent = createAgent(await options())
    const results = agent.results()
    await agent.enqueue({ ...mail, from: 'reported@sender.test', to: 'nobody@unknown-mailbox.test' })
    await results.next()
    await results.next()
    const report = Buffer.from(await arrivedAt('reported@sender.test')).toString()
    expect(report).toMatch(/^From: .*<MAILER-DAEMON@sender\.test>\r$/m)
    expect(await verdicts('reported@sender.test')).toEqual(bothPass)
  })

  test('converted to 7 bits for the exchanger without 8BITMIME, and as it was to the others (RFC 6152 §3)', async () => {
    for (const road of ['send', 'queue'] as const) {
      await using agent = createAgent(await options())
      const results = agent.results()
      const [seven, eight] = [`${road}@no-8bitmime.test`, `${road}-8@accepts.test`]
      const eightBit = { raw: raw(`${seven}, ${eight}`, 'Grüße') }
      if (road === 'send') await agent.send(eightBit)
      else
        await agent
          .enqueue(eightBit)
          .then(() => results.next())
          .then(() => results.next())
      expect([await verdicts(seven), await verdicts(eight)]).toEqual([bothPass, bothPass])
      expect(Buffer.from(await arrivedAt(seven)).toString()).toContain('Gr=C3=BC=C3=9Fe')
      expect(Buffer.from(await arrivedAt(eight)).toString()).toContain('Grüße')
    }
  })
})

test('everybody gets the same octets, at once or at a retry, also of another agent that has no keys', async () => {
  const given = await options()
  const to = ['same1@accepts.test', 'same2@chunking.test', 'same3@no-pipelining.test']
  const first = createAgent({ ...given, routes: { 'no-pipelining.test': '127.0.0.1:9' } })
  const before = first.results()
  await first.enqueue({ ...mail, to })
  for (const _ of to) await before.next()
  await first.close()
  const { dkim: _, ...withoutKeys } = given
  await using second = createAgent(withoutKeys)
  const after = second.results()
  await using visitor = await openSqliteQueue(given.queue?.dir ?? '')
  await visitor.retryNow({ kind: 'all' }, Date.now())
  expect((await after.next()).value).toMatchObject({ outcome: 'delivered' })
  const copies = await Promise.all(to.map(arrivedAt))
  expect(new Set(copies.map((copy) => Buffer.from(copy).toString('latin1'))).size).toBe(1)
  expect(await verify(copies[0] ?? new Uint8Array(), keys)).toEqual(bothPass)
})

describe('with a key that cannot be read', () => {
  const broken = '[dkim."sender.test"]\nselector = "a"\nkeyFile = "/nonexistent/key"\n'
  const complaint = 'mxpress: Cannot read the DKIM key file /nonexistent/key: ENOENT\n'

  test.each([
    ['send', ['send', '--from', 'a@sender.test', '--to', 'never@accepts.test', '--text', 'x']],
    ['serve', ['serve', '--listen', '127.0.0.1:0']],
    ['sendmail', ['sendmail', 'never@accepts.test']],
    ['sendmail -bs', ['sendmail', '-bs']],
  ])('%s ends with 78 before anything is sent or listened at', async (_name, args) => {
    const cwd = await temporaryDirectory()
    await writeFile(path.join(cwd, 'mxpress.toml'), broken)
    const env = {
      MXPRESS_HOSTNAME: 'sender.test',
      MXPRESS_DNS_SERVERS: sandbox.dns,
      MXPRESS_SMTP_PORT: `${sandbox.port}`,
    }
    const finished = await (await start(args, { cwd, env, stdin: 'x\n' })).finished()
    expect(finished).toEqual({ code: 78, stdout: '', stderr: complaint })
    expect(await sandbox.received({ recipient: 'never@accepts.test' })).toEqual([])
  })
})

test('what an operator should put right is said once, and mail goes out', async () => {
  const short = { 'sender.test': { ...dkim['sender.test'], expire: '1h' } } as const
  const warnings: string[] = []
  await using agent = createAgent(await options({ dkim: short }), {
    onWarning: (text) => warnings.push(text),
  })
  await agent.send({ ...mail, to: 'warned1@accepts.test' })
  await agent.send({ ...mail, to: 'warned2@accepts.test' })
  expect(warnings).toEqual([
    'dkim."sender.test".expire is shorter than queue.expire: mail that waits longer arrives with a signature that has run out',
  ])
  expect(await verdicts('warned2@accepts.test')).toEqual(bothPass)
})

describe('a message with two From fields goes unsigned', () => {
  const twice = (to: string) => `Message-ID: <2@sender.test>\r\nFrom: b@sender.test\r\n${raw(to)}`

  test('and the log names it', async () => {
    const events: LogEvent[] = []
    const log: Log = { ...silentLog, write: (event) => void events.push(event) }
    await using agent = createAgent(await options(), { log })
    const message = messageFromBytes(Buffer.from(twice('twice@accepts.test')))
    const recipients = [{ address: parseAddress('twice@accepts.test'), field: 'to' as const }]
    const envelope = { reversePath: parseAddress('alice@sender.test'), recipients }
    for await (const { kind } of agent.deliver(message, envelope)) expect(kind).toBe('delivered')
    expect(await verdicts('twice@accepts.test')).toEqual([])
    expect(events.filter(({ kind }) => kind === 'unsigned')).toEqual([
      {
        kind: 'unsigned',
        id: '-',
        messageId: '<2@sender.test>',
        domain: 'sender.test',
        reason: 'several-from',
      },
    ])
  })

  test('and sendmail, which has no log, says so', async () => {
    const cwd = await configured()
    const env = { MXPRESS_HOSTNAME: 'sender.test' }
    const args = ['sendmail', '-f', 'alice@sender.test', 'twice@accepts.test']
    const { code, stderr } = await run(args, { cwd, env, stdin: twice('twice@accepts.test') })
    expect([code, stderr]).toEqual([
      0,
      'mxpress: warning: <2@sender.test> goes without a signature of sender.test: several-from\n',
    ])
  })
})

test('a daemon that reloads signs with the new key, and goes on with the old one when the new one is wrong', async () => {
  const [first, second] = [makeKey('sender.test', 'now', 'ed25519'), makeKey('sender.test', 'now', 'rsa')]
  const keyFile = path.join(await temporaryDirectory(), 'now.key')
  await copyFile(first.keyFile, keyFile)
  const events: LogEvent[] = []
  const log: Log = { ...silentLog, write: (event) => void events.push(event) }
  const signing = { dkim: { 'sender.test': { selector: 'now', keyFile } } }
  await using daemon = await startDaemon(await options(signing), { log })
  const results = daemon.agent.results()
  const verdictOf = async (key: TestKey, to: string) => {
    await daemon.agent.enqueue({ ...mail, to })
    await results.next()
    return verify(await arrivedAt(to), [key])
  }
  const passes = ['pass sender.test now']
  expect(await verdictOf(first, 'reload1@accepts.test')).toEqual(passes)
  await copyFile(second.keyFile, keyFile)
  await daemon.reload()
  expect(events.filter(({ kind }) => kind === 'trouble')).toEqual([])
  expect(await verdictOf(second, 'reload2@accepts.test')).toEqual(passes)
  await writeFile(keyFile, 'half a key')
  await daemon.reload()
  expect(events.filter(({ kind }) => kind === 'trouble')).toEqual([
    { kind: 'trouble', id: '-', error: expect.stringContaining(`the DKIM key file ${keyFile}`) },
  ])
  expect(await verdictOf(second, 'reload3@accepts.test')).toEqual(passes)
})
