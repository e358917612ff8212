/** `mxpress send` through a relay: who logs in, what is shown of it, and how the command ends. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import tls from 'node:tls'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RecipientReport } from '../../src/delivery/report.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { saslServer } from '../support/sasl-server.ts'
import { scripted } from '../support/scripted.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import { emptyDirectory, type Finished, run } from './run.ts'
import { fromAlice, intoSandbox } from './sending.ts'

const { ca, kinds } = makeCertificates(['localhost'])
const secureContext = tls.createSecureContext(kinds.trusted)
const known = { user: 'me@example.test', password: 'correct horse battery' }

let cwd: string
beforeAll(async () => {
  cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'ca.pem'), ca)
  await writeFile(path.join(cwd, 'relay.secret'), `${known.password}\n`)
  await writeFile(path.join(cwd, 'wrong.secret'), 'incorrect horse\n')
})

async function relayWith(answers: Answers = {}) {
  const sasl = saslServer(known)
  const offers = ['STARTTLS', 'PIPELINING', '8BITMIME', 'AUTH PLAIN LOGIN']
  const server = await scripted(ordinary({ secureContext, offers, AUTH: sasl.AUTH, ...answers }))
  return { server, sasl, at: `localhost:${server.port}` }
}

const hostname = ['--hostname', 'mail.sender.test']
const toBoth = [...fromAlice, ...hostname, '--to', 'bob@one.test, carol@two.test']
const withLogin = ['--relay-user', known.user, '--relay-password-file', 'relay.secret']

const send = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  run(['send', ...args], { cwd, env: { MXPRESS_TLS_CA_FILE: 'ca.pem', ...env } })

const expectNoSecret = (...texts: readonly string[]): void => {
  const plain = Buffer.from(`\0${known.user}\0${known.password}`).toString('base64')
  for (const text of texts) {
    expect(text).not.toContain(known.password)
    expect(text).not.toContain(plain.slice(0, 12))
  }
}

describe('--relay', () => {
  test('takes the mail of every domain, over TLS that is verified, after a login', async () => {
    const { sasl, at } = await relayWith()
    const finished = await send([
      ...toBoth,
      '--relay',
      at,
      ...withLogin,
      '--json',
      '--log',
      'all.log',
      '--debug',
    ])
    expect(finished.code).toBe(0)
    const report = JSON.parse(finished.stdout)
    expect(report.counts).toEqual({ delivered: 2, deferred: 0, failed: 0 })
    expect(report.recipients[0]).toMatchObject({ exchanger: 'localhost', tls: { verified: true } })
    expect(sasl.accepted).toEqual(['PLAIN'])
    expect(finished.stderr).toContain('AUTH PLAIN [hidden]')
    expectNoSecret(finished.stdout, finished.stderr, await readFile(path.join(cwd, 'all.log'), 'utf8'))
  })

  test('reads the password from a variable too', async () => {
    const { sasl, at } = await relayWith()
    const login = ['--relay-user', known.user, '--relay-password-env', 'SECRET']
    const finished = await send([...toBoth, '--relay', at, ...login], { SECRET: known.password })
    expect(finished.code).toBe(0)
    expect(sasl.accepted).toEqual(['PLAIN'])
  })

  test('needs no login, and no TLS where that was said', async () => {
    const { server, at } = await relayWith({ offers: ['PIPELINING'] })
    const finished = await send([...toBoth, '--relay', at, '--relay-tls', 'off'])
    expect(finished.code).toBe(0)
    expect(
      server.conversations.every(({ commands }) => !commands.some((line) => line.startsWith('AUTH'))),
    ).toBe(true)
  })

  test('with a wrong password ends at once with a message, defers everybody, and exits 78', async () => {
    const { server, sasl, at } = await relayWith()
    const login = ['--relay-user', known.user, '--relay-password-file', 'wrong.secret']
    const finished = await send([...toBoth, '--relay', at, ...login, '--json'])
    expect(finished.code).toBe(78)
    expect(JSON.parse(finished.stdout)).toMatchObject({
      counts: { delivered: 0, deferred: 2, failed: 0 },
      recipients: [
        { outcome: 'deferred', stage: 'auth', status: '5.7.8', reply: { code: 535 } },
        { outcome: 'deferred', stage: 'auth' },
      ],
    })
    expect(finished.stderr).toMatch(
      /^mxpress: cannot log in at the relay localhost:\d+: 535 5\.7\.8 authentication failed; check its user and password/m,
    )
    expect(sasl.tried).toEqual(['PLAIN'])
    expect(server.conversations).toHaveLength(1)
  })

  test.each([
    [['--relay-tls', 'off'], 'wants TLS or a login first: 530 5.7.0 no; check its tls, user and password'],
    [[], 'wants a login first: 530 5.7.0 no; check its user and password'],
  ])(
    '%j that lets nobody send without more is told, defers everybody, and exits 78',
    async (args, message) => {
      const { server, at } = await relayWith({ MAIL: '530 5.7.0 no' })
      const finished = await send([...toBoth, '--relay', at, ...args])
      expect(finished.code).toBe(78)
      expect(finished.stderr).toContain(message)
      expect(finished.stdout).toContain('0 delivered, 2 deferred, 0 failed')
      expect(server.conversations).toHaveLength(1)
    },
  )

  test('that wants a login for one recipient only is told too, and the other one is delivered', async () => {
    const { at } = await relayWith({
      RCPT: (client, command) => client.reply(command.includes('bob') ? '530 5.7.0 log in' : '250 2.1.5 ok'),
    })
    const finished = await send([...toBoth, '--relay', at])
    expect(finished.code).toBe(78)
    expect(finished.stderr).toMatch(/wants a login first: 530 5\.7\.0 log in; check its user and password\n/)
    expect(finished.stdout).toContain('1 delivered, 1 deferred, 0 failed')
  })

  test.each([
    [['--relay-tls', 'off'], 'would show the password'],
    [['--relay-tls', 'off'], 'allowPlaintextAuth'],
  ])('%j: a password does not go in clear', async (args, message) => {
    const { sasl, at } = await relayWith()
    const finished = await send([...toBoth, '--relay', at, ...withLogin, ...args])
    expect(finished.code).toBe(78)
    expect(finished.stderr).toContain(message)
    expect(sasl.tried).toEqual([])
  })

  test('whose certificate is not trusted gets neither password nor mail', async () => {
    const { server, sasl, at } = await relayWith({ secureContext: tls.createSecureContext(kinds.expired) })
    const finished = await send([...toBoth, '--relay', at, ...withLogin, '--json'])
    expect(finished.code).toBe(75)
    expect(JSON.parse(finished.stdout).recipients[0]).toMatchObject({
      outcome: 'deferred',
      stage: 'starttls',
      status: '4.7.5',
      diagnostic: expect.stringContaining('expired'),
    })
    expect(sasl.tried).toEqual([])
    expect(server.conversation.commands).not.toContain('MAIL FROM:<alice@sender.test>')
  })

  test('named on the command line is not shown the login that the file has for another', async () => {
    const { server, at } = await relayWith({ offers: ['STARTTLS', 'AUTH PLAIN'] })
    const file =
      '[relay]\nhost = "smtp.example.test"\nuser = "me@example.test"\npasswordFile = "relay.secret"\n'
    await writeFile(path.join(cwd, 'other.toml'), file)
    const finished = await send([...toBoth, '--config', 'other.toml', '--relay', at])
    expect(finished.code).toBe(0)
    expect(server.conversation.commands.some((line) => line.startsWith('AUTH'))).toBe(false)
  })
})

describe('[relay]', () => {
  test('may serve some domains only, and another one may have its own', async () => {
    const [first, second, direct] = [await relayWith(), await relayWith(), await relayWith()]
    const own = { user: known.user, passwordFile: 'relay.secret', host: 'localhost' }
    const table = (port: number) =>
      `{ host = "${own.host}", port = ${port}, user = "${own.user}", passwordFile = "${own.passwordFile}" }`
    await writeFile(
      path.join(cwd, 'patterns.toml'),
      `[relay]
host = "localhost"
port = ${first.server.port}
user = "${own.user}"
passwordFile = "${own.passwordFile}"
domains = ["*.relayed.test"]
[routes]
"*.own.test" = ${table(second.server.port)}
"plain.test" = "localhost:${direct.server.port}"
`,
    )
    const to = ['--to', 'a@x.relayed.test, b@y.own.test, c@plain.test']
    const finished = await send([...fromAlice, ...hostname, ...to, '--config', 'patterns.toml', '--json'])
    expect(finished).toMatchObject({ code: 0, stderr: '' })
    const ports = JSON.parse(finished.stdout).recipients.map((one: { port: number }) => one.port)
    expect(ports.toSorted()).toEqual([first, second, direct].map(({ server }) => server.port).toSorted())
    expect([first, second, direct].map(({ sasl }) => sasl.accepted)).toEqual([['PLAIN'], ['PLAIN'], []])
  })
})

test('--fallback-relay takes what cannot be connected to, and the report says so', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const { server } = await relayWith({ offers: ['PIPELINING'] })
  const to = ['--to', 'bob@accepts.test, carol@refuses-connections.test, dave@nxdomain.test']
  const login = { MXPRESS_FALLBACK_RELAY_TLS: 'off' }
  const args = [...fromAlice, ...intoSandbox(sandbox), ...to, '--fallback-relay', `127.0.0.1:${server.port}`]
  const finished = await send([...args, '--json'], login)
  expect(finished.code).toBe(69)
  const recipients: readonly RecipientReport[] = JSON.parse(finished.stdout).recipients
  const told = recipients.map(({ address, outcome, via, attempts }) => [
    address,
    outcome,
    via,
    attempts.map(({ stage }) => stage),
  ])
  expect(told.toSorted()).toEqual([
    ['bob@accepts.test', 'delivered', undefined, ['end-of-data']],
    ['carol@refuses-connections.test', 'delivered', 'fallbackRelay', ['connect', 'end-of-data']],
    ['dave@nxdomain.test', 'failed', undefined, []],
  ])
  expect(server.conversations).toHaveLength(1)
  const { stdout: plan } = await send([...args, '--dry-run'], login)
  expect(plan.match(/^ {2}0 \[127\.0\.0\.1\] 127\.0\.0\.1 port \d+ \(fallback relay\)$/gm)).toHaveLength(2)
  const shown = await send(args, login)
  expect(shown.stdout).toMatch(
    /^delivered carol@refuses-connections\.test \(to\) \S+ \[[^\]]+\]:\d+ \(fallback relay\) in clear/m,
  )
})

test.each([
  [64, ['--relay', 'smtp://a.test'], /'smtp:\/\/a\.test' is invalid\. Expected HOST\[:PORT\]/],
  [64, ['--relay', 'a.test:0'], /'a\.test:0' is invalid/],
  [64, ['--relay', 'a.test', '--relay-password', 'secret'], /unknown option '--relay-password'/],
  [64, ['--relay', 'a.test', '--relay-user', 'me'], /`--relay-user` to come with `--relay-password-file`/],
  [64, ['--relay-user', 'me', '--relay-password-file', 'relay.secret'], /`--relay` to be given/],
  [
    78,
    ['--relay', 'a.test', '--relay-user', 'me', '--relay-password-file', 'missing.secret'],
    /Cannot read the password in the file missing\.secret: ENOENT/,
  ],
  [
    78,
    ['--relay', 'a.test', '--relay-user', 'me', '--relay-password-env', 'NOT_SET'],
    /the variable NOT_SET is not set/,
  ],
  [64, ['--relay', 'a.test:465', '--relay-tls', 'off'], /`--relay-tls` to be other than "off"/],
])('exit code %i for %j', async (code, args, message) => {
  const finished = await send([...toBoth, ...args])
  expect(finished).toMatchObject({ code, stdout: '' })
  expect(finished.stderr).toMatch(message)
})
