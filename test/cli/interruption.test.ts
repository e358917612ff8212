/** What a command does when it is told to stop, or when nobody reads it any more. */
import { readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { startHeldExchanger } from './held-exchanger.ts'
import { sendReportSchema } from './report-schema.ts'
import { emptyDirectory, start } from './run.ts'
import { fromAlice, intoSandbox } from './sending.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

const toBoth = [...fromAlice, '--to', 'user@accepts.test, user@silent.test']

test('SIGINT ends with 130 and prints what is known', async () => {
  const sending = await start(['send', ...intoSandbox(sandbox), ...toBoth])
  // The first line is the outcome of the one that answers; the other would keep us for minutes.
  await sending.printed(/\n/)
  sending.kill('SIGINT')
  const { code, stdout, stderr } = await sending.finished()
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
  expect(stdout).toMatch(/^delivered user@accepts\.test /)
  expect(stdout).toMatch(/\ndeferred {2}user@silent\.test .*SIGINT/)
  expect(stdout).toMatch(/\n1 delivered, 1 deferred, 0 failed in /)
})

test('SIGTERM ends with 143, and with --json the document is whole', async () => {
  const sending = await start(['send', ...intoSandbox(sandbox), ...toBoth, '--json', '--debug'])
  await sending.noted(/S: 250 2\.6\.0 /)
  sending.kill('SIGTERM')
  const { code, stdout } = await sending.finished()
  expect(code).toBe(143)
  expect(sendReportSchema.parse(JSON.parse(stdout))).toMatchObject({
    counts: { delivered: 1, deferred: 1, failed: 0 },
  })
})

// One session: the second recipient waits behind the first, and is deferred at the first signal.
const toHeld = (port: number): readonly string[] => [
  ...['send', '--hostname', 'sender.test', '--per-site', '1', '--route', `held.test=127.0.0.1:${port}`],
  ...[...fromAlice, '--to', 'first@held.test, second@held.test'],
]

test('a transaction past the final dot is awaited after SIGINT, and its outcome is the truth', async () => {
  await using exchanger = await startHeldExchanger()
  const sending = await start(toHeld(exchanger.port))
  await exchanger.reached
  sending.kill('SIGINT')
  await sending.printed(/^deferred {2}second@held\.test .*SIGINT/m)
  exchanger.accept()
  const { code, stdout } = await sending.finished()
  expect(code).toBe(130)
  expect(stdout).toMatch(/^delivered first@held\.test .*: 250 2\.0\.0 at last$/m)
})

test('a second SIGINT waits for nobody', async () => {
  await using exchanger = await startHeldExchanger()
  const sending = await start(toHeld(exchanger.port))
  await exchanger.reached
  sending.kill('SIGINT')
  await sending.printed(/^deferred {2}second@held\.test/m)
  sending.kill('SIGINT')
  const { code, stdout } = await sending.finished()
  expect(code).toBe(130)
  expect(stdout).not.toContain('first@held.test')
})

test('a reader that goes away costs nobody his mail', async () => {
  const recipients = Array.from({ length: 20 }, (_, index) => `reader${index}@accepts.test`)
  const sending = await start(['send', ...intoSandbox(sandbox), ...fromAlice, '--to', recipients.join(', ')])
  sending.stopReading()
  expect(await sending.finished()).toMatchObject({ code: 0, stderr: '' })
  const received = await sandbox.received({ domain: 'accepts.test' })
  expect(received.filter(({ recipient }) => recipient.startsWith('reader'))).toHaveLength(20)
})

test('SIGHUP opens the log anew under its name', async () => {
  const cwd = await emptyDirectory()
  const log = path.join(cwd, 'mxpress.log')
  const sending = await start(['send', ...intoSandbox(sandbox), ...toBoth], { cwd })
  await sending.printed(/\n/)
  await rename(log, `${log}.1`)
  sending.kill('SIGHUP')
  await fileAppears(log)
  sending.kill('SIGINT')
  expect(await sending.finished()).toMatchObject({ code: 130 })
  expect(await readFile(log, 'utf8')).toContain('to=<user@silent.test>')
  expect(await readFile(`${log}.1`, 'utf8')).toContain('to=<user@accepts.test>')
})

async function fileAppears(file: string): Promise<void> {
  while ((await readFile(file).catch(() => null)) === null) await new Promise(setImmediate)
}
