/** What is said to one server, and what is written down of it. */
import { createSecureContext } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { probe } from '../../src/probe/probe.ts'
import type { ProbeStage } from '../../src/probe/report.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { all, leadingTo, OneExchanger, probed, report, serverWith, verbs } from './servers.ts'

test('each stage has its own reply; RSET and QUIT follow, and never DATA', async () => {
  const server = await serverWith({ offers: ['PIPELINING', 'SIZE 1000'], RCPT: '250 2.1.5 welcome' })
  const { verdict, status, reason, decidedBy, records, exchangers } = await report(server, 'bob@a.test')
  expect({ verdict, status, reason, decidedBy, records }).toEqual({
    verdict: 'accepts',
    status: '2.1.5',
    reason: '250 2.1.5 welcome',
    decidedBy: { exchanger: 'mx.example.test', ip: '127.0.0.1', port: server.port },
    records: { mx: [{ host: 'mx.example.test', preference: 10 }], implicit: false, nullMx: false },
  })
  const [address] = exchangers[0]?.addresses ?? []
  expect(
    address?.stages.map(({ stage, ok, reply, error }) => [stage, ok, reply?.code ?? null, error]),
  ).toEqual([
    ['connect', true, null, null],
    ['greeting', true, 220, null],
    ['ehlo', true, 250, null],
    ['mail', true, 250, null],
    ['rcpt', true, 250, null],
  ])
  expect(address).toMatchObject({
    extensions: ['PIPELINING', 'SIZE'],
    tls: null,
    recipient: { code: 250, status: '2.1.5', lines: ['welcome'] },
    catchAll: null,
    vrfy: null,
    transcript: null,
  })
  expect(server.conversation.commands).toEqual([
    'EHLO prober.test',
    'MAIL FROM:<>',
    'RCPT TO:<bob@a.test>',
    'RSET',
    'QUIT',
  ])
})

test('of a domain its postmaster is asked for, by the null reverse-path', async () => {
  const server = await serverWith()
  expect(await report(server, 'A.Test.')).toMatchObject({
    target: 'A.Test.',
    domain: 'a.test',
    verdict: 'accepts',
  })
  expect(server.conversation.commands.slice(1, 3)).toEqual(['MAIL FROM:<>', 'RCPT TO:<postmaster@a.test>'])
})

test('a domain that refuses its postmaster is told what it lacks', async () => {
  const server = await serverWith({ RCPT: '550 5.1.1 no such user' })
  expect(await report(server, 'a.test')).toMatchObject({
    verdict: 'rejects',
    meaning: expect.stringMatching(/^The server knows no postmaster, /),
  })
  expect(await report(server, 'postmaster@a.test')).toMatchObject({
    meaning: 'The server knows no such mailbox.',
  })
})

test('a session that stays in clear is told as that, where the probe is to end after STARTTLS', async () => {
  const server = await serverWith()
  expect(await report(server, 'a.test', { stopAfter: 'starttls' })).toMatchObject({
    meaning: expect.stringMatching(/^All went well up to starttls \(in clear\), /),
  })
})

test('a reverse-path of the caller’s is said', async () => {
  const server = await serverWith()
  await report(server, 'bob@a.test', { from: 'alice@sender.test' })
  expect(server.conversation.commands[1]).toBe('MAIL FROM:<alice@sender.test>')
})

test.each<[ProbeStage, readonly string[]]>([
  ['connect', []],
  ['greeting', ['QUIT']],
  ['ehlo', ['EHLO', 'QUIT']],
  ['starttls', ['EHLO', 'QUIT']],
  ['mail', ['EHLO', 'MAIL', 'RSET', 'QUIT']],
])('a probe that is to end after %s says no more, and claims no more', async (stopAfter, said) => {
  const server = await serverWith({ RCPT: '550 5.1.1 no' })
  const found = await report(server, 'bob@a.test', { stopAfter })
  expect(found).toMatchObject({ verdict: 'unknown', stoppedAfter: stopAfter, status: '2.0.0' })
  expect(found.exchangers[0]?.addresses[0]?.stages.at(-1)?.stage).toBe(
    stopAfter === 'starttls' ? 'ehlo' : stopAfter,
  )
  await server.settled()
  expect(verbs(server)).toEqual(said)
})

test('what fails before the stage to end after is told as ever', async () => {
  const server = await serverWith({ greeting: '554 5.7.1 not you' })
  expect(await report(server, 'bob@a.test', { stopAfter: 'ehlo' })).toMatchObject({
    verdict: 'refused-us',
    stoppedAfter: null,
    reason: '554 5.7.1 not you',
  })
  expect(verbs(server)).toEqual(['QUIT'])
})

describe('a made-up mailbox', () => {
  const onlyBob = (client: { commands: string[]; reply(line: string): Promise<void> }): Promise<void> =>
    client.reply(/<bob@/.test(client.commands.at(-1) ?? '') ? '250 2.1.5 ok' : '550 5.1.1 no such user')

  test('that is refused leaves the real one accepted', async () => {
    const server = await serverWith({ RCPT: onlyBob })
    const { verdict, exchangers } = await report(server, 'bob@a.test', { catchAll: true })
    expect(verdict).toBe('accepts')
    expect(exchangers[0]?.addresses[0]).toMatchObject({
      recipient: { code: 250 },
      catchAll: { address: expect.stringMatching(/^probe-[a-z0-9]{20}@a\.test$/), reply: { code: 550 } },
    })
    expect(verbs(server)).toEqual(['EHLO', 'MAIL', 'RCPT', 'RCPT', 'RSET', 'QUIT'])
  })

  test('that is accepted too makes it accepts-all', async () => {
    const server = await serverWith()
    expect(await report(server, 'bob@a.test', { catchAll: true })).toMatchObject({ verdict: 'accepts-all' })
  })

  test('is not asked for where the real one is refused', async () => {
    const server = await serverWith({ RCPT: onlyBob })
    expect(await report(server, 'eve@a.test', { catchAll: true })).toMatchObject({ verdict: 'rejects' })
    expect(verbs(server)).toEqual(['EHLO', 'MAIL', 'RCPT', 'RSET', 'QUIT'])
  })

  test('at which the server hangs up takes nothing back', async () => {
    const server = await serverWith({
      RCPT: (client) =>
        /<bob@/.test(client.commands.at(-1) ?? '') ? client.reply('250 ok') : client.reset(),
    })
    const { verdict, exchangers } = await report(server, 'bob@a.test', { catchAll: true })
    expect(verdict).toBe('accepts')
    expect(exchangers[0]?.addresses[0]?.catchAll).toBeNull()
  })

  test('is another one each time', async () => {
    const server = await serverWith()
    await probed(server, ['bob@a.test', 'bob@a.test'], { catchAll: true })
    const made = server.conversations.map(({ commands }) => commands.find((line) => line.includes('probe-')))
    expect(new Set(made).size).toBe(2)
  })
})

test('VRFY is asked behind the transaction and changes no verdict', async () => {
  const server = await serverWith({ RCPT: '250 ok' })
  const { verdict, exchangers } = await report(server, 'bob@a.test', { vrfy: true })
  expect(verdict).toBe('accepts')
  expect(exchangers[0]?.addresses[0]?.vrfy).toMatchObject({ code: 500 })
  expect(server.conversation.commands.slice(-3)).toEqual(['RSET', 'VRFY bob@a.test', 'QUIT'])
})

test('an address that needs SMTPUTF8 is not said to a server that does not offer it (RFC 6531 §3.2)', async () => {
  const server = await serverWith()
  expect(await report(server, 'bjørn@a.test')).toMatchObject({ verdict: 'unknown', status: '5.6.7' })
  expect(verbs(server)).toEqual(['EHLO', 'QUIT'])
})

test('and to one that offers it with the parameter', async () => {
  const server = await serverWith({ offers: ['SMTPUTF8'] })
  expect(await report(server, 'bjørn@a.test', { catchAll: true, vrfy: true })).toMatchObject({
    verdict: 'accepts-all',
  })
  expect(server.conversation.commands).toEqual(
    expect.arrayContaining(['MAIL FROM:<> SMTPUTF8', 'VRFY bjørn@a.test SMTPUTF8']),
  )
})

test('the transcript has both sides, with times that do not go back, and no secrets of other targets', async () => {
  const server = await serverWith()
  const { exchangers } = await report(server, 'bob@a.test', { transcript: true })
  const transcript = exchangers[0]?.addresses[0]?.transcript ?? []
  expect(transcript.map(({ from, line }) => `${from}: ${line}`)).toEqual([
    `client: [connecting to 127.0.0.1 port ${server.port}]`,
    'server: 220 mx.example.test ESMTP',
    'client: EHLO prober.test',
    'server: 250 mx.example.test',
    'client: MAIL FROM:<>',
    'server: 250 2.0.0 ok',
    'client: RCPT TO:<bob@a.test>',
    'server: 250 2.0.0 ok',
    'client: RSET',
    'server: 250 2.0.0 ok',
    'client: QUIT',
    'server: 221 2.0.0 bye',
  ])
  const times = transcript.map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
})

test('whatever a server sends, little of it is kept', async () => {
  const flood = Array.from({ length: 900 }, (_, at) => `550${at < 899 ? '-' : ' '}${'x'.repeat(1000)}`)
  const offers = Array.from({ length: 500 }, (_, at) => `X${at}`)
  const server = await serverWith({ RCPT: flood, greeting: ['220-hello', '220 \u001b[2Jmx'], offers })
  const found = await report(server, 'bob@a.test', { transcript: true })
  expect(JSON.stringify(found.exchangers).length).toBeLessThan(500_000)
  expect(found.exchangers[0]?.addresses[0]?.recipient?.lines).toHaveLength(50)
  expect(found.exchangers[0]?.addresses[0]?.extensions).toHaveLength(49)
})

test.each([
  ['says 421 to RCPT', { RCPT: '421 4.3.2 closing' }, ['EHLO', 'MAIL', 'RCPT']],
  ['hangs up at MAIL', { MAIL: (client: { reset(): void }) => client.reset() }, ['EHLO', 'MAIL']],
  ['answers MAIL with 354', { MAIL: '354 go on' }, ['EHLO', 'MAIL']],
])('a server that %s is asked nothing more', async (_title, answers, said) => {
  const server = await serverWith(answers)
  expect(await report(server, 'bob@a.test')).toMatchObject({ verdict: 'unknown' })
  expect(verbs(server)).toEqual(said)
})

test('relays are not asked: it is the recipient’s own servers that a probe is about', async () => {
  const server = await serverWith()
  const relay = { host: '127.200.1.1', port: 9 }
  for (const agent of [{ relay }, { fallbackRelay: relay }, { routes: { 'a.test': relay } }]) {
    const found = await report(server, 'bob@a.test', { agent })
    expect(found).toMatchObject({ verdict: 'accepts', decidedBy: { exchanger: 'mx.example.test' } })
  }
})

test('each step has its limit', async () => {
  const server = await serverWith({ RCPT: (client) => client.untilGone() })
  expect(await report(server, 'bob@a.test', { limits: { timeout: 50 } })).toMatchObject({
    verdict: 'unknown',
    reason: 'no end of the reply to RCPT within 50 ms',
    status: '4.4.2',
  })
})

test('nothing of a session under TLS that broke is taken for the one in clear that follows', async () => {
  const { kinds } = makeCertificates(['mx.example.test'])
  const secureContext = createSecureContext(kinds.trusted)
  let connections = 0
  const server = await serverWith({
    offers: ['STARTTLS'],
    STARTTLS: async (client) => {
      connections++
      await client.reply('220 go ahead')
      await client.startTls(secureContext)
      client.reset()
    },
  })
  const found = await report(server, 'bob@a.test')
  expect(connections).toBe(1)
  expect(found.exchangers[0]?.addresses[0]).toMatchObject({ verdict: 'accepts', tls: null })
})

test('of hundreds of addresses a hundred are asked, so that nobody has others dialled by us', async () => {
  const exchangers = Array.from({ length: 150 }, (_, at) => ({ host: `mx${at}.a.test`, preference: at }))
  const resolver = new OneExchanger('127.200.1.1', () => exchangers)
  const [found] = await all(probe('a.test', leadingTo(9), { resolver }))
  expect(found?.exchangers).toHaveLength(150)
  expect(found?.exchangers.flatMap(({ addresses }) => addresses)).toHaveLength(100)
})

describe('a wrong option is said at once', () => {
  test.each([
    [{ limits: { perSite: 0 } }, /`limits\.perSite` to be a whole number from 1, got `0`/],
    [{ limits: { concurrency: 1.5 } }, /`limits\.concurrency`/],
    [{ limits: { timeout: 'soon' } }, /`limits\.timeout` to be a duration/],
    [{ stopAfter: 'data' as never }, /`stopAfter` to be one of connect, greeting/],
    [{ from: 'nobody' }, /Malformed address `nobody`/],
    [{ agent: { smtp: { port: 0 } } }, /`smtp\.port`/],
    [{ agent: { routes: { 'a..b': 'x' } } }, /routes/],
  ])('%j', (options, complaint) => {
    expect(() => probe('a.test', options)).toThrow(complaint)
  })

  test.each([['bob@'], ['two words'], [''], ['a..b']])('a target `%s` too', (target) => {
    expect(() => probe([target])).toThrow(/Malformed address/)
  })
})

test('a `trace` that throws changes no verdict, and is told once as a warning', async () => {
  const server = await serverWith()
  const warnings: Error[] = []
  const collect = (warning: Error): void => void warnings.push(warning)
  process.on('warning', collect)
  onTestFinished(() => void process.off('warning', collect))
  const trace = (): never => {
    throw new Error('disk full')
  }
  const [report] = await probed(server, 'bob@example.test', {}, { trace })
  expect(report?.verdict).toBe('accepts')
  expect(warnings.map(({ name, message }) => `${name}: ${message}`)).toEqual([
    'MxpressWarning: `trace` failed, nothing else did: Error: disk full',
  ])
})
