/** `mxpress talk` as people and scripts call it. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createSecureContext } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { scripted } from '../support/scripted.ts'
import type { Script } from '../support/scripted-server.ts'
import { ordinary, silence } from '../support/scripted-steps.ts'
import { emptyDirectory, type Finished, type RunOptions, run, start } from './run.ts'
import { connectionsTo } from './sending.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

/** Talks to an exchanger of the sandbox, saying these lines. */
const talkTo = (
  host: string,
  lines: readonly string[],
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Finished> =>
  run(['talk', `${host}:${sandbox.port}`, '--dns', sandbox.dns, ...args], {
    stdin: lines.map((line) => `${line}\n`).join(''),
    ...options,
  })

/** Talks to a server that follows a script. */
async function talkToScripted(
  script: Script,
  lines: readonly string[],
  args: readonly string[] = [],
): Promise<Finished> {
  const server = await scripted(script)
  return run(['talk', `127.0.0.1:${server.port}`, ...args], {
    stdin: lines.map((line) => `${line}\n`).join(''),
  })
}

/** A name of loopback that only the hosts file has, if there is one. */
const knownHere =
  (await readFile('/etc/hosts', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .flatMap(([address = '', ...names]) => names.map((name) => ({ address, name })))
    .find(({ address, name }) => /^(?:127\.|::1$)/.test(address) && !/(?:^|\.)localhost$/.test(name)) ?? null

const time = String.raw`\d\d:\d\d:\d\d\.\d{3}`

test('lines of standard input are said one after another; a message arrives', async () => {
  const lines = [
    'EHLO me.test',
    'STARTTLS',
    'EHLO me.test',
    'MAIL FROM:<a@sender.test>',
    'RCPT TO:<talk@accepts.test>',
    'DATA',
    'Subject: hi',
    '',
    '.dot',
    '.',
  ]
  const { code, stdout, stderr } = await talkTo('mx.accepts.test', lines)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    new RegExp(
      `^-- \\d{4}-\\d\\d-\\d\\d mx\\.accepts\\.test \\[127[\\d.]+\\]:\\d+\n${time} -- connected in \\d+ ms\n${time} S: 220 `,
    ),
  )
  expect(stdout).toMatch(
    new RegExp(
      `${time} C: STARTTLS\n${time} S: 220 .*\n${time} -- TLSv1\\.3 \\S+, certificate not verified: .*\n`,
    ),
  )
  expect(stdout).toMatch(new RegExp(`${time} C: QUIT\n${time} S: 221 .*\n${time} -- closed\n$`))
  const [mail] = await sandbox.received({ recipient: 'talk@accepts.test' })
  expect(Buffer.from(mail?.content ?? []).toString()).toBe('Subject: hi\r\n\r\n.dot\r\n')
})

describe('a host by its name', () => {
  test('is one that this host knows, without any name server: localhost', async () => {
    const server = await scripted(ordinary())
    const { code, stdout } = await run(['talk', `localhost:${server.port}`], { stdin: 'NOOP\n' })
    expect(stdout).toMatch(/^-- \S+ localhost \[127\.0\.0\.1\]:\d+\n/)
    expect(code).toBe(69)
  })

  test('is asked of the name servers that --dns names, and of nobody else', async () => {
    const before = sandbox.statistics.queries.get('A mx.accepts.test') ?? 0
    expect((await talkTo('mx.accepts.test', [])).code).toBe(0)
    expect(sandbox.statistics.queries.get('A mx.accepts.test')).toBe(before + 1)
  })

  test.skipIf(knownHere === null)('is looked up as the system does otherwise: /etc/hosts', async () => {
    const name = knownHere?.name ?? ''
    const server = await scripted(ordinary(), { address: knownHere?.address ?? '' })
    const { stdout } = await run(['talk', `${name}:${server.port}`], { stdin: '' })
    expect(stdout).toMatch(new RegExp(`^-- \\S+ ${name} \\[`))
  })
})

describe(':ehlo gives', () => {
  const helloFrom = async (config: string, ...args: readonly string[]): Promise<string | undefined> => {
    const file = path.join(await emptyDirectory(), 'mxpress.toml')
    await writeFile(file, config)
    const { stdout } = await talkToScripted(ordinary(), [':ehlo'], ['--config', file, ...args])
    return /C: (EHLO .*)/.exec(stdout)?.[1]
  }

  test('the name of the configuration, or of --hostname', async () => {
    const config = 'hostname = "mail.sender.test"\n'
    expect(await helloFrom(config)).toBe('EHLO mail.sender.test')
    expect(await helloFrom(config, '--hostname', 'other.sender.test')).toBe('EHLO other.sender.test')
  })

  test('the name of the address that the session comes from', async () => {
    const addresses = 'hostname = "mail.sender.test"\nsourceAddresses = ["127.0.0.9"]\n'
    const names = '[sourceHostnames]\n"127.0.0.9" = "mx9.sender.test"\n"127.0.0.8" = "mx8.sender.test"\n'
    expect(await helloFrom(addresses + names)).toBe('EHLO mx9.sender.test')
  })
})

test('--mx calls the exchangers of a domain, the best that answers', async () => {
  const { code, stdout } = await talkTo('second-exchanger.test', [], ['--mx'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^-- \S+ mx2?\d*\.second-exchanger\.test \[/)
})

describe('the exit code', () => {
  test.each([
    ['0 when all is as expected', ['EHLO x', 'VRFY y', ':expect any'], 0, ''],
    [
      '69 when a reply is no for good',
      ['EHLO x', 'XYZZY'],
      69,
      'mxpress: expected 2xx or 3xx to XYZZY, found 500 5.5.2 ',
    ],
    [
      '69 when another code was expected',
      ['EHLO x', ':expect 550'],
      69,
      'mxpress: expected 550 to EHLO, found 250 ',
    ],
    ['65 when a line is malformed', ['EHLO x', ':wait'], 65, 'mxpress: :wait: expected '],
    [
      '65 when content has no end',
      ['EHLO x', 'MAIL FROM:<>', 'RCPT TO:<x@accepts.test>', 'DATA', 'half'],
      65,
      'mxpress: expected a line with a single dot',
    ],
    [
      '66 when a file is missing',
      ['EHLO x', ':data /nonexistent/file'],
      66,
      'mxpress: :data /nonexistent/file: cannot be read',
    ],
  ])('is %s', async (_title, lines, code, words) => {
    const finished = await talkTo('mx.accepts.test', lines)
    expect(finished.code).toBe(code)
    expect(finished.stderr.slice(0, words.length)).toBe(words)
  })

  test('is 75 when a later try may help: 4xx, no connection, nothing said in time, the connection lost', async () => {
    const later = await talkTo('mx.mailbox-full.test', [
      'EHLO x',
      'MAIL FROM:<>',
      'RCPT TO:<x@mailbox-full.test>',
    ])
    expect(later).toMatchObject({ code: 75, stderr: expect.stringContaining('to RCPT, found 452 4.2.2') })
    const closed = await run(['talk', '127.0.0.1:1', '--timeout', '5s'])
    expect(closed).toMatchObject({
      code: 75,
      stdout: '',
      stderr: expect.stringContaining('[127.0.0.1]:1: connection refused'),
    })
    const silent = await talkToScripted(silence, [], ['--timeout', '100ms'])
    expect(silent).toMatchObject({ code: 75, stderr: 'mxpress: no end of the greeting within 100 ms\n' })
    const lost = await talkToScripted(
      async (client) => {
        await client.reply('220 hi')
        await client.command()
        client.close()
      },
      ['EHLO x'],
    )
    expect(lost).toMatchObject({ code: 75, stderr: 'mxpress: the peer closed the connection\n' })
  })
})

describe('before anybody is called', () => {
  test.each([
    ['a host that is none', ['mx host'], 64, /expected a host such as .*found 'mx host'/],
    ['no host', [], 64, /missing required argument 'host:port'|missing required argument/],
    [
      'a script that is a directory',
      ['h.test', '--script', '/'],
      66,
      /--script \/: expected a file, found a directory/,
    ],
    ['a host of a thousand letters', ['h'.repeat(1000)], 64, /found 'h{100}…'/],
    ['a time limit that is none', ['h.test', '--timeout', 'soon'], 64, /--timeout.*'soon'/],
    ['a time limit that no timer has', ['h.test', '--timeout', '25d'], 64, /a duration from 1ms to 24d/],
    [
      'a script that is not there',
      ['h.test', '--script', '/nonexistent'],
      66,
      /--script \/nonexistent: cannot be read/,
    ],
    [
      'a transcript that cannot be written',
      ['h.test', '--transcript', '/nonexistent/t'],
      73,
      /--transcript \/nonexistent\/t: cannot be written/,
    ],
    ['a word too many', ['h.test', '25'], 64, /unexpected argument '25'/],
  ])('%s is refused', async (_what, args, code, words) => {
    const before = connectionsTo(sandbox)
    const finished = await run(['talk', ...args])
    expect(finished).toMatchObject({ code, stdout: '' })
    expect(finished.stderr).toMatch(words)
    expect(connectionsTo(sandbox)).toBe(before)
  })

  test('a script is looked through, and its mistakes have the numbers of their lines', async () => {
    const cwd = await emptyDirectory()
    const script = path.join(cwd, 'x.rc')
    await writeFile(script, 'EHLO x\n:expct 250\n')
    expect(await talkTo('mx.accepts.test', [], ['--script', script])).toMatchObject({
      code: 65,
      stdout: '',
      stderr: expect.stringContaining('line 2: unknown word `:expct`'),
    })
    await writeFile(script, 'EHLO x\n:data nothing.eml\n')
    expect(await talkTo('mx.accepts.test', [], ['--script', script])).toMatchObject({ code: 66, stdout: '' })
  })

  test('a domain that is not there, or takes no mail, ends with 69', async () => {
    expect(await talkTo('no-such-domain.test', [], ['--mx'])).toMatchObject({ code: 69, stdout: '' })
    expect(await talkTo('null-mx.test', [], ['--mx'])).toMatchObject({ code: 69, stdout: '' })
  })
})

test('a script from a file may name files, relative to where it is run', async () => {
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'm.eml'), 'Subject: from a file\n\n.x\n')
  await writeFile(
    path.join(cwd, 's.rc'),
    '# test\n:expect 220\nEHLO x\nMAIL FROM:<>\nRCPT TO:<file@accepts.test>\n:data m.eml\n:expect 250\n',
  )
  expect(await talkTo('mx.accepts.test', [], ['--script', 's.rc'], { cwd })).toMatchObject({
    code: 0,
    stderr: '',
  })
  const [mail] = await sandbox.received({ recipient: 'file@accepts.test' })
  expect(Buffer.from(mail?.content ?? []).toString()).toBe('Subject: from a file\r\n\r\n.x\r\n')
})

test('the transcript is what was said, for its owner only, without passwords', async () => {
  const cwd = await emptyDirectory()
  const transcript = path.join(cwd, 't.txt')
  const { stdout } = await talkTo(
    'mx.accepts.test',
    ['EHLO x', 'AUTH PLAIN AGEAc2VjcmV0', ':expect any'],
    ['--transcript', transcript],
  )
  const text = await readFile(transcript, 'utf8')
  expect(text).toBe(stdout)
  expect(text).toContain('C: AUTH PLAIN [hidden]')
  expect((await stat(transcript)).mode & 0o777).toBe(0o600)
})

test('--implicit-tls begins with TLS, and says whom the certificate names', async () => {
  const { kinds } = makeCertificates(['mx.example.test'])
  const secureContext = createSecureContext(kinds.trusted)
  const lines = ['EHLO x', 'QUIT']
  const { code, stdout } = await talkToScripted(
    async (client) => {
      await client.startTls(secureContext)
      await ordinary()(client)
    },
    lines,
    ['--implicit-tls'],
  )
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /connected in \d+ ms\n\S+ -- TLSv1\.3 .*\n\S+ -- certificate for mx\.example\.test, issued by .*\n\S+ S: 220 /,
  )
})

test('the script that README shows does what it says', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, script = ''] = /```\n(# relay\.rc[\s\S]*?)```/.exec(readme) ?? []
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'relay.rc'), script)
  const closed = await talkTo('mx.unknown-mailbox.test', [], ['--script', 'relay.rc'], { cwd })
  expect(closed).toMatchObject({ code: 0, stderr: '' })
  const open = await talkToScripted(ordinary(), script.split('\n'))
  expect(open).toMatchObject({ code: 69, stderr: 'mxpress: expected 550|554 to RCPT, found 250 2.0.0 ok\n' })
})

test('what the peer says reaches no terminal raw, and no more than a person can read', async () => {
  const nasty = `220 \x1b]0;title\x07\x1b[2J\u202e${'x'.repeat(5000)}`
  const { stdout, stderr } = await talkToScripted(ordinary({ greeting: nasty, EHLO: '550 \x9b31m\0' }), [
    'EHLO x',
  ])
  expect(`${stdout}${stderr}`).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  expect(stdout).toContain('S: 220 \\x1b]0;title\\x07')
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(2200)
})

test('--json prints one document, also when nobody answers', async () => {
  const { code, stdout, stderr } = await talkTo(
    'mx.accepts.test',
    ['EHLO x', 'STARTTLS', 'XYZZY'],
    ['--json'],
  )
  expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringContaining('to XYZZY') })
  const document = JSON.parse(stdout)
  expect(document).toMatchObject({
    target: expect.stringMatching(/^mx\.accepts\.test \[127/),
    tls: {
      protocol: 'TLSv1.3',
      verified: false,
      certificate: { names: expect.arrayContaining(['mx.accepts.test']) },
    },
    problem: expect.stringContaining('to XYZZY'),
    exitCode: 69,
    replies: [
      { command: 'greeting', code: 220 },
      { command: 'EHLO', code: 250 },
      { command: 'STARTTLS' },
      { command: 'XYZZY', code: 500, status: '5.5.2', durationMs: expect.any(Number) },
      { command: 'QUIT' },
    ],
  })
  expect(document.lines).toContainEqual({ at: expect.stringMatching(/Z$/), from: 'client', text: 'EHLO x' })
  const nobody = await run(['talk', '127.0.0.1:1', '--json'])
  expect(JSON.parse(nobody.stdout)).toMatchObject({ target: null, exitCode: 75, replies: [], lines: [] })
})

test('an interruption ends it with 130, while the peer is silent and while nothing is said', async () => {
  const server = await scripted(silence)
  const talking = await start(['talk', `127.0.0.1:${server.port}`])
  await talking.printed(/connected/)
  talking.kill('SIGINT')
  expect(await talking.finished()).toMatchObject({ code: 130, stderr: '' })
  server.script = ordinary()
  const waiting = await start(['talk', `127.0.0.1:${server.port}`], { stdin: null })
  await waiting.printed(/220/)
  waiting.kill('SIGINT')
  expect(await waiting.finished()).toMatchObject({ code: 130, stderr: '' })
})

test('help tells of every word, with examples', async () => {
  const { code, stdout } = await run(['talk', '--help'])
  expect(code).toBe(0)
  for (const word of [
    ':expect',
    ':data',
    ':bdat',
    ':send',
    ':wait',
    ':drop',
    '--implicit-tls',
    '--transcript',
    'Examples:',
  ]) {
    expect(stdout).toContain(word)
  }
})
