/** The matrix: what a domain of the simulated internet does → verdict → status → exit code. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitCodeOfAnswers } from '../../src/cli/exit-code.ts'
import { answerOf } from '../../src/probe/answer.ts'
import { type ProbeOptions, probe } from '../../src/probe/probe.ts'
import type { ProbeReport } from '../../src/probe/report.ts'
import type { Verdict } from '../../src/probe/verdict.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { all } from './servers.ts'

let sandbox: Sandbox
const directory = mkdtempSync(path.join(tmpdir(), 'mxpress-probe-'))
const caFile = path.join(directory, 'ca.pem')
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
  writeFileSync(caFile, sandbox.ca)
})
afterAll(async () => {
  await sandbox.close()
  rmSync(directory, { recursive: true })
})

async function report(target: string, options: ProbeOptions = {}): Promise<ProbeReport> {
  const agent = { ...sandbox.agentOptions, ...options.agent }
  const [only] = await all(probe(target, { ...options, agent }))
  if (only === undefined) throw new Error('expected a report, found none')
  return only
}

function exitCode(found: ProbeReport): number {
  const answers = { yes: 0, undecided: 0, no: 0 }
  answers[answerOf(found)]++
  return exitCodeOfAnswers(answers)
}

const quick: ProbeOptions = { limits: { timeout: '300ms' }, agent: { dns: { timeout: '300ms' } } }

/** Domains of the sandbox that accept a message, or refuse it only after RCPT, are all the same to a probe. */
const others: readonly (readonly [
  target: string,
  verdict: Verdict,
  status: string,
  exit: number,
  ProbeOptions?,
])[] = [
  ['user@greylists.test', 'greylisted', '4.2.0', 75],
  ['user@unknown-mailbox.test', 'rejects', '5.1.1', 69],
  ['unknown-mailbox.test', 'rejects', '5.1.1', 69],
  ['user@one-mailbox.test', 'accepts', '2.1.5', 0, { catchAll: true }],
  ['other@one-mailbox.test', 'rejects', '5.1.1', 69],
  ['one-mailbox.test', 'accepts', '2.1.5', 0],
  ['user@accepts.test', 'accepts-all', '2.1.5', 0, { catchAll: true }],
  ['user@blocks-senders.test', 'refused-us', '5.7.1', 69],
  ['user@refuses-mail.test', 'refused-us', '5.7.1', 69],
  ['user@over-quota.test', 'full', '5.2.2', 69],
  ['user@mailbox-full.test', 'full', '4.2.2', 75],
  ['user@refuses-connections.test', 'unreachable', '4.4.1', 75],
  ['user@many-exchangers.test', 'unreachable', '4.4.1', 75],
  ['user@silent.test', 'unreachable', '4.4.2', 75, quick],
  ['user@drips.test', 'unreachable', '4.4.2', 75, quick],
  ['user@null-mx.test', 'no-mail', '5.1.10', 69],
  ['null-mx.test', 'no-mail', '5.1.10', 69],
  ['user@unfit-sender.test', 'no-mail', '5.1.10', 69],
  ['user@no-such-domain.test', 'no-domain', '5.1.2', 69],
  ['user@no-address.test', 'unreachable', '4.4.4', 75],
  ['user@loops.test', 'unreachable', '5.4.6', 75],
  ['user@dns-servfail.test', 'unknown', '4.4.3', 75],
  ['user@address-servfail.test', 'unknown', '4.4.3', 75],
  ['user@dns-silence.test', 'unknown', '4.4.3', 75, { agent: { dns: { timeout: '300ms' } } }],
  ['user@tries-later.test', 'unknown', '4.3.0', 75],
]

const cases = others.map(([target, verdict, status, exit, options = {}]) => ({
  target,
  verdict,
  status,
  exit,
  options,
}))

test.each(cases)(
  '$target: $verdict, $status, exit code $exit',
  async ({ target, verdict, status, exit, options }) => {
    const dns = { ...sandbox.agentOptions.dns, ...options.agent?.dns }
    const found = await report(target, { ...options, agent: { dns } })
    expect({ verdict: found.verdict, status: found.status, exit: exitCode(found) }).toEqual({
      verdict,
      status,
      exit,
    })
    expect(found.reason).not.toBe('')
    expect(found.meaning).toMatch(/^[A-Z].*\.$/)
  },
)

test('all other domains accept the mailbox', async () => {
  const named = new Set(others.map(([target]) => target.slice(target.indexOf('@') + 1)))
  const mailboxes = sandbox.domains.filter(({ domain }) => !named.has(domain)).map(({ mailbox }) => mailbox)
  const reports = await all(probe(mailboxes, { agent: sandbox.agentOptions }))
  expect(reports.filter(({ verdict }) => verdict !== 'accepts')).toEqual([])
  expect(reports.length).toBeGreaterThan(25)
})

test('greylisting says when to try again', async () => {
  expect(await report('later@greylists.test')).toMatchObject({ retryAfterSeconds: 10 })
  expect(await report('user@tries-later.test')).toMatchObject({ retryAfterSeconds: null })
})

describe('every exchanger and every address is walked', () => {
  const hosts = ({ exchangers }: ProbeReport) =>
    exchangers.map(({ host, addresses }) => [host, addresses.map(({ verdict }) => verdict)])

  test('also behind one that has the last word', async () => {
    expect(hosts(await report('user@equal-pair.test')).toSorted()).toEqual([
      ['mx1.equal-pair.test', ['accepts']],
      ['mx2.equal-pair.test', ['accepts']],
    ])
    const found = await report('user@second-exchanger.test')
    expect(hosts(found)).toEqual([
      ['mx1.second-exchanger.test', ['unreachable']],
      ['mx2.second-exchanger.test', ['accepts']],
    ])
    expect(found.decidedBy?.exchanger).toBe('mx2.second-exchanger.test')
  })

  test('forty of them', async () => {
    expect(hosts(await report('user@many-exchangers.test'))).toHaveLength(40)
  })

  test('unless the first that decides is enough', async () => {
    expect(hosts(await report('user@greets-with-554.test', { first: true }))).toEqual([
      ['mx1.greets-with-554.test', ['refused-us']],
      ['mx2.greets-with-554.test', ['accepts']],
    ])
    expect(hosts(await report('user@drops-after-dot.test', { first: true }))).toEqual([
      ['mx1.drops-after-dot.test', ['accepts']],
    ])
  })

  test('what an exchanger lacks stands in its place', async () => {
    const { exchangers, records } = await report('user@no-address.test')
    expect(exchangers).toEqual([
      {
        host: 'mx.no-address.test',
        preference: 10,
        error: 'mx.no-address.test has no address',
        addresses: [],
      },
    ])
    expect(records).toEqual({
      mx: [{ host: 'mx.no-address.test', preference: 10 }],
      implicit: false,
      nullMx: false,
    })
  })
})

test('records tell implicit and null MX apart', async () => {
  expect((await report('no-mx.test')).records).toEqual({ mx: [], implicit: true, nullMx: false })
  expect((await report('null-mx.test')).records).toEqual({ mx: [], implicit: false, nullMx: true })
  expect((await report('no-such-domain.test')).records).toEqual({ mx: [], implicit: false, nullMx: false })
})

test('an address literal is asked without a look into the DNS', async () => {
  const { ip = '' } = (await report('accepts.test')).decidedBy ?? {}
  const found = await report(`user@[${ip}]`)
  expect(found).toMatchObject({ domain: `[${ip}]`, verdict: 'accepts', records: { mx: [], implicit: false } })
})

describe('TLS', () => {
  const tlsOf = ({ exchangers }: ProbeReport) => exchangers[0]?.addresses[0]?.tls
  const trusting = { ...quick, agent: {} }

  test.each([
    ['good-certificate.test', true, null],
    ['self-signed.test', false, 'self-signed certificate'],
    ['expired-certificate.test', false, 'the certificate has expired'],
    ['wrong-name.test', false, 'the certificate names another host'],
  ])('%s: verified %s, %s', async (domain, verified, reason) => {
    const tls = tlsOf(await report(domain, { agent: { tls: { caFile } } }))
    expect(tls).toMatchObject({ protocol: 'TLSv1.3', verified, reason })
    const names =
      domain === 'wrong-name.test' ? ['mx.elsewhere.test'] : expect.arrayContaining([`mx.${domain}`])
    expect(tls?.certificate).toMatchObject({ subject: 'CN=mxpress sandbox', names })
    const isExpired = Date.parse(tls?.certificate?.validTo ?? '') < Date.now()
    expect(isExpired).toBe(domain === 'expired-certificate.test')
  })

  test.each([
    ['good-certificate.test', 'accepts'],
    ['self-signed.test', 'unreachable'],
    ['expired-certificate.test', 'unreachable'],
    ['wrong-name.test', 'unreachable'],
    ['no-tls.test', 'unreachable'],
    ['old-tls.test', 'unreachable'],
    ['broken-handshake.test', 'unreachable'],
    ['refuses-tls.test', 'unreachable'],
  ])('where it has to be verified, %s is %s', async (domain, verdict) => {
    const found = await report(domain, {
      ...trusting,
      limits: {},
      agent: { tls: { caFile, mode: 'verified' } },
    })
    expect(found.verdict).toBe(verdict)
    expect(exitCode(found)).toBe(verdict === 'accepts' ? 0 : 75)
  })

  test('a certificate that is not accepted is told all the same', async () => {
    const found = await report('expired-certificate.test', { agent: { tls: { caFile, mode: 'verified' } } })
    expect(tlsOf(found)).toMatchObject({ verified: false, certificate: { names: expect.anything() } })
    expect(found.reason).toBe('certificate not accepted: the certificate has expired')
  })

  test.each([
    ['old-tls.test', /no version of TLS that is still in use/],
    ['broken-handshake.test', /TLS handshake/],
  ])('%s is asked in clear on a second connection, as a delivery would', async (domain, problem) => {
    const found = await report(domain)
    const [address] = found.exchangers[0]?.addresses ?? []
    expect(found.verdict).toBe('accepts')
    expect(address?.tls).toBeNull()
    expect(address?.stages.map(({ stage, ok }) => `${stage} ${ok ? 'ok' : 'failed'}`)).toEqual([
      'connect ok',
      'greeting ok',
      'ehlo ok',
      'starttls failed',
      'connect ok',
      'greeting ok',
      'ehlo ok',
      'mail ok',
      'rcpt ok',
    ])
    expect(address?.stages[3]?.error).toMatch(problem)
  })

  test('a refused STARTTLS leaves the session in clear', async () => {
    const [address] = (await report('refuses-tls.test')).exchangers[0]?.addresses ?? []
    expect(address?.stages[3]).toMatchObject({
      stage: 'starttls',
      ok: false,
      reply: { code: 454 },
      error: null,
    })
    expect(address).toMatchObject({ tls: null, verdict: 'accepts' })
  })

  test('STARTTLS counts among the extensions also when TLS has hidden it', async () => {
    const [address] = (await report('good-certificate.test')).exchangers[0]?.addresses ?? []
    expect(address?.extensions).toEqual(expect.arrayContaining(['PIPELINING', 'STARTTLS']))
  })
})
