import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DoctorReport } from '../../src/doctor/report.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { problemsOf } from '../doctor/schema.ts'
import { makeKey } from '../support/dkim-keys.ts'
import { emptyDirectory, type Finished, run, start } from './run.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

/** Everything that could lead out of the sandbox is named. */
const inSandbox = (...args: readonly string[]): readonly string[] => [
  'doctor',
  ...['--dns', sandbox.dns, '--port', `${sandbox.port}`, '--allow-local-addresses'],
  ...['--receiver', 'accepts.test', '--receiver', 'self-signed.test'],
  ...['--address-list', 'blocklist.test', '--domain-list', 'domain-blocklist.test'],
  ...args,
]

const fit = ['--domain', 'fit-sender.test', '--hostname', 'mail.fit-sender.test'] as const
const unfit = ['--domain', 'unfit-sender.test', '--hostname', 'mail.unfit-sender.test'] as const

const doctor = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  run(inSandbox(...args), { env: { MXPRESS_SOURCE_ADDRESSES: '127.0.0.1', ...env } })

const codesOf = ({ stdout }: Finished): readonly string[] =>
  (JSON.parse(stdout) as DoctorReport).results.map(({ check, status, code }) => `${check} ${status} ${code}`)

test('a host that lacks nothing but signatures is fit with one doubt: exit 75', async () => {
  const finished = await doctor([...fit, '--json'])
  expect({ code: finished.code, stderr: finished.stderr }).toEqual({ code: 75, stderr: '' })
  expect(problemsOf(finished.stdout)).toEqual([])
  expect(codesOf(finished)).toEqual([
    'node ok node-new-enough',
    'clock ok clock-plausible',
    'resolver ok resolver-answers',
    'dnssec ok dnssec-validated',
    'ehlo-name ok ehlo-name-ours',
    'source-address ok address-allowed',
    'source-address ok no-ipv6',
    'reverse-dns ok ptr-confirmed',
    'port-25 ok port-25-open',
    'port-25 ok port-25-unused',
    'spf ok spf-includes-us',
    'helo-spf ok helo-spf-passes',
    'dkim warning dkim-unsigned',
    'dmarc ok dmarc-aligned',
    'bounces ok bounces-arrive',
    'block-list ok not-listed',
    'block-list ok not-listed',
    'queue-directory ok queue-not-made',
    'log-file ok log-writable',
  ])
})

test('with signatures too it is fit: exit 0', async () => {
  const cwd = await emptyDirectory()
  const { keyFile, record } = makeKey('fit-sender.test', 'mx1', 'rsa')
  await using signed = await startSandbox({
    removeMail: true,
    records: { [record.name]: { txt: [record.value] } },
  })
  const toml = [
    'hostname = "mail.fit-sender.test"\nsourceAddresses = ["127.0.0.1"]',
    `[dns]\nservers = ["${signed.dns}"]`,
    `[smtp]\nport = ${signed.port}\nallowLocalAddresses = true`,
    `[dkim."fit-sender.test"]\nselector = "mx1"\nkeyFile = ${JSON.stringify(keyFile)}`,
    '[doctor]\nreceivers = ["accepts.test", "self-signed.test", "no-mx.test"]',
    'addressLists = ["blocklist.test"]\ndomainLists = ["domain-blocklist.test"]',
  ]
  await writeFile(path.join(cwd, 'mxpress.toml'), toml.join('\n'))
  const { code, stdout, stderr } = await run(['doctor'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /\nmail\.fit-sender\.test \[127\.0\.0\.1\] for fit-sender\.test: fit to send \(19 ok, 0 warnings, 0 problems, 0 cannot tell; .*\)\n$/,
  )
  expect(stdout.split('\n').filter((line) => !/^ok {10}|^$|: fit to send/.test(line))).toEqual([])
})

test('a host that lacks everything is told all of it: exit 69', async () => {
  const args = [
    '--address-list',
    'refusing-blocklist.test',
    '--queue',
    '/dev/null/queue',
    '--log',
    '/nowhere/log',
  ]
  const finished = await doctor([...unfit, ...args, '--json'], { MXPRESS_SOURCE_ADDRESSES: '127.0.0.66' })
  expect(finished.code).toBe(69)
  expect(codesOf(finished).filter((line) => !line.includes(' ok '))).toEqual([
    'ehlo-name problem ehlo-name-elsewhere',
    'reverse-dns problem ptr-unconfirmed',
    'spf problem spf-several',
    'helo-spf warning helo-spf-fails',
    'dkim warning dkim-unsigned',
    'dmarc problem dmarc-invalid',
    'bounces problem bounces-null-mx',
    'block-list problem listed',
    'block-list cannot-tell list-refused',
    'block-list problem listed',
    'queue-directory problem queue-unwritable',
    'log-file problem log-unwritable',
  ])
})

test('for people: a line per result, evidence and what to paste below what is wrong, the verdict last', async () => {
  const { stdout, code } = await doctor([...unfit], { MXPRESS_SOURCE_ADDRESSES: '127.0.0.66' })
  expect(code).toBe(69)
  expect(stdout).toMatch(/^ok {10}Node: /)
  expect(stdout).toContain(
    [
      'problem     EHLO name: mail.unfit-sender.test leads to 127.0.0.99, but mail leaves from 127.0.0.66.',
      '            A mail.unfit-sender.test: 127.0.0.99',
      '            AAAA mail.unfit-sender.test: no such record',
      '            → Publish the address of the name.',
      '                mail.unfit-sender.test. 3600 IN A 127.0.0.66',
    ].join('\n'),
  )
  expect(stdout).toMatch(
    /\n\nmail\.unfit-sender\.test \[127\.0\.0\.66\] for unfit-sender\.test: not fit to send \(\d+ ok, .*\)\n$/,
  )
})

test('README shows what it prints', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, shown = ''] = /\(`unfit-sender\.test` of the .*?\n\n```\n(.*?)```/s.exec(readme) ?? []
  const args = [...unfit, '--address-list', 'refusing-blocklist.test']
  const { stdout } = await doctor(args, { MXPRESS_SOURCE_ADDRESSES: '127.0.0.66' })
  // The time differs, and what stands for nothing.
  const plain = (text: string) => text.replace(/; \d+\.\d\d s\)/, '; 0.35 s)')
  const printed = plain(stdout).split('\n')
  let at = -1
  for (const line of shown.trimEnd().split('\n')) {
    if (line === '…') continue
    at = printed.indexOf(line, at + 1)
    expect(at, line).toBeGreaterThan(-1)
  }
  expect(at).toBe(printed.length - 2)
})

test('SIGINT ends with 130 and what is known', async () => {
  // SPF waits for a name server that never answers; what comes before it in the list is known.
  const silent = ['--domain', 'dns-silence.test', '--hostname', 'mail.fit-sender.test']
  const env = { MXPRESS_SOURCE_ADDRESSES: '127.0.0.1', MXPRESS_DNS_TIMEOUT: '1m' }
  const shown = await start(inSandbox(...silent), { env })
  await shown.printed(/\nok {10}Port 25 IPv6: /)
  shown.kill('SIGINT')
  const { code, stdout, stderr } = await shown.finished()
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
  expect(stdout).not.toMatch(/SPF/)

  const asJson = await start(inSandbox(...silent, '--hostname', 'json.fit-sender.test', '--json'), { env })
  while (!sandbox.statistics.queries.has('A json.fit-sender.test')) await nextTurn(10)
  asJson.kill('SIGTERM')
  const finished = await asJson.finished()
  expect(finished).toMatchObject({ code: 143, stderr: '' })
  expect(problemsOf(finished.stdout)).toEqual([])
  expect(JSON.parse(finished.stdout)).toMatchObject({ interrupted: true })
})

test('--evidence shows what was asked also where all is well', async () => {
  const { stdout } = await doctor([...fit, '--evidence'])
  expect(stdout).toMatch(/\nok {10}SPF: .*\n {12}TXT fit-sender\.test: "v=spf1 ip4:127\.0\.0\.1/)
  expect(stdout).toMatch(
    /\n {12}connect mx\.accepts\.test \[127\.25\.1\.1\]:\d+:\n {14}220 mx\.accepts\.test /,
  )
})

test('--fix-records prints a zone-file fragment in which only what is missing or wrong is no comment', async () => {
  const { stdout, code } = await doctor([...unfit, '--fix-records'], {
    MXPRESS_SOURCE_ADDRESSES: '127.0.0.66',
  })
  expect(code).toBe(69)
  const lines = stdout.split('\n')
  expect(lines.filter((line) => line !== '' && !line.startsWith(';'))).toEqual([
    'mail.unfit-sender.test. 3600 IN A 127.0.0.66',
    'mail.unfit-sender.test. 3600 IN TXT "v=spf1 a -all"',
    'unfit-sender.test. 3600 IN TXT "v=spf1 ip4:127.0.0.66 mx ip4:127.0.0.99 -all"',
    '_dmarc.unfit-sender.test. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@unfit-sender.test"',
  ])
  for (const comment of [
    /^; 66\.0\.0\.127\.in-addr\.arpa\. 3600 IN PTR mail\.unfit-sender\.test\.$/m,
    /^; mx1\._domainkey\.unfit-sender\.test\. 3600 IN TXT "v=DKIM1; /m,
    /^; _mta-sts\.unfit-sender\.test\. 3600 IN TXT "v=STSv1; id=\d{14}"$/m,
    /^; _smtp\._tls\.unfit-sender\.test\. 3600 IN TXT "v=TLSRPTv1; rua=mailto:postmaster@unfit-sender\.test"$/m,
  ])
    expect(stdout).toMatch(comment)
  const right = await doctor([...fit, '--fix-records'])
  expect(right.stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))).toEqual([])
  expect(right.stdout).toContain('; published: fit-sender.test. 3600 IN TXT "v=spf1 ip4:127.0.0.1')
})

test('domain, receivers and lists come from the configuration, a log and a queue that are there are left as they were', async () => {
  const cwd = await emptyDirectory()
  await mkdir(path.join(cwd, 'queue'))
  await writeFile(path.join(cwd, 'mxpress.log'), 'before\n')
  const toml = [
    'hostname = "mail.fit-sender.test"',
    'sourceAddresses = ["127.0.0.1"]',
    `[dns]\nservers = ["${sandbox.dns}"]`,
    `[smtp]\nport = ${sandbox.port}\nallowLocalAddresses = true`,
    '[doctor]\ndomain = "fit-sender.test"\nreceivers = ["accepts.test"]',
    'addressLists = []\ndomainLists = ["domain-blocklist.test"]',
  ]
  await writeFile(path.join(cwd, 'mxpress.toml'), toml.join('\n'))
  const finished = await run(['doctor', '--json'], { cwd })
  expect(finished).toMatchObject({ code: 75, stderr: '' })
  expect(codesOf(finished)).toEqual(
    expect.arrayContaining(['queue-directory ok queue-durable', 'log-file ok log-writable']),
  )
  expect(await readdir(path.join(cwd, 'queue'))).toEqual([])
  expect(await readFile(path.join(cwd, 'mxpress.log'), 'utf8')).toBe('before\n')
})

test.each([
  [['--address', 'mail.example.org'], "'mail.example.org' is invalid. Expected an IP address."],
  [
    ['--domain', 'not a domain'],
    'Expected `--domain` to be a domain such as "example.org", got `"not a domain"`',
  ],
  [['--receiver', '-'], 'Expected `--receiver` to be a domain such as'],
  [['--address-list', ''], 'Expected `--address-list` to be a domain such as'],
  [['--port', '0'], "'0' is invalid."],
  [['--hostname', 'localhost'], 'Expected `--hostname` to be a fully qualified domain name'],
  [['now'], "unexpected argument 'now'"],
])('%j is a usage error', async (args, message) => {
  const { code, stdout, stderr } = await doctor(args)
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
  expect(stderr).toContain(message)
})
