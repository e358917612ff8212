import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { emptyDirectory, run, start } from './run.ts'

test('it says what it offers and how to send into it, and ends cleanly with the mail kept', async () => {
  const cwd = await emptyDirectory()
  const sandbox = await start(['sandbox', '--mail-dir', 'mail', '--greylist-seconds', '7'], { cwd })
  const said = await sandbox.printed(/\nReady.*\n/)
  expect(said).toMatch(/^mailbox +expected +what happens\n/)
  expect(said).toMatch(
    /\nuser@greylists\.test +deferred 4\.2\.0 +says 450 4\.2\.0 for 7 seconds, then accepts\n/,
  )

  // The printed command is what people copy: it must work as it stands.
  const command = said
    .slice(said.indexOf('  mxpress send '), said.lastIndexOf('\n\nReady'))
    .replace(/\\\n/g, ' ')
  const sent = await run(command.trim().split(/\s+/).slice(1))
  expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^delivered user@accepts\.test /) })

  sandbox.kill('SIGINT')
  const { code, stderr } = await sandbox.finished()
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^\n?The mail .* is in .*mail\n$/),
  })
  expect(await readdir(path.join(cwd, 'mail'))).toContain('accepts.test')
})

test('--json prints one document when it is ready, and SIGTERM ends it cleanly', async () => {
  const sandbox = await start(['sandbox', '--json'])
  const text = await sandbox.printed(/\n\}\n$/)
  const { dns, port, mailDir, hostname, command, domains, ...rest } = JSON.parse(text)
  expect(rest).toEqual({})
  expect({ dns, hostname }).toEqual({
    dns: expect.stringMatching(/^127\.[\d.]+:\d+$/),
    hostname: 'sender.test',
  })
  expect(command).toContain(`--port ${port}`)
  expect(domains).toContainEqual({
    domain: 'null-mx.test',
    mailbox: 'user@null-mx.test',
    description: expect.any(String),
    expected: { outcome: 'failed', status: '5.1.10' },
    waits: false,
  })
  expect((await stat(mailDir)).isDirectory()).toBe(true)
  sandbox.kill('SIGTERM')
  expect(await sandbox.finished()).toMatchObject({ code: 0, stderr: '' })
})

test('a port that is taken is said in one line', async () => {
  const first = await start(['sandbox', '--json'])
  const { port } = JSON.parse(await first.printed(/\n\}\n$/))
  const second = await run(['sandbox', '--port', `${port}`])
  expect(second).toMatchObject({ code: 69, stdout: '' })
  expect(second.stderr).toMatch(/^mxpress: the sandbox cannot start: .*EADDRINUSE.*\n$/)
  first.kill('SIGINT')
  await first.finished()
})

test('a mail directory that cannot be made is said in one line', async () => {
  const { code, stdout, stderr } = await run(['sandbox', '--mail-dir', '/dev/null/mail'])
  expect({ code, stdout }).toEqual({ code: 73, stdout: '' })
  expect(stderr).toMatch(/^mxpress: the sandbox cannot start: .*\/dev\/null.*\n$/)
})

test('a configuration that is named is checked', async () => {
  const { code, stdout, stderr } = await run(['sandbox', '--config', 'missing.toml'])
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
  expect(stderr).toContain('missing.toml')
})

test.each([
  [['--port', '0'], "'0' is invalid. Expected a whole number from 1 to 65535."],
  [['--greylist-seconds', 'soon'], "'soon' is invalid."],
  [['now'], "unexpected argument 'now'"],
])('%j is a usage error', async (args, message) => {
  const { code, stdout, stderr } = await run(['sandbox', ...args])
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
  expect(stderr).toContain(message)
})
