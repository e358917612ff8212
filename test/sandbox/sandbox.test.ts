import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import {
  type DialogueLine,
  exampleCommand,
  overview,
  type Sandbox,
  startSandbox,
} from '../../src/sandbox/sandbox.ts'
import { addressOf, BareClient, greeted, resolverFor, send, transact } from './client.ts'

const gone = (file: string): Promise<boolean> =>
  access(file).then(
    () => false,
    () => true,
  )

const deliver = (sandbox: Sandbox, to = 'user@accepts.test') => send(sandbox, 'mx.accepts.test', { to })

test('a received message is told with its envelope, its exchanger and its file', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  await deliver(sandbox)
  const [mail] = await sandbox.received()
  expect(mail).toMatchObject({
    recipient: 'user@accepts.test',
    reversePath: 'alice@sender.test',
    exchanger: 'mx.accepts.test',
    tls: true,
    receivedAt: expect.any(Date),
  })
  const content = Buffer.from(mail?.content ?? '').toString()
  expect(content).toBe('Subject: hi\r\n\r\nhello\r\n')
  expect(mail?.file.startsWith(join(sandbox.mailDir, 'accepts.test/user/new/'))).toBe(true)
  expect(await readFile(mail?.file ?? '', 'utf8')).toBe(
    `Return-Path: <alice@sender.test>\r\nDelivered-To: user@accepts.test\r\n${content}`,
  )
})

test('received mail is found by recipient, domain in A-labels and exchanger', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  await deliver(sandbox, 'one@accepts.test')
  await deliver(sandbox, 'two@xn--bcher-kva.accepts.test')
  const recipients = async (filter?: Parameters<Sandbox['received']>[0]) =>
    (await sandbox.received(filter)).map(({ recipient }) => recipient)
  expect(await recipients()).toHaveLength(2)
  expect(await recipients({ recipient: 'one@accepts.test' })).toEqual(['one@accepts.test'])
  expect(await recipients({ domain: 'XN--bcher-kva.accepts.test' })).toHaveLength(1)
  expect(await recipients({ exchanger: 'mx.slow.test' })).toEqual([])
})

test('a recipient with path parts in its name is kept inside the mail directory', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  using client = await greeted(sandbox, 'mx.chunking.test')
  await transact(client, { to: '../../../x@chunking.test' })
  const [mail] = await sandbox.received()
  expect(mail?.file.startsWith(join(sandbox.mailDir, 'chunking.test/%2E.%2F..%2F..%2Fx/new/'))).toBe(true)
})

test('connections, transactions, handshakes and QUITs are counted per exchanger', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const ip = await addressOf(sandbox, 'mx.accepts.test')
  {
    using client = await BareClient.to(ip, sandbox.port)
    await client.reply()
    expect(sandbox.statistics.exchangers.get('mx.accepts.test')).toMatchObject({ connections: 1, open: 1 })
    await client.command('QUIT')
    await client.closed()
  }
  await deliver(sandbox)
  expect(sandbox.statistics.exchangers.get('mx.accepts.test')).toMatchObject({
    connections: 2,
    peak: expect.any(Number),
    handshakes: 1,
    transactions: 1,
  })
  expect(sandbox.statistics.exchangers.get('mx.slow.test')?.connections).toBe(0)
  expect(sandbox.statistics.queries.get('A mx.accepts.test')).toBe(2)
})

test.each(['mx.accepts.test', 'mx.chunking.test'])(
  'the dialogue with %s is heard, without the content',
  async (host) => {
    const heard: DialogueLine[] = []
    await using sandbox = await startSandbox({ removeMail: true, onDialogue: (line) => heard.push(line) })
    using client = await BareClient.to(await addressOf(sandbox, host), sandbox.port)
    await client.reply()
    await client.command('HELO sender.test')
    await client.command('MAIL FROM:<alice@sender.test>')
    await client.command('RCPT TO:<user@accepts.test>')
    await client.command('DATA')
    await client.command('Subject: secret\r\n\r\n.')
    await client.command('QUIT')
    expect(heard.map(({ from, line }) => `${from === 'client' ? 'C' : 'S'}: ${line.slice(0, 4)}`)).toEqual([
      'S: 220 ',
      ...['HELO', 'MAIL', 'RCPT'].flatMap((verb) => [`C: ${verb}`, 'S: 250 ']),
      'C: DATA',
      'S: 354 ',
      'S: 250 ',
      'C: QUIT',
      'S: 221 ',
    ])
    expect(new Set(heard.map(({ exchanger, session }) => `${exchanger} ${session}`)).size).toBe(1)
    expect(heard[0]?.exchanger).toBe(host)
  },
)

test('two sandboxes run side by side', async () => {
  await using one = await startSandbox({ removeMail: true })
  await using other = await startSandbox({ removeMail: true })
  expect(one.port).not.toBe(other.port)
  await deliver(one)
  expect([(await one.received()).length, (await other.received()).length]).toEqual([1, 0])
})

test('a port that is taken is an error, and nothing is left behind', async () => {
  await using one = await startSandbox({ removeMail: true })
  const temporary = await mkdtemp(join(tmpdir(), 'mxpress-tmp-'))
  vi.stubEnv('TMPDIR', temporary)
  await expect(startSandbox({ port: one.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  vi.unstubAllEnvs()
  expect(await readdir(temporary)).toEqual([])
  await rm(temporary, { recursive: true })
})

test('a port that was asked for is used again after close', async () => {
  const first = await startSandbox({ removeMail: true })
  await first.close()
  await using second = await startSandbox({ removeMail: true, port: first.port })
  expect(second.port).toBe(first.port)
  expect(await deliver(second)).toMatch(/^250 /)
})

test('options out of range are named', async () => {
  const refuse = (options: object) => expect(startSandbox(options)).rejects
  await refuse({ port: 65_536 }).toThrow('Expected `port` to be a whole number from 0 to 65535, got `65536`')
  await refuse({ greylistSeconds: -1 }).toThrow('Expected `greylistSeconds` to be seconds from 0')
  await refuse({ slowSeconds: Number.NaN }).toThrow('Expected `slowSeconds`')
  await refuse({ maxConnections: 0 }).toThrow('Expected `maxConnections`')
})

test('the mail directory that was given stays, a temporary one goes where that was asked', async () => {
  const mailDir = await mkdtemp(join(tmpdir(), 'mxpress-mail-'))
  const given = await startSandbox({ mailDir: join(mailDir, 'a/b'), removeMail: true })
  const kept = await startSandbox()
  const removed = await startSandbox({ removeMail: true })
  await Promise.all([given.close(), kept.close(), removed.close()])
  expect(await Promise.all([given, kept, removed].map((one) => gone(one.mailDir)))).toEqual([
    false,
    false,
    true,
  ])
  await rm(mailDir, { recursive: true })
  await rm(kept.mailDir, { recursive: true })
})

test('an aborted signal closes the sandbox, or keeps it from starting', async () => {
  const ending = new AbortController()
  const sandbox = await startSandbox({ removeMail: true, signal: ending.signal })
  using client = await BareClient.to(await addressOf(sandbox, 'mx.silent.test'), sandbox.port)
  ending.abort()
  await client.closed()
  await sandbox.close()
  expect(await gone(sandbox.mailDir)).toBe(true)
  await expect(startSandbox({ signal: ending.signal })).rejects.toBe(ending.signal.reason)
})

test('closing ends open sessions, may be repeated, and lets the process exit', async () => {
  const program = `
    import { once } from 'node:events'
    import { connect } from 'node:net'
    import { startSandbox } from '${new URL('../../src/sandbox/sandbox.ts', import.meta.url)}'
    const sandbox = await startSandbox({ removeMail: true, slowSeconds: 3600 })
    const hosts = Array.from({ length: 120 }, (_, at) => '127.25.1.' + (at + 1))
    const sockets = hosts.map((host) => connect({ host, port: sandbox.port }).on('error', () => {}))
    const ends = sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve)))
    await Promise.allSettled(sockets.map((socket) => once(socket.resume(), 'connect')))
    // Whoever connects last and has its greeting shows that the slow one is at its waiting.
    const last = connect({ host: '127.25.1.1', port: sandbox.port })
    await once(last, 'data')
    await Promise.all([sandbox.close(), sandbox.close()])
    await Promise.all(ends)
    console.log('closed')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program])
  onTestFinished(() => void child.kill())
  const printed = Promise.all([text(child.stdout), text(child.stderr)])
  expect(await once(child, 'close')).toEqual([0, null])
  expect(await printed).toEqual(['closed\n', ''])
})

test('every domain has its own name, a mailbox in it and a line of description', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  expect(new Set(sandbox.domains.map(({ domain }) => domain)).size).toBe(sandbox.domains.length)
  for (const { domain, mailbox, description } of sandbox.domains) {
    expect(mailbox.endsWith(domain)).toBe(true)
    expect(description).not.toMatch(/[\r\n]/)
  }
})

test('the name server knows every domain but the one that does not exist', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const unknown: string[] = []
  for (const { domain, waits } of sandbox.domains) {
    if (waits) continue
    const lookup = resolverFor(sandbox).resolveMx(domain)
    await lookup.catch(({ code }) => code === 'ENOTFOUND' && unknown.push(domain))
  }
  expect(unknown).toEqual(['no-such-domain.test'])
})

test('the agent options and the example command point at the sandbox', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  expect(sandbox.agentOptions).toEqual({
    hostname: 'sender.test',
    dns: { servers: [sandbox.dns] },
    smtp: { port: sandbox.port, allowLocalAddresses: true },
  })
  expect(exampleCommand(sandbox).join('\n').replaceAll(' \\\n ', '')).toBe(
    `mxpress send --dns ${sandbox.dns} --port ${sandbox.port} --allow-local-addresses --hostname sender.test ` +
      '--from alice@sender.test --to user@accepts.test --subject hi --text hello',
  )
})

test('the overview says what to expect of each mailbox', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const rows = overview(sandbox)
  expect(rows).toHaveLength(sandbox.domains.length)
  expect(rows[0]).toEqual({
    mailbox: 'user@accepts.test',
    description: 'accepts everything',
    expected: 'delivered',
  })
  expect(rows.find(({ mailbox }) => mailbox === 'user@drops-after-dot.test')?.expected).toBe(
    'deferred 4.4.2, uncertain',
  )
})
