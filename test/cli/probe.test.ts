/** `mxpress probe` as people and programs call it. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { probeDocument, problemsOf } from '../probe/schema.ts'
import { emptyDirectory, type Finished, type RunOptions, run, start } from './run.ts'
import { connectionsTo, intoSandbox } from './sending.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

const probe = (args: readonly string[], options?: RunOptions): Promise<Finished> =>
  run(['probe', ...intoSandbox(sandbox), ...args], options)

test('people see a matrix of addresses and stages, the verdict, and what it means', async () => {
  const { code, stdout, stderr } = await probe(['user@second-exchanger.test'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.replace(/\b\d+\.\d+\.\d+\.\d+:\d+/g, 'ADDRESS').replaceAll(/(?<=[✓✗] )\d+ ms */g, 'N ')
  expect(lines).toMatch(/^exchanger +address +connect +greeting +ehlo +starttls +mail +rcpt +remark\n/)
  expect(lines).toMatch(
    /^10 mx1\.second-exchanger\.test +ADDRESS +✗ N (?: *·){5} +connect: connection refused/m,
  )
  expect(lines).toMatch(/^20 mx2\.second-exchanger\.test +ADDRESS +(?:✓ N +){6}TLSv1\.3 not verified: /m)
  expect(lines).toMatch(
    /^accepts {5}user@second-exchanger\.test mx2\.second-exchanger\.test .*: 250 2\.1\.5 /m,
  )
  expect(lines).toMatch(/^ {12}The server would take mail for it\.$/m)
})

describe('--json', () => {
  const everybody = (): readonly string[] =>
    sandbox.domains.filter(({ waits }) => !waits).flatMap(({ mailbox, domain }) => [mailbox, domain])

  test('prints one document that config/probe.schema.json describes, whatever the servers do', async () => {
    const { code, stdout, stderr } = await probe([
      ...everybody(),
      '--json',
      '--transcript',
      '--catch-all',
      '--vrfy',
    ])
    expect({ code, stderr }).toEqual({ code: 69, stderr: '' })
    const { targets, counts } = probeDocument(stdout)
    expect(targets.map(({ target }) => target)).toEqual(everybody())
    expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(targets.length)
  })

  test('keeps the keys that the schema names: one too many, or too few, is found', async () => {
    const { stdout } = await probe(['user@accepts.test', '--json'])
    const document = probeDocument(stdout)
    const [first] = document.targets
    expect(problemsOf({ ...document, targets: [{ ...first, more: 1 }] })).toHaveLength(1)
    const { meaning: _, ...less } = first as object as { meaning: string }
    expect(problemsOf({ ...document, targets: [less] })).toHaveLength(1)
  })

  test('without any target that can be told of, it is a document still', async () => {
    const { code, stdout } = await probe(['--file', '-', '--json'], { stdin: '# nobody\n\n' })
    expect(code).toBe(0)
    expect(probeDocument(stdout)).toEqual({ targets: [], counts: {}, seemsBlocked: false })
  })
})

test('--csv prints a heading and a row for each target, quoted where it must be', async () => {
  const { code, stdout } = await probe(['user@accepts.test', 'csv@greylists.test', 'null-mx.test', '--csv'])
  expect(code).toBe(69)
  const rows = stdout.trimEnd().split('\n')
  expect(rows[0]).toBe(
    'target,domain,verdict,status,reason,meaning,retry_after_seconds,stopped_after,exchanger,ip,port,tls_protocol,tls_verified',
  )
  expect(rows[1]).toMatch(
    /^user@accepts\.test,accepts\.test,accepts,2\.1\.5,250 2\.1\.5 Accepted,.*,TLSv1\.3,no$/,
  )
  expect(rows[2]).toMatch(
    /^csv@greylists\.test,greylists\.test,greylisted,4\.2\.0,"450 4\.2\.0 .*, try again in 10 seconds",/,
  )
  expect(rows[3]).toMatch(/^null-mx\.test,null-mx\.test,no-mail,5\.1\.10,/)
  expect(rows).toHaveLength(4)
})

test('nothing in a CSV becomes a formula in somebody’s spreadsheet', async () => {
  const { stdout } = await probe(['=cmd@accepts.test', '--csv'])
  expect(stdout.split('\n')[1]).toMatch(/^'=cmd@accepts\.test,/)
})

test('--transcript shows the dialogue of each address, with times', async () => {
  const { stdout } = await probe(['user@accepts.test', '--transcript', '--tls', 'off'])
  const said = [...stdout.matchAll(/^ +\d+\.\d{3} ([CS]: .*)$/gm)].map(([, line]) => line)
  expect(said.at(0)).toMatch(/^C: \[connecting to 127\./)
  expect(said.slice(-8)).toEqual([
    'C: MAIL FROM:<>',
    'S: 250 2.1.0 Accepted',
    'C: RCPT TO:<user@accepts.test>',
    'S: 250 2.1.5 Accepted',
    'C: RSET',
    'S: 250 2.0.0 Flushed',
    'C: QUIT',
    'S: 221 2.0.0 Bye',
  ])
})

test('when nobody answers anywhere, the port is what is wrong', async () => {
  const names = ['a.test', 'b.test', 'c.test']
  const routes = names.flatMap((name, at) => ['--route', `${name}=127.200.1.${at + 1}:9`])
  const text = await probe([...routes, ...names])
  expect(text.code).toBe(75)
  expect(text.stdout).toMatch(
    /^3 unreachable\nNobody answered anywhere: the port is probably blocked from here\./m,
  )
  const { stdout } = await probe([...routes, ...names, '--json'])
  expect(probeDocument(stdout)).toMatchObject({ counts: { unreachable: 3 }, seemsBlocked: true })
})

describe('[probe] in the configuration', () => {
  const withConfig = async (text: string, ...args: readonly string[]): Promise<Finished> => {
    const config = path.join(await emptyDirectory(), 'mxpress.toml')
    await writeFile(config, text)
    return probe(['--config', config, 'user@accepts.test', '--transcript', '--tls', 'off', ...args])
  }
  const saidFrom = ({ stdout }: Finished): string | undefined => /C: MAIL FROM:(.*)/.exec(stdout)?.[1]

  test('sets how is asked, and an option wins over it', async () => {
    const config = '[probe]\nfrom = "alice@sender.test"\n'
    expect(saidFrom(await withConfig(config))).toBe('<alice@sender.test>')
    expect(saidFrom(await withConfig(config, '--from', '<>'))).toBe('<>')
  })

  test('sets how many share a session', async () => {
    const { stdout } = await withConfig(
      '[probe]\nperSite = 1\nperSession = 2\n',
      'a@accepts.test',
      'b@accepts.test',
    )
    expect(stdout.match(/C: EHLO/g)).toHaveLength(2)
    expect(stdout).toMatch(/\[in the session that was opened for user@accepts\.test\]/)
  })

  test.each([
    ['from = "me"', /probe\.from.*an address such as/],
    ['from = "a..b@sender.test"', /probe\.from: Malformed address `a\.\.b@sender\.test`/],
    ['timeout = "10"', /probe\.timeout.*a duration/],
    ['perMailbox = 1', /perMailbox/],
  ])('that says %s ends with 78, and nobody was connected to', async (line, words) => {
    const before = connectionsTo(sandbox)
    const { code, stdout, stderr } = await withConfig(`[probe]\n${line}\n`)
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toMatch(words)
    expect(connectionsTo(sandbox)).toBe(before)
  })
})

describe('exit codes', () => {
  test.each([
    [0, ['user@accepts.test', 'accepts.test']],
    [0, ['user@unknown-mailbox.test', '--stop-after', 'starttls']],
    [75, ['user@accepts.test', 'first@greylists.test']],
    [75, ['user@refuses-connections.test']],
    [69, ['second@greylists.test', 'user@unknown-mailbox.test']],
    [69, ['no-such-domain.test']],
    [69, ['null-mx.test']],
  ])('%i: %j', async (expected, args) => {
    expect((await probe(args)).code).toBe(expected)
  })

  test.each([
    [64, [], /a target is missing/],
    [64, [''], /Malformed address ``: expected an address or a domain, found nothing/],
    [64, ['--file', 'a', '--file', 'b'], /'b' is invalid\. Expected the option once\./],
    [64, ['bob@'], /Malformed address `bob@`/],
    [64, ['two words.test'], /two words/],
    [64, ['accepts.test', '--json', '--csv'], /--csv cannot be used with --json/],
    [64, ['accepts.test', '--csv', '--transcript'], /--transcript cannot be used with --csv/],
    [64, ['accepts.test', '--timeout', '10'], /Expected a duration from 1ms to 24d such as "250ms"/],
    [64, ['accepts.test', '--stop-after', 'data'], /Allowed choices are connect/],
    [64, ['accepts.test', '--per-site', '0'], /Expected a whole number from 1/],
    [64, ['accepts.test', '--from', 'me'], /--from: Malformed address `me`/],
    [66, ['--file', 'nowhere.txt'], /--file nowhere\.txt: cannot be read/],
    [66, ['--file', ''], /--file '': expected the name of a file/],
    [66, ['--file', '/'], /--file \/: expected a file, found a directory/],
  ])('%i: %j', async (expected, args, complaint) => {
    const before = connectionsTo(sandbox)
    const { code, stdout, stderr } = await probe(args)
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
    expect(stderr).toMatch(complaint)
    expect(connectionsTo(sandbox)).toBe(before)
  })
})

describe('--file', () => {
  const listed = async (text: string | Uint8Array): Promise<string> => {
    const file = path.join(await emptyDirectory(), 'list.txt')
    await writeFile(file, text)
    return file
  }

  test('holds a target a line, behind those of the command line; one line each is shown', async () => {
    const file = await listed(
      '\uFEFFuser@accepts.test\r\n\r\n# nobody\r\n  unknown-mailbox.test  \r\nlast@accepts.test',
    )
    const { code, stdout } = await probe(['first@accepts.test', '--file', file])
    expect(code).toBe(69)
    expect(stdout.replace(/ mx\..*/gm, '')).toBe(
      'accepts     first@accepts.test\naccepts     user@accepts.test\nrejects     unknown-mailbox.test\naccepts     last@accepts.test\n3 accepts, 1 rejects\n',
    )
  })

  test('with a malformed line ends with 65, and nobody was connected to', async () => {
    const before = connectionsTo(sandbox)
    const { code, stderr } = await probe(['--file', await listed('user@accepts.test\nuser@@b\n')])
    expect(code).toBe(65)
    expect(stderr).toMatch(/list\.txt: line 2: Malformed address `user@@b`/)
    expect(connectionsTo(sandbox)).toBe(before)
  })

  test.each([
    [
      'octets that are no text',
      Uint8Array.of(0x66, 0xff, 0x0a),
      /expected text in UTF-8, found other octets/,
    ],
    ['UTF-16, lower octet first', Buffer.from('\uFEFFa.test\n', 'utf16le'), /found UTF-16: save it as UTF-8/],
    ['UTF-16, higher octet first', Buffer.from('\uFEFFa.test\n', 'utf16le').swap16(), /found UTF-16/],
    ['a line without an end', 'x'.repeat(200_000), /line 1 is longer than 10000 characters/],
  ])('of %s ends with 65', async (_title, content, complaint) => {
    const { code, stderr } = await probe(['--file', await listed(content)])
    expect(code).toBe(65)
    expect(stderr).toMatch(complaint)
  })

  test('from standard input that becomes no text shows what was asked before', async () => {
    const probing = await start(['probe', ...intoSandbox(sandbox), '--file', '-', '--json'], {
      stdin: null,
    })
    probing.write('user@accepts.test\n')
    await probing.printed(/"verdict": "accepts"/)
    probing.write(Uint8Array.of(0xff, 0x0a))
    const { code, stdout, stderr } = await probing.finished()
    expect(code).toBe(65)
    expect(stderr).toMatch(/expected text in UTF-8/)
    expect(probeDocument(stdout).counts).toEqual({ accepts: 1 })
  })

  test('an address literal is named once', async () => {
    const { stdout } = await probe(['user@[127.200.1.1]', '--transcript'])
    expect(stdout).toMatch(/^-- \[127\.200\.1\.1\]:\d+$/m)
    expect(stdout).toMatch(/^unreachable user@\[127\.200\.1\.1\] \[127\.200\.1\.1\]:\d+: connection refused/m)
  })

  test('from standard input leaves malformed lines out, names them, and ends with 65', async () => {
    const { code, stdout, stderr } = await probe(['--file', '-'], { stdin: 'bad@@x\nuser@accepts.test\n' })
    expect(code).toBe(65)
    expect(stderr).toMatch(/^mxpress: --file -: line 1: Malformed address `bad@@x`.*; left out\n$/)
    expect(stdout).toMatch(/^accepts {5}user@accepts\.test /)
  })
})

describe('SIGINT', () => {
  const both = ['user@accepts.test', 'user@silent.test', 'other@silent.test']

  test('shows what is known and ends with 130', async () => {
    const probing = await start(['probe', ...intoSandbox(sandbox), ...both])
    await probing.printed(/^accepts/m)
    probing.kill('SIGINT')
    const { code, stdout, stderr } = await probing.finished()
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toMatch(/^unknown {5}user@silent\.test .*: stopped by SIGINT$/m)
    expect(stdout).toMatch(/^1 accepts, 2 unknown$/m)
  })

  test('leaves a whole document with --json', async () => {
    const probing = await start(['probe', ...intoSandbox(sandbox), ...both, '--json'])
    await probing.printed(/"verdict": "accepts"/)
    probing.kill('SIGINT')
    const { code, stdout } = await probing.finished()
    expect(code).toBe(130)
    expect(probeDocument(stdout).counts).toEqual({ accepts: 1, unknown: 2 })
  })

  test('does so before there is any report', async () => {
    const probing = await start([
      'probe',
      ...intoSandbox(sandbox),
      '--file',
      '-',
      '--json',
      'user@dns-silence.test',
    ])
    await eventually(() => (sandbox.statistics.queries.get('MX dns-silence.test') ?? 0) > 0)
    probing.kill('SIGINT')
    const { code, stdout } = await probing.finished()
    expect(code).toBe(130)
    expect(probeDocument(stdout)).toEqual({ targets: [], counts: {}, seemsBlocked: false })
  })
})

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
