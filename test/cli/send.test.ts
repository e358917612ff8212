import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { startHeldExchanger } from './held-exchanger.ts'
import { sendReportSchema } from './report-schema.ts'
import { emptyDirectory } from './run.ts'
import { fromAlice, sendInto } from './sending.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

test('--json prints the document of the contract and nothing else', async () => {
  const recipients = [
    '--to',
    'a@accepts.test',
    '--cc',
    'b@unknown-mailbox.test',
    '--bcc',
    'c@no-such-domain.test',
  ]
  const { code, stdout, stderr } = await sendInto(sandbox, [...fromAlice, ...recipients, '--json'])
  expect({ code, stderr }).toEqual({ code: 69, stderr: '' })
  const report = sendReportSchema.parse(JSON.parse(stdout))
  expect(report).toMatchObject({
    reversePath: 'alice@sender.test',
    counts: { delivered: 1, deferred: 0, failed: 2 },
  })
  expect(
    report.recipients.map(({ address, field, outcome, status }) => [address, field, outcome, status]),
  ).toEqual([
    ['a@accepts.test', 'to', 'delivered', expect.stringMatching(/^2\./)],
    ['b@unknown-mailbox.test', 'cc', 'failed', '5.1.1'],
    ['c@no-such-domain.test', 'bcc', 'failed', '5.1.2'],
  ])
  expect(report.recipients[2]).toMatchObject({
    exchanger: null,
    ip: null,
    port: null,
    tls: null,
    attempts: [],
  })
})

test.each([
  {
    code: 0,
    domain: 'accepts.test',
    line: /^delivered user@accepts\.test \(to\) mx\.accepts\.test \[127\.[\d.]+\]:\d+ TLSv1\.3 unverified \d+\.\d\d s: 250 /,
  },
  {
    code: 75,
    domain: 'mailbox-full.test',
    line: /^deferred {2}user@mailbox-full\.test \(to\) .*: 452 4\.2\.2 /,
  },
  {
    code: 69,
    domain: 'unknown-mailbox.test',
    line: /^failed {4}user@unknown-mailbox\.test \(to\) .*: 550 5\.1\.1 /,
  },
  {
    code: 69,
    domain: 'null-mx.test',
    line: /^failed {4}user@null-mx\.test \(to\) \d+\.\d\d s: 5\.1\.10 at route: /,
  },
  {
    code: 75,
    domain: 'drops-after-dot.test',
    line: /^deferred {2}user@drops-after-dot\.test .* \(uncertain: the message may have arrived\)$/,
  },
])('$domain ends with $code and a line that begins with the outcome', async ({ code, domain, line }) => {
  const finished = await sendInto(sandbox, [...fromAlice, '--to', `user@${domain}`])
  expect(finished).toMatchObject({ code, stderr: '' })
  const [first, summary, ...rest] = finished.stdout.split('\n')
  expect(first).toMatch(line)
  expect(summary).toMatch(
    /^\d delivered, \d deferred, \d failed in \d+\.\d\d s, Message-ID <\S+@sender\.test>$/,
  )
  expect(rest).toEqual([''])
})

test('a Bcc recipient gets the message and nobody learns of it', async () => {
  const recipients = ['--to', 'open@accepts.test', '--bcc', 'Secret <secret@accepts.test>']
  expect(await sendInto(sandbox, [...fromAlice, ...recipients])).toMatchObject({ code: 0 })
  for (const recipient of ['open@accepts.test', 'secret@accepts.test']) {
    const [mail] = await sandbox.received({ recipient })
    const content = Buffer.from(mail?.content ?? []).toString()
    expect(content).toContain('To: open@accepts.test')
    expect(content).not.toMatch(/bcc|secret/i)
  }
})

test('a raw message comes from standard input, its recipients from its fields', async () => {
  const raw =
    'From: alice@sender.test\nTo: raw@accepts.test\nBcc: hidden@accepts.test\nDate: Sat, 21 Nov 2026 07:00:00 +0000\nMessage-ID: <raw@sender.test>\nSubject: raw\n\n.dot\n'
  expect(await sendInto(sandbox, ['--raw', '-'], { stdin: raw })).toMatchObject({ code: 0, stderr: '' })
  const [mail] = await sandbox.received({ recipient: 'hidden@accepts.test' })
  expect(Buffer.from(mail?.content ?? []).toString()).toBe(
    raw.replace('Bcc: hidden@accepts.test\n', '').replaceAll('\n', '\r\n'),
  )
})

test('the null reverse-path is asked for with <>', async () => {
  const args = [...fromAlice, '--envelope-from', '<>', '--to', 'null@accepts.test']
  expect(await sendInto(sandbox, args)).toMatchObject({ code: 0 })
  expect(await sandbox.received({ recipient: 'null@accepts.test' })).toMatchObject([{ reversePath: '' }])
})

test('the log has a line for each verdict, and is mxpress.log without being asked for', async () => {
  const cwd = await emptyDirectory()
  expect(await sendInto(sandbox, [...fromAlice, '--to', 'log@accepts.test'], { cwd })).toMatchObject({
    code: 0,
  })
  const log = await readFile(path.join(cwd, 'mxpress.log'), 'utf8')
  expect(log).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z \S+\[\d+\]: \S+ to=<log@accepts\.test> field=to outcome=delivered exchanger=mx\.accepts\.test\[127\.[\d.]+\]:\d+ .*stage=end-of-data status=2\.\d\.\d .*\n/m,
  )
  expect(log.endsWith('\n')).toBe(true)
})

test('--log names the log and --log-format json makes it NDJSON', async () => {
  const cwd = await emptyDirectory()
  const args = [...fromAlice, '--to', 'log@accepts.test', '--log', 'other.log', '--log-format', 'json']
  expect(await sendInto(sandbox, args, { cwd })).toMatchObject({ code: 0 })
  const lines = (await readFile(path.join(cwd, 'other.log'), 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ to: 'log@accepts.test', outcome: 'delivered' }),
  )
  await expect(stat(path.join(cwd, 'mxpress.log'))).rejects.toThrow('ENOENT')
})

test('--debug shows the dialogue on standard error, content left out', async () => {
  const args = [...fromAlice, '--to', 'debug@accepts.test', '--debug', '--json']
  const { code, stdout, stderr } = await sendInto(sandbox, args)
  expect(code).toBe(0)
  expect(sendReportSchema.safeParse(JSON.parse(stdout)).success).toBe(true)
  const lines = stderr.trimEnd().split('\n')
  expect(lines.every((line) => /^\d\d:\d\d:\d\d\.\d{3} \S+ (C:|S:|--) /.test(line))).toBe(true)
  const said = lines.map((line) => line.replace(/^\S+ \S+ /, ''))
  expect(said[0]).toMatch(/^-- mx\.accepts\.test \[127\.[\d.]+\]:\d+$/)
  expect(said[1]).toMatch(/^S: 220 /)
  expect(said).toContain('C: EHLO sender.test')
  expect(said).toContain('C: STARTTLS')
  expect(said.some((line) => /^C: RCPT TO:<debug@accepts\.test>/.test(line))).toBe(true)
  expect(said).toContain('C: QUIT')
  expect(stderr).not.toMatch(/hello|Subject/)
})

test('NO_COLOR and a pipe leave the text without escape sequences, FORCE_COLOR brings them', async () => {
  const args = [...fromAlice, '--to', 'colour@accepts.test']
  const [piped, forced] = await Promise.all([
    sendInto(sandbox, args),
    sendInto(sandbox, args, { env: { FORCE_COLOR: '1' } }),
  ])
  expect(piped.stdout).not.toContain('\u001b')
  expect(forced.stdout).toMatch(/^\u001b\[32mdelivered\u001b\[39m /)
})

test('options come from the configuration file where the command line does not say otherwise', async () => {
  const cwd = await emptyDirectory()
  const toml = `hostname = "sender.test"\n[dns]\nservers = ["${sandbox.dns}"]\n[smtp]\nport = ${sandbox.port}\nallowLocalAddresses = true\n[tls]\nmode = "off"\n[log]\nfile = "configured.log"\n`
  await writeFile(path.join(cwd, 'mxpress.toml'), toml)
  const { code, stdout } = await sendInto(sandbox, [...fromAlice, '--to', 'config@accepts.test', '--json'], {
    cwd,
  })
  expect(code).toBe(0)
  expect(sendReportSchema.parse(JSON.parse(stdout)).recipients).toMatchObject([{ tls: null }])
  expect(await readFile(path.join(cwd, 'configured.log'), 'utf8')).toContain('to=<config@accepts.test>')
})

test('what a hostile server says reaches terminal, log and JSON without a control character', async () => {
  await using exchanger = await startHeldExchanger()
  exchanger.accept('250 2.0.0 \u001b[2J\u009b31m "done"\b')
  const cwd = await emptyDirectory()
  const args = [
    ...fromAlice,
    '--to',
    'x@held.test',
    '--route',
    `held.test=127.0.0.1:${exchanger.port}`,
    '--debug',
  ]
  const text = await sendInto(sandbox, args, { cwd })
  expect(text.stdout).toMatch(/: 250 2\.0\.0 \\x1b\[2J\\x9b31m "done"\\x08\n/)
  expect(text.stderr).toContain('S: 250 2.0.0 \\x1b[2J\\x9b31m "done"\\x08\n')
  const log = await readFile(path.join(cwd, 'mxpress.log'), 'utf8')
  expect(log).toContain('reply="250 2.0.0 \\x1b[2J\\x9b31m \\"done\\"\\x08"\n')
  const json = await sendInto(sandbox, [...args, '--json'], { cwd })
  expect(JSON.parse(json.stdout)).toMatchObject({
    recipients: [{ diagnostic: '250 2.0.0 \u001b[2J\u009b31m "done"\b' }],
  })
  for (const shown of [text.stdout, text.stderr, log, json.stdout]) expect(shown).not.toMatch(/[^\P{Cc}\n]/u)
})
