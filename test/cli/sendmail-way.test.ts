/** `mxpress sendmail` for a user who may not write to the queue: through the submission listener, or 75 with what to do. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { bin } from './run.ts'
import { eventually, serveInto } from './serving.ts'

/** `nobody` of most systems; where the tests have no more rights than others, whoever runs them. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

function whyNoUser(): string | null {
  const { status } = spawnSync(process.execPath, [bin, '--version'], { ...user, cwd: '/' })
  return status === 0 ? null : `the program cannot be run by user ${user.uid}`
}

const reason = whyNoUser()

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

let dir: string
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'mxpress-way-'))
  await chmod(dir, 0o755)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Runs it as that user, in a directory where he may only look. */
async function sendmail(args: readonly string[], stdin: string, listen: string) {
  const child = spawn(process.execPath, [bin, 'sendmail', ...args], {
    ...user,
    cwd: dir,
    env: { PATH: process.env.PATH, MXPRESS_HOSTNAME: 'mail.sender.test', MXPRESS_SUBMISSION_LISTEN: listen },
  })
  child.stdin.on('error', () => {}).end(stdin)
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('exit', resolve)),
  ])
  return { code, stdout, stderr }
}

const forbid = () => mkdir(path.join(dir, 'queue'), { mode: user.uid === undefined ? 0o500 : 0o700 })

describe.skipIf(reason !== null)(
  `a user who may not write to the queue${reason === null ? '' : ` (${reason})`}`,
  () => {
    test('hands the mail to the daemon, for all recipients at once; exit 0 says that it is on disk', async () => {
      await forbid()
      const { process: daemon, port } = await serveInto(sandbox)
      const message = 'To: a@accepts.test\nBcc: b@accepts.test\nSubject: grüße\n\nhello\n.\nworld\n'
      const finished = await sendmail(['-t', '-i', '-v', '-f', 'x@sender.test'], message, `127.0.0.1:${port}`)
      expect(finished).toMatchObject({ code: 0, stdout: '' })
      expect(finished.stderr).toMatch(/^queued as [0-9A-Z]+: 2 recipients\n$/)
      for (const recipient of ['a@accepts.test', 'b@accepts.test']) {
        const [mail] = await eventually(
          () => sandbox.received({ recipient }),
          (mails) => mails.length > 0,
        )
        expect(String(mail?.content)).toContain('\r\n\r\nhello\r\n.\r\nworld\r\n')
      }
      daemon.kill('SIGTERM')
      expect(await daemon.finished()).toMatchObject({ code: 0 })
    })

    test('speaks SMTP with -bs all the same', async () => {
      await forbid()
      const { port } = await serveInto(sandbox)
      const lines = [
        'EHLO x',
        'MAIL FROM:<x@sender.test>',
        'RCPT TO:<c@accepts.test>',
        'DATA',
        'hi',
        '.',
        'QUIT',
        '',
      ]
      const finished = await sendmail(['-bs'], lines.join('\r\n'), `127.0.0.1:${port}`)
      expect(finished).toMatchObject({ code: 0, stderr: '' })
      expect(finished.stdout).toMatch(/250 2\.0\.0 Ok: queued as \S+\r\n221 /)
      await eventually(
        () => sandbox.received({ recipient: 'c@accepts.test' }),
        (mails) => mails.length > 0,
      )
    })

    test('is told with 75 what to do when there is no daemon either', async () => {
      await forbid()
      // Nobody listens at the discard port.
      const { code, stdout, stderr } = await sendmail(['c@accepts.test'], 'x\n', '127.0.0.1:9')
      expect({ code, stdout }).toEqual({ code: 75, stdout: '' })
      expect(stderr).toMatch(
        /^mxpress: Cannot write to the queue in \S*queue: .*; and the submission listener: nobody takes it at 127\.0\.0\.1:9: connection refused \(ECONNREFUSED\)\. Start `mxpress serve`, or let this user write to the queue directory\n$/,
      )
    })

    test('is told so when no loopback address is configured', async () => {
      await forbid()
      const { code, stderr } = await sendmail(['c@accepts.test'], 'x\n', '192.0.2.1:25')
      expect(code).toBe(75)
      expect(stderr).toContain('submission.listen has no loopback address to hand it to')
    })

    test('is told why with -bs too: 451 to the client, the reason beside it', async () => {
      await forbid()
      const lines = [
        'EHLO x',
        'MAIL FROM:<x@sender.test>',
        'RCPT TO:<c@d.test>',
        'DATA',
        'hi',
        '.',
        'QUIT',
        '',
      ]
      const { stdout, stderr } = await sendmail(['-bs'], lines.join('\r\n'), '127.0.0.1:9')
      expect(stdout).toMatch(/\r\n451 4\.3\.0 .*\r\n221 /)
      expect(stderr).toContain('Start `mxpress serve`, or let this user write to the queue directory')
    })

    test('is not told that there is no queue when he may not look', async () => {
      await forbid()
      const { code, stderr } = await sendmail(['-bp'], '', '127.0.0.1:9')
      expect([code, stderr]).toEqual([73, expect.stringContaining('permission denied')])
    })

    test('who names a queue gets that one or none', async () => {
      await forbid()
      const { port } = await serveInto(sandbox)
      const { code } = await sendmail(['--queue', 'queue', 'd@accepts.test'], 'x\n', `127.0.0.1:${port}`)
      expect(code).toBe(73)
    })
  },
)

test.skipIf(user.uid === undefined || reason !== null)(
  'a daemon that may not use the queue, which root has made, is told whose it is and how to make it its own',
  async () => {
    await forbid()
    const queue = path.join(dir, 'queue')
    const { status, stderr } = spawnSync(process.execPath, [bin, 'serve', '--queue', queue], {
      ...user,
      cwd: dir,
      env: { PATH: process.env.PATH, MXPRESS_HOSTNAME: 'mail.sender.test', MXPRESS_LOG_FILE: '/dev/null' },
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([
      73,
      `mxpress: Cannot write to the queue in ${queue}: permission denied: it belongs to user 0, and this is user ${user.uid}; if the daemon is to be this user: chown -R ${user.uid} ${queue}\n`,
    ])
  },
)

test('a queue that nobody can write to is 73 as ever, and no less when there is no daemon', async () => {
  await writeFile(path.join(dir, 'queue'), 'a file')
  const { code, stderr } = await sendmail(['c@accepts.test'], 'x\n', '127.0.0.1:9')
  expect([code, stderr]).toEqual([73, expect.stringContaining('and the submission listener')])
  expect(await readdir(dir)).toEqual(['queue'])
})
