/** What is wrong with a call is found out before anybody is connected to. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { emptyDirectory } from './run.ts'
import { connectionsTo, fromAlice, sendInto } from './sending.ts'

let sandbox: Sandbox
let cwd: string
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
  cwd = await emptyDirectory()
  await mkdir(path.join(cwd, 'folder'))
  await writeFile(path.join(cwd, 'wrong.toml'), '[delivery]\nperSite = "many"\n')
  const latin1 = Buffer.from(
    'From: a@sender.test\nTo: b@accepts.test\nSubject: Gr\xfc\xdfe\n\none\n',
    'latin1',
  )
  await writeFile(path.join(cwd, 'latin1.eml'), latin1)
  await writeFile(path.join(cwd, 'address.eml'), 'From: a@sender.test\nTo: b@@accepts.test\n\none\n')
})
afterAll(() => sandbox.close())

const toBob = [...fromAlice, '--to', 'bob@accepts.test']

const mistakes: readonly (readonly [code: number, args: readonly string[], message: RegExp])[] = [
  [64, [...toBob, '--sbject', 'x'], /unknown option '--sbject'\n.*--subject/],
  [64, [...toBob, 'carol@accepts.test'], /unexpected argument 'carol@accepts\.test'/],
  [64, [...toBob, '--port', 'smtp'], /'smtp' is invalid\. Expected a whole number from 1 to 65535/],
  [
    64,
    [...toBob, '--tls', 'maybe'],
    /'maybe' is invalid\. Allowed choices are off, opportunistic, required, verified/,
  ],
  [64, [...toBob, '--header', 'no colon'], /'no colon' is invalid\. Expected 'Name: value'/],
  [64, [...toBob, '--subject'], /'--subject <string>' argument missing/],
  [
    64,
    [...toBob, '--subject', 'a\r\nBcc: x@accepts.test'],
    /subject must not contain `\\r`, got `a\\r\\nBcc: x/,
  ],
  [64, [...toBob, '--reply-to', 'a\\b\x1b@x'], /--reply-to: Malformed address `a\\b\\u\{1b\}@x`/],
  [64, [...toBob, '--hostname', 'a\x1b\\'], /got `"a\\u001b\\\\"`/],
  [64, [...toBob, '--bogus\x1b[2J\\'], /unknown option '--bogus\\x1b\[2J\\'\n/],
  [64, ['--from', 'nobody:;', '--to', 'bob@accepts.test'], /no author: nobody in From/],
  [64, [...fromAlice, '--to', ', ,'], /no recipient: nobody in To, Cc or Bcc/],
  [64, [...toBob, '--header', 'Date: soon'], /expected the Date field to be such as/],
  [64, [...toBob, '--header', 'Message-ID: x'], /expected the Message-ID field to be like/],
  [64, [...toBob, '--header', 'Reply-To: !'], /--header Reply-To: Malformed address `!`/],
  [64, [...toBob, '--dns', 'ns.accepts.test'], /`--dns`.*"ns\.accepts\.test"/],
  [64, [...toBob, '--hostname', 'localhost'], /`--hostname`.*"localhost"/],
  [64, [...toBob, '--cc', 'Bob <bob@>'], /--cc: .*`?bob@/i],
  [64, ['--from', 'alice@sender.test'], /--to, --cc or --bcc is missing/],
  [64, ['--to', 'bob@accepts.test'], /--from is missing/],
  [64, ['--from', 'alice@sender.test', '--header', 'To: b@@x'], /b@@x/],
  [65, ['--raw', 'address.eml'], /line 2: .*b@@accepts\.test/],
  [65, ['--raw', 'latin1.eml'], /line 3: .*subject/i],
  [66, [...toBob, '--attach', 'no\\file'], /--attach no\\file: cannot be read/],
  [66, ['--raw', 'missing.eml'], /--raw missing\.eml: cannot be read: no such file or directory/],
  [73, [...toBob, '--log', 'missing/x.log'], /missing\/x\.log/],
  [73, [...toBob, '--log', 'folder'], /folder/],
  [
    78,
    [...toBob, '--config', 'wrong.toml'],
    /wrong\.toml:2: Expected `delivery\.perSite` to be a whole number from 1, got `"many"`/,
  ],
  [78, [...toBob, '--config', 'missing.toml'], /missing\.toml/],
]

test.each(mistakes)('exit code %i for %j', async (code, args, message) => {
  const finished = await sendInto(sandbox, args, { cwd })
  expect(finished).toMatchObject({ code, stdout: '' })
  expect(finished.stderr).toMatch(/^mxpress: /)
  expect(finished.stderr).toMatch(message)
  expect(finished.stderr).not.toMatch(/\n {4}at /)
  expect(connectionsTo(sandbox)).toBe(0)
  expect(sandbox.statistics.queries.size).toBe(0)
})

test('a variable that nobody knows is a configuration error', async () => {
  const finished = await sendInto(sandbox, toBob, { env: { MXPRESS_HOST_NAME: 'x.test' } })
  expect(finished).toMatchObject({ code: 78, stdout: '' })
  expect(finished.stderr).toContain('Unknown variable `MXPRESS_HOST_NAME`; did you mean `MXPRESS_HOSTNAME`?')
  expect(connectionsTo(sandbox)).toBe(0)
})

test('--dry-run shows the way and connects to nobody', async () => {
  const to = 'user@second-exchanger.test, user@null-mx.test, user@accepts.test'
  const { code, stdout, stderr } = await sendInto(sandbox, [...fromAlice, '--to', to, '--dry-run'])
  expect(stderr).toBe('')
  expect(stdout).toMatch(
    /user@second-exchanger\.test \(to\).*\n +10 mx1\.second-exchanger\.test +127\.[\d.]+.*\n +20 mx2\.second-exchanger\.test +127\.[\d.]+/,
  )
  expect(stdout).toMatch(/user@null-mx\.test \(to\).*5\.1\.10/)
  expect(code).toBe(69)
  expect(connectionsTo(sandbox)).toBe(0)
})

test('--dry-run --json is one document', async () => {
  const args = [
    ...fromAlice,
    '--to',
    'user@accepts.test',
    '--bcc',
    'user@no-such-domain.test',
    '--dry-run',
    '--json',
  ]
  const { code, stdout } = await sendInto(sandbox, args, { cwd })
  expect(JSON.parse(stdout)).toEqual({
    messageId: expect.stringMatching(/^<.+@sender\.test>$/),
    reversePath: 'alice@sender.test',
    recipients: [
      {
        address: 'user@accepts.test',
        field: 'to',
        domain: 'accepts.test',
        failure: null,
        exchangers: [
          {
            host: 'mx.accepts.test',
            port: sandbox.port,
            preference: 10,
            implicit: false,
            ips: [expect.stringMatching(/^127\./)],
            error: null,
          },
        ],
      },
      {
        address: 'user@no-such-domain.test',
        field: 'bcc',
        domain: 'no-such-domain.test',
        failure: { outcome: 'failed', status: '5.1.2', diagnostic: expect.any(String) },
        exchangers: [],
      },
    ],
  })
  expect(code).toBe(69)
  expect(connectionsTo(sandbox)).toBe(0)
})

test('a log that could not be written has not cost the log that was there', async () => {
  await writeFile(path.join(cwd, 'kept.log'), 'earlier\n')
  await sendInto(sandbox, [...toBob, '--log', 'kept.log', '--dry-run'], { cwd })
  expect(await readFile(path.join(cwd, 'kept.log'), 'utf8')).toMatch(/^earlier\n/)
})
