import { spawn } from 'node:child_process'
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { openSqliteQueue } from '../../src/queue/sqlite/store.ts'
import { bin, emptyDirectory, type RunOptions, run, start } from './run.ts'

// No listener: what cannot be queued goes nowhere else.
const env = { MXPRESS_HOSTNAME: 'mail.sender.test', MXPRESS_SUBMISSION_LISTEN: '127.0.0.1:0' }

/** Runs it in a directory of its own, where its queue is. */
const sendmail = async (args: readonly string[], stdin = '', options: RunOptions = {}) => {
  const cwd = options.cwd ?? (await emptyDirectory())
  const finished = await run(['sendmail', ...args], {
    ...options,
    cwd,
    stdin,
    env: { ...env, ...options.env },
  })
  return { ...finished, cwd }
}

/** What the queue in the directory holds: envelopes and contents. */
const queued = async (cwd: string) => {
  await using store = await openSqliteQueue(path.join(cwd, 'queue'), { create: false })
  const { entries } = await store.list({ selector: { kind: 'all' }, limit: 100 })
  return await Promise.all(
    entries.map(async ({ recipient, reversePath, submissionId }) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of (await store.content(submissionId)).open()) chunks.push(chunk)
      return {
        to: `${recipient.address.localPart}@${recipient.address.domain}`,
        from: reversePath === null ? '<>' : `${reversePath.localPart}@${reversePath.domain}`,
        content: Buffer.concat(chunks).toString('utf8'),
      }
    }),
  )
}

test('-t queues for all that the header names, without a daemon, and says nothing', async () => {
  const message = 'From: a@b.test\nTo: c@d.test\nBcc: e@f.test\nSubject: hi\n\n.\nhello\n'
  const { cwd, ...finished } = await sendmail(['-t', '-i'], message)
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' })
  const entries = await queued(cwd)
  expect(entries.map(({ to }) => to)).toEqual(['c@d.test', 'e@f.test'])
  for (const { content } of entries) {
    expect(content).toMatch(/^Received: by mail\.sender\.test \(mxpress, from userid \d+\)\r\n/)
    expect(content).toMatch(/From: a@b\.test\r\nTo: c@d\.test\r\nSubject: hi\r\n\r\n\.\r\nhello\r\n$/)
  }
})

test('text for recipients in the arguments; a dot alone ends it', async () => {
  const { cwd, code } = await sendmail(['-f', 'alice@b.test', 'c@d.test', 'root'], 'hello\n.\nnot read\n')
  expect(code).toBe(0)
  const entries = await queued(cwd)
  expect(entries.map(({ to, from }) => `${from} ${to}`)).toEqual([
    'alice@b.test c@d.test',
    'alice@b.test root@mail.sender.test',
  ])
  expect(entries[0]?.content).toMatch(/From: <alice@b\.test>\r\n\r\nhello\r\n$/)
})

test('-v says what became of it; --json says it to programs', async () => {
  const verbose = await sendmail(['-v', 'c@d.test'], 'x\n')
  expect(verbose.stderr).toMatch(/^queued as \S+: 1 recipient\n$/)
  const json = await sendmail(['--json', '-f', '<>', 'c@d.test'], 'x\n')
  expect(JSON.parse(json.stdout)).toEqual({
    queueId: expect.stringMatching(/^\S+$/),
    messageId: expect.stringMatching(/^<.+@mail\.sender\.test>$/),
    reversePath: '',
    recipients: [{ address: 'c@d.test', field: 'to' }],
  })
})

test('an address behind -- may begin with a dash', async () => {
  const { cwd, code } = await sendmail(['--', '-odd@d.test'], 'x\n')
  expect(code).toBe(0)
  expect((await queued(cwd)).map(({ to }) => to)).toEqual(['-odd@d.test'])
})

test('--queue names the queue', async () => {
  const { cwd } = await sendmail(['--queue', 'elsewhere', 'c@d.test'], 'x\n')
  expect(await readdir(cwd)).toEqual(['elsewhere'])
})

describe('nothing is queued and the exit code says why (sysexits.h)', () => {
  test.each([
    ['64, an unknown option', ['-z', 'c@d.test'], 64, "unknown option -z in '-z'"],
    ['64, nobody to send to', [], 64, 'nobody to send to'],
    ['64, a malformed address in an argument', ['c@d@e'], 64, 'Malformed address `c@d@e`'],
    ['64, a malformed reverse-path', ['-f', 'a b', 'c@d.test'], 64, 'Malformed address `a b`'],
    ['65, nobody in the header', ['-t'], 65, 'nobody to send to'],
  ])('%s', async (_name, args, code, message) => {
    const finished = await sendmail(args, 'Subject: x\n\nhi\n')
    expect({ code: finished.code, stdout: finished.stdout }).toEqual({ code, stdout: '' })
    expect(finished.stderr).toContain(message)
    expect(await readdir(finished.cwd)).toEqual([])
  })

  test.each([
    ['nobody to send to', []],
    ['Malformed address `c@d@e`', ['c@d@e']],
    ['Malformed address `a b`', ['-f', 'a b', 'root']],
  ])('64 before 78: %s, and the configuration cannot be read', async (message, args) => {
    const cwd = await emptyDirectory()
    await mkdir(path.join(cwd, 'mxpress.toml'))
    const { code, stderr } = await sendmail(args, '', { cwd })
    expect([code, stderr]).toEqual([64, expect.stringContaining(message)])
  })

  test('65, a malformed address in the header', async () => {
    const { code, stderr } = await sendmail(['-t'], 'To: c@d@e\n\nhi\n')
    expect([code, stderr]).toEqual([65, expect.stringContaining('Malformed address')])
  })

  test('65, a message that loops', async () => {
    const { code, stderr } = await sendmail(
      ['c@d.test'],
      `${'Received: x\n'.repeat(101)}From: a@b.test\n\nx\n`,
    )
    expect([code, stderr]).toEqual([65, expect.stringContaining('mail loop: 101 Received fields')])
  })

  test('65, a message over the limit', async () => {
    const options = { env: { MXPRESS_SUBMISSION_MAX_SIZE: '1KB' } }
    const { code, stderr } = await sendmail(['c@d.test'], 'x'.repeat(2000), options)
    expect([code, stderr]).toEqual([65, expect.stringContaining('larger than 1000 octets')])
  })

  test('73, a queue directory that cannot be made', async () => {
    const cwd = await emptyDirectory()
    await writeFile(path.join(cwd, 'queue'), 'a file')
    expect((await sendmail(['c@d.test'], 'x\n', { cwd })).code).toBe(73)
  })

  test('73, a queue directory where none can be: below /proc', async () => {
    const { code, stderr } = await sendmail(['--queue', '/proc/mxpress/queue', 'c@d.test'], 'x\n')
    expect([code, stderr]).toEqual([73, expect.stringContaining('/proc/mxpress')])
  })

  test('78, a configuration that cannot be read: where its mail is to go is not known then', async () => {
    const cwd = await emptyDirectory()
    await mkdir(path.join(cwd, 'mxpress.toml'))
    const { code, stderr } = await sendmail(['c@d.test'], 'x\n', { cwd })
    expect([code, stderr]).toEqual([78, expect.stringContaining('EISDIR, it is a directory')])
    expect(await readdir(cwd)).toEqual(['mxpress.toml'])
  })

  test('78, a configuration that is wrong', async () => {
    expect((await sendmail(['c@d.test'], 'x\n', { env: { MXPRESS_QUEUE_EXPIRE: 'soon' } })).code).toBe(78)
  })
})

test('a variable of the caller that is none of ours is said and costs no mail', async () => {
  const { cwd, code, stderr } = await sendmail(['c@d.test'], 'x\n', { env: { MXPRESS_SPOOL: 'elsewhere' } })
  expect([code, stderr]).toEqual([0, 'mxpress: warning: Unknown variable `MXPRESS_SPOOL` (ignored)\n'])
  expect((await queued(cwd)).map(({ to }) => to)).toEqual(['c@d.test'])
})

test('-bs speaks SMTP', async () => {
  const dialogue = [
    'EHLO x',
    'MAIL FROM:<a@b.test>',
    'RCPT TO:<c@d.test>',
    'DATA',
    'Subject: hi',
    '',
    'hello',
    '.',
    'QUIT',
    '',
  ].join('\r\n')
  const { cwd, code, stdout } = await sendmail(['-bs'], dialogue)
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^220 mail\.sender\.test ESMTP mxpress\r\n[\s\S]*250 2\.0\.0 Ok: queued as \S+\r\n221 2\.0\.0 Bye\r\n$/,
  )
  expect((await queued(cwd)).map(({ to }) => to)).toEqual(['c@d.test'])
})

test('-bp lists the queue, -q makes what waits in it due', async () => {
  const { cwd } = await sendmail(['c@d.test'], 'x\n')
  const list = await sendmail(['-bp'], '', { cwd })
  expect([list.code, list.stdout]).toEqual([0, expect.stringContaining('c@d.test')])
  expect(await sendmail(['-q'], '', { cwd })).toMatchObject({ code: 0, stdout: '', stderr: '' })
})

test('a message is queued beside other programs that use the queue', async () => {
  const cwd = await emptyDirectory()
  await using _store = await openSqliteQueue(path.join(cwd, 'queue'), { role: 'daemon' })
  const codes = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => (await sendmail([`${name}@d.test`], 'x\n', { cwd })).code),
  )
  expect(codes).toEqual([0, 0, 0])
  expect((await queued(cwd)).map(({ to }) => to).sort()).toEqual(['a@d.test', 'b@d.test', 'c@d.test'])
})

test('what is typed ends with the dot, not with the terminal', async () => {
  const cwd = await emptyDirectory()
  const child = spawn(process.execPath, [bin, 'sendmail', 'c@d.test'], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
  })
  child.stdin.write('hello\n.\n')
  const stderr = text(child.stderr)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  expect([code, await stderr]).toEqual([0, ''])
})

test('mxpress-sendmail is the same under a name of its own, also through a link', async () => {
  const cwd = await emptyDirectory()
  const link = path.join(cwd, 'sendmail')
  const file = bin.replace(/bin\.js$/, 'sendmail-bin.js')
  await chmod(file, 0o755)
  await symlink(file, link)
  await mkdir(path.join(cwd, 'queue'))
  const child = spawn(process.execPath, [link, '-t'], { cwd, env: { PATH: process.env.PATH, ...env } })
  child.stdin.end('To: c@d.test\n\nhi\n')
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
  expect((await queued(cwd)).map(({ to }) => to)).toEqual(['c@d.test'])
})

test('--help tells of the classic options', async () => {
  const running = await start(['sendmail', '--help'])
  expect((await running.finished()).stdout).toMatch(/ -t {2,}recipients are those of To, Cc and Bcc/)
})
