import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startDnsServer } from '../support/dns-server.ts'
import { emptyDirectory, run } from './run.ts'

const names = ['--domain', 'example.org', '--selector', 'mx1']
const keygen = (cwd: string, ...args: readonly string[]) =>
  run(['dkim', 'keygen', ...names, ...args], { cwd })

/** A name server that has the TXT records, and for other names none. */
async function dnsWith(records: Readonly<Record<string, readonly string[]>>): Promise<readonly string[]> {
  const dns = await startDnsServer(({ name }) => {
    if (name.startsWith('broken.')) return { rcode: 'SERVFAIL' }
    const texts = records[name]
    if (texts === undefined) return undefined
    return { answers: texts.map((text) => ({ type: 'TXT', name, data: text.match(/.{1,255}/g) ?? [] })) }
  })
  onTestFinished(() => dns.close())
  return ['--dns', dns.server]
}

test.each(['rsa', 'ed25519'])(
  'a new %s key is in a file of mode 0600, and its record is told in each form',
  async (algorithm) => {
    const cwd = await emptyDirectory()
    const { code, stdout } = await keygen(cwd, '--algorithm', algorithm, '--json')
    const made = JSON.parse(stdout)
    expect([code, made.domain, made.selector, made.algorithm]).toEqual([0, 'example.org', 'mx1', algorithm])
    expect(made.record).toEqual({
      name: 'mx1._domainkey.example.org',
      type: 'TXT',
      value: expect.stringMatching(new RegExp(`^v=DKIM1; k=${algorithm}; p=[A-Za-z0-9+/]+=*$`)),
    })
    expect(made.zone).toMatch(/^mx1\._domainkey\.example\.org\. IN TXT /)
    const file = path.join(cwd, made.keyFile)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  },
)

test('what is printed for people holds the record and the configuration, and not the key', async () => {
  const cwd = await emptyDirectory()
  const { code, stdout, stderr } = await keygen(cwd, '--key-file', 'dkim.key')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('mx1._domainkey.example.org. IN TXT ( "v=DKIM1; k=rsa; p=')
  expect(stdout).toContain('\nName:  mx1._domainkey.example.org  (')
  expect(stdout).toContain('[dkim."example.org"]\nselector = "mx1"\nkeyFile = "dkim.key"\n')
  const secret = (await readFile(path.join(cwd, 'dkim.key'), 'utf8')).split('\n')[3] ?? ''
  expect(secret).toHaveLength(64)
  expect(stdout).not.toContain(secret)
})

test('a file that is there is never written over', async () => {
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'dkim.key'), 'precious')
  expect(await keygen(cwd, '--key-file', 'dkim.key')).toEqual({
    code: 73,
    stdout: '',
    stderr: 'mxpress: cannot write the key file dkim.key: there is one already, which is left as it is\n',
  })
  expect(await readFile(path.join(cwd, 'dkim.key'), 'utf8')).toBe('precious')
})

test.each([
  [['--domain', 'example', '--selector', 'mx1'], "--domain 'example': expected a domain"],
  [['--domain', '../etc/passwd', '--selector', 'mx1'], "--domain '../etc/passwd': expected a domain"],
  [['--domain', 'example.org', '--selector', '../mx1'], "--selector '../mx1': expected a name"],
  [['--domain', 'example.org', '--selector', 'mx1\r\nX: y'], 'expected a name'],
  [['--domain', 'example.org'], "required option '--selector <name>' not specified"],
  [[...names, '--algorithm', 'dsa'], "argument 'dsa' is invalid"],
])('%j is refused before anything is written', async (args, words) => {
  const { code, stdout, stderr } = await run(['dkim', 'keygen', ...args])
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toContain(words)
})

test('check finds the record of a key, of a file or configured, also in capitals and as an international name', async () => {
  const cwd = await emptyDirectory()
  const { record } = JSON.parse((await keygen(cwd, '--key-file', 'dkim.key', '--json')).stdout)
  const dns = await dnsWith({ [record.name]: [record.value] })
  const named = await run(['dkim', 'check', ...names, '--key-file', 'dkim.key', ...dns], { cwd })
  expect(named).toEqual({
    code: 0,
    stdout: 'mx1._domainkey.example.org: ok. It is the record of this key.\n',
    stderr: '',
  })
  await writeFile(
    path.join(cwd, 'mxpress.toml'),
    '[dkim."example.org"]\nselector = "mx1"\nkeyFile = "dkim.key"\n',
  )
  for (const args of [[], ['--domain', 'EXAMPLE.org.'], names]) {
    expect((await run(['dkim', 'check', ...args, ...dns], { cwd })).code).toBe(0)
  }
})

test('check says what is wrong, what was expected and what was found', async () => {
  const cwd = await emptyDirectory()
  const { record } = JSON.parse((await keygen(cwd, '--key-file', 'dkim.key', '--json')).stdout)
  const check = (args: readonly string[], selector = 'mx1') =>
    run(
      ['dkim', 'check', '--domain', 'example.org', '--selector', selector, '--key-file', 'dkim.key', ...args],
      { cwd },
    )
  const dns = await dnsWith({ [record.name]: ['v=DKIM1; p=AAAA\u001b[31m'] })
  const wrong = await check(dns)
  expect([wrong.code, wrong.stderr]).toEqual([69, ''])
  expect(wrong.stdout).toBe(
    'mx1._domainkey.example.org: wrong. It is the record of another key.\n' +
      `  expected: ${record.value}\n  found:    "v=DKIM1; p=AAAA\\u001b[31m"\n`,
  )
  const missing = await check([...dns, '--json'], 'mx2')
  expect(missing.code).toBe(69)
  expect(JSON.parse(missing.stdout)).toEqual({
    keys: [
      {
        domain: 'example.org',
        selector: 'mx2',
        keyFile: 'dkim.key',
        algorithm: 'rsa',
        record: 'mx2._domainkey.example.org',
        kind: 'missing',
        text: 'There is no TXT record.',
        remarks: [],
        expected: record.value,
        found: [],
      },
    ],
  })
  const broken = await check(dns, 'broken')
  expect(broken.code).toBe(75)
  expect(broken.stdout).toContain('broken._domainkey.example.org: unknown. The lookup of TXT')
})

test.each([
  ['no key at all', [], 64, 'no key is configured'],
  ['a key that is not configured', names, 64, 'no key for example.org, selector mx1 is configured'],
  ['a file without names', ['--key-file', 'x'], 64, '--key-file needs --domain and --selector'],
  [
    'a file that is not there',
    [...names, '--key-file', 'gone'],
    66,
    'Cannot read the DKIM key file gone: ENOENT',
  ],
  [
    'a file that is no key',
    [...names, '--key-file', 'text'],
    65,
    'Expected the DKIM key file text to be a private key',
  ],
])('check refuses %s', async (_name, args, code, words) => {
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'text'), 'hello')
  const finished = await run(['dkim', 'check', ...args], { cwd })
  expect([finished.code, finished.stdout]).toEqual([code, ''])
  expect(finished.stderr).toContain(words)
})
