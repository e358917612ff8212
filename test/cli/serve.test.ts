import { once } from 'node:events'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { startHeldExchanger } from './held-exchanger.ts'
import { emptyDirectory, run, start } from './run.ts'
import { intoSandbox } from './sending.ts'
import { eventually, queueOf, serveInto, submit } from './serving.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true, greylistSeconds: 0 })
})
afterAll(() => sandbox.close())

const received = (recipient: string) => () => sandbox.received({ recipient })
const some = (mails: readonly unknown[]) => mails.length > 0

test('it says when it is ready, delivers what programs hand in, and ends with 0 at SIGTERM', async () => {
  const { process, port, cwd } = await serveInto(sandbox)
  expect(await submit(port, 'served@accepts.test')).toMatch(/^250 2\.0\.0 Ok: queued as 0001$/)
  await eventually(received('served@accepts.test'), some)
  process.kill('SIGTERM')
  expect(await process.finished()).toEqual({
    code: 0,
    stdout: `ready: submission 127.0.0.1:${port}\n`,
    stderr: '',
  })
  expect(await queueOf(cwd)).toEqual([])
  const log = await readFile(path.join(cwd, 'mxpress.log'), 'utf8')
  expect(log).toMatch(/: - daemon started queue="\/.*\/queue" submission=127\.0\.0\.1:\d+\n/)
  expect(log).toMatch(/: 0001 to=<served@accepts\.test> .*outcome=delivered /)
  expect(log).toMatch(/: - daemon stopped .*\n$/)
})

test('what is deferred waits, is steered while the daemon runs, and a failure comes back to its sender', async () => {
  const { process, port, cwd } = await serveInto(sandbox)
  await submit(port, ['steered@greylists.test', 'nobody@unknown-mailbox.test'])
  const [report] = await eventually(received('alice@sender.test'), some)
  expect(report?.reversePath).toBe('')
  expect(Buffer.from(report?.content ?? []).toString()).toMatch(/\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/)
  const [entry] = await eventually(
    () => queueOf(cwd),
    (entries) => entries.length === 1 && entries[0]?.attempts === 1,
  )
  expect(entry).toMatchObject({ recipient: 'steered@greylists.test', state: 'ready', uncertain: false })
  expect(await run(['queue', 'retry', '--all'], { cwd })).toMatchObject({
    code: 0,
    stdout: '1 entry due now\n',
  })
  await eventually(received('steered@greylists.test'), some)
  process.kill('SIGINT')
  expect(await process.finished()).toMatchObject({ code: 0, stderr: '' })
})

test('mail that waits is delivered after a restart', async () => {
  const cwd = await emptyDirectory()
  // No route, no connection: the first daemon can deliver nothing.
  const first = await serveInto(sandbox, ['--route', 'accepts.test=127.0.0.1:9'], { cwd })
  await submit(first.port, 'restarted@accepts.test')
  await eventually(
    () => queueOf(cwd),
    ([entry]) => entry?.attempts === 1,
  )
  first.process.kill('SIGTERM')
  expect(await first.process.finished()).toMatchObject({ code: 0 })
  const second = await serveInto(sandbox, [], { cwd })
  await run(['queue', 'retry', '--all'], { cwd })
  await eventually(received('restarted@accepts.test'), some)
  second.process.kill('SIGTERM')
  expect(await second.process.finished()).toMatchObject({ code: 0 })
})

test('SIGTERM waits for a transaction past the final dot, and gives the others back as they were', async () => {
  await using exchanger = await startHeldExchanger()
  const { process, port, cwd } = await serveInto(sandbox, [
    '--per-site',
    '1',
    '--route',
    `held.test=127.0.0.1:${exchanger.port}`,
  ])
  await submit(port, ['first@held.test', 'second@held.test'])
  await exchanger.reached
  process.kill('SIGTERM')
  await refusesClients(port)
  exchanger.accept()
  expect(await process.finished()).toMatchObject({ code: 0, stderr: '' })
  expect(await queueOf(cwd)).toMatchObject([{ state: 'ready', attempts: 0, uncertain: false }])
  const log = await readFile(path.join(cwd, 'mxpress.log'), 'utf8')
  expect(log).toMatch(/outcome=delivered .*at last"\n/)
})

async function refusesClients(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const [outcome] = await Promise.race([
      once(socket, 'connect').then(() => ['connected']),
      once(socket, 'error').then(() => ['refused']),
    ]).catch(() => ['refused'])
    socket.destroy()
    if (outcome === 'refused') return
  }
}

test('a server that owes its last reply does not keep it from ending; the entry is uncertain then', async () => {
  await using exchanger = await startHeldExchanger()
  const route = ['--route', `held.test=127.0.0.1:${exchanger.port}`]
  const { process, port, cwd } = await serveInto(sandbox, route)
  await submit(port, 'owed@held.test')
  await exchanger.reached
  process.kill('SIGTERM')
  const { code, stderr } = await process.finished()
  expect(code).toBe(0)
  expect(stderr).toContain('still owed its last reply')
  expect(await queueOf(cwd)).toMatchObject([{ state: 'leased' }])
  const again = await serveInto(sandbox, route, { cwd })
  expect(await queueOf(cwd)).toMatchObject([{ state: 'ready', uncertain: true, attempts: 1 }])
  again.process.kill('SIGTERM')
  await again.process.finished()
})

test('SIGHUP opens the log anew under its name', async () => {
  const { process, cwd } = await serveInto(sandbox)
  const log = path.join(cwd, 'mxpress.log')
  await eventually(
    () => readFile(log, 'utf8').catch(() => ''),
    (text) => text.includes('started'),
  )
  await rename(log, `${log}.1`)
  process.kill('SIGHUP')
  await eventually(
    () => readFile(log, 'utf8').catch(() => null),
    (text) => text !== null,
  )
  process.kill('SIGTERM')
  await process.finished()
  expect(await readFile(log, 'utf8')).toContain('daemon stopped')
})

test('a second daemon on the directory is refused and told which process has it: 75', async () => {
  const first = await serveInto(sandbox)
  const args = ['serve', '--listen', '127.0.0.1:0', ...intoSandbox(sandbox)]
  const { code, stdout, stderr } = await run(args, { cwd: first.cwd })
  expect({ code, stdout }).toEqual({ code: 75, stdout: '' })
  expect(stderr).toMatch(/^mxpress: Another daemon \(pid \d+\) works on the queue in \/.*\/queue\n$/)
  first.process.kill('SIGTERM')
  expect(await first.process.finished()).toMatchObject({ code: 0 })
})

test('a port that is taken is said in one line: 69', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const { code, stdout, stderr } = await run(
    ['serve', '--listen', `127.0.0.1:${port}`, ...intoSandbox(sandbox)],
    {},
  )
  taken.close()
  expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
  expect(stderr).toMatch(new RegExp(`^mxpress: cannot take mail over SMTP: .*EADDRINUSE.*:${port}\n$`))
})

test('with --json the line is a document, and without an address it only works the queue off', async () => {
  const process = await start(['serve', '--json', '--hostname', 'sender.test'], {
    env: { MXPRESS_QUEUE_DIR: 'spool', MXPRESS_SUBMISSION_LISTEN: '127.0.0.1:0' },
  })
  expect(JSON.parse(await process.printed(/\n\}\n$/))).toEqual({
    submission: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
    pid: expect.any(Number),
  })
  process.kill('SIGTERM')
  await process.finished()
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'mxpress.toml'), 'hostname = "sender.test"\n[submission]\nlisten = []\n')
  const quiet = await start(['serve'], { cwd })
  expect(await quiet.printed(/\n/)).toBe('ready: queue only\n')
  quiet.kill('SIGTERM')
  expect(await quiet.finished()).toMatchObject({ code: 0 })
})

test('the service manager is told when it is ready and when it stops', async () => {
  const cwd = await emptyDirectory()
  const program = path.join(cwd, 'systemd-notify')
  await writeFile(program, '#!/bin/sh\necho "$@" >> "$NOTIFY_SOCKET"\n')
  await chmod(program, 0o755)
  const socket = path.join(cwd, 'notified')
  const { process: daemon } = await serveInto(sandbox, [], {
    cwd,
    env: { NOTIFY_SOCKET: socket, PATH: `${cwd}:${process.env.PATH}` },
  })
  const told = () => readFile(socket, 'utf8').catch(() => '')
  await eventually(told, (text) => /^--pid=\d+ --status=ready: submission \S+ READY=1\n$/.test(text))
  daemon.kill('SIGTERM')
  expect(await daemon.finished()).toMatchObject({ code: 0 })
  await eventually(told, (text) => /--status=stopping STOPPING=1\n$/.test(text))
})

test.each([
  [['--queue', '/dev/null/queue'], 73, '/dev/null/queue'],
  [['--log', '/dev/null/log'], 73, '/dev/null/log'],
  [['--listen', 'localhost:25'], 64, 'Expected `--listen` to be a'],
  [['--listen', '192.0.2.1:25'], 78, '192.0.2.1:25'],
  [['--config', 'missing.toml'], 78, 'missing.toml'],
  [['now'], 64, "unexpected argument 'now'"],
])('%j ends with %i before anything is listened at', async (args, code, message) => {
  const finished = await run(['serve', '--listen', '127.0.0.1:0', ...intoSandbox(sandbox), ...args])
  expect(finished).toMatchObject({ code, stdout: '' })
  expect(finished.stderr).toContain(message)
})
