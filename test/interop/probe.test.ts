/** What a probe finds out about real servers. */
import { afterAll, describe, expect, test } from 'vitest'
import { type ProbeOptions, type ProbeReport, probe } from '../../src/index.ts'
import type { Mta } from '../support/mta/mta.ts'
import { type Greylist, startGreylist } from './greylist.ts'
import { describeServer } from './server.ts'

async function ask(mta: Mta, target: string, options: ProbeOptions = {}): Promise<ProbeReport> {
  const [report] = await askAll(mta, [target], options)
  if (report === undefined) throw new Error('expected a report, found none')
  return report
}

async function askAll(
  mta: Mta,
  targets: readonly string[],
  options: ProbeOptions = {},
): Promise<readonly ProbeReport[]> {
  const agent = {
    hostname: 'prober.test',
    routes: { [mta.domain]: `${mta.ip}:${mta.port}` },
    tls: { caFile: mta.certificateFile },
    ...options.agent,
  }
  const reports: ProbeReport[] = []
  for await (const report of probe(targets, { transcript: true, ...options, agent })) reports.push(report)
  return reports
}

const addressOf = ({ exchangers }: ProbeReport) => exchangers[0]?.addresses[0]

/** What was said, ours and theirs, without times. */
const saidIn = (report: ProbeReport): readonly string[] =>
  (addressOf(report)?.transcript ?? []).map(({ from, line }) => `${from === 'client' ? 'C' : 'S'}: ${line}`)

const mailboxes = ['bob', 'postmaster']

/** What differs from server to server. */
interface Facts {
  readonly tls: unknown
  readonly unknown: RegExp
  readonly catchAll: number
  readonly vrfy: RegExp
}

function probeSuite(server: () => Mta, facts: Facts): void {
  test('a mailbox accepts, and a made-up one does not', async () => {
    const found = await ask(server(), `bob@${server().domain}`, { catchAll: true, vrfy: true })
    expect(found).toMatchObject({ verdict: 'accepts', stoppedAfter: null })
    expect(addressOf(found)).toMatchObject({
      tls: facts.tls,
      recipient: { code: 250 },
      catchAll: { reply: { code: facts.catchAll } },
    })
    expect(`${addressOf(found)?.vrfy?.code} ${addressOf(found)?.vrfy?.lines.join(' ')}`).toMatch(facts.vrfy)
    const said = saidIn(found)
    expect(said).toEqual(expect.arrayContaining(['C: RSET', 'C: QUIT']))
    expect(said.at(-1)).toMatch(/^S: 221 /)
    expect(said.filter((line) => /^C: (DATA|BDAT)/.test(line))).toEqual([])
  })

  test('an unknown mailbox is rejected in the server’s own words', async () => {
    const found = await ask(server(), `nobody@${server().domain}`)
    expect(found).toMatchObject({ verdict: 'rejects', reason: expect.stringMatching(facts.unknown) })
  })

  test('many mailboxes have a verdict each, and share sessions', async () => {
    const { domain } = server()
    const known = (at: number): boolean => at % 3 !== 2
    const targets = Array.from({ length: 30 }, (_, at) => `${known(at) ? 'bob' : `nobody${at}`}@${domain}`)
    const found = await askAll(server(), targets, { limits: { perSite: 1 } })
    expect(found.map(({ verdict }) => verdict)).toEqual(
      targets.map((_, at) => (known(at) ? 'accepts' : 'rejects')),
    )
    expect(found.filter((report) => addressOf(report)?.openedFor === null)).toHaveLength(3)
    // Exim counts RSET, Postfix refusals.
    expect(server().log()).not.toMatch(/too many/i)
  })

  test('a domain is asked by its postmaster', async () => {
    expect(await ask(server(), server().domain)).toMatchObject({ verdict: 'accepts' })
  })

  test.each(['connect', 'greeting', 'ehlo', 'starttls', 'mail'] as const)(
    'ends after %s in order',
    async (stopAfter) => {
      const found = await ask(server(), `bob@${server().domain}`, { stopAfter })
      expect(found).toMatchObject({ verdict: 'unknown', stoppedAfter: stopAfter })
      if (stopAfter !== 'connect') expect(saidIn(found).at(-1)).toMatch(/^S: 221 /)
    },
  )

  test('nothing has arrived in any mailbox', async () => {
    for (const user of mailboxes) expect(await server().mailbox(user)).toEqual([])
  })
}

const verified = expect.objectContaining({
  protocol: 'TLSv1.3',
  verified: true,
  certificate: expect.objectContaining({ validTo: expect.stringMatching(/^\d{4}-/) }),
})

describeServer('postfix', 'a probe of Postfix', { mailboxes }, (server) => {
  probeSuite(server, { tls: verified, unknown: /^550 5\.1\.1 .*User unknown/, catchAll: 550, vrfy: /^252 / })

  test('that relays nothing says so of itself, not of the mailbox', async () => {
    const { ip, port } = server()
    const found = await ask(server(), 'bob@elsewhere.test', {
      agent: { routes: { 'elsewhere.test': `${ip}:${port}` } },
    })
    expect(found).toMatchObject({
      verdict: 'refused-us',
      reason: expect.stringMatching(/Relay access denied/),
    })
  })
})

describeServer('exim', 'a probe of Exim', { mailboxes }, (server) => {
  probeSuite(server, {
    tls: verified,
    unknown: /^550 5\.1\.1 .*no such mailbox here/,
    catchAll: 550,
    vrfy: /^252 /,
  })
})

describeServer('opensmtpd', 'a probe of OpenSMTPD', { mailboxes }, (server) => {
  probeSuite(server, {
    tls: expect.toSatisfy((tls: unknown) => tls === null || typeof tls === 'object'),
    unknown: /^550 Invalid recipient: /,
    catchAll: 550,
    vrfy: /^5\d\d /,
  })

  test('is in clear on a second connection where every handshake breaks (OpenSMTPD 6.8)', async () => {
    const found = await ask(server(), `bob@${server().domain}`)
    const stages = addressOf(found)?.stages.map(({ stage, ok }) => `${stage} ${ok}`)
    const isBroken = server().version.startsWith('6.')
    expect(stages?.filter((stage) => stage === 'connect true')).toHaveLength(isBroken ? 2 : 1)
    expect(stages).toContain(`starttls ${!isBroken}`)
  })
})

describeServer(
  'postfix',
  'a probe of Postfix behind postscreen',
  { mailboxes, postscreen: true },
  (server) => {
    test('is greylisted the first time, whoever is asked for, and learns the truth the second', async () => {
      const target = `nobody@${server().domain}`
      expect(await ask(server(), target)).toMatchObject({
        verdict: 'greylisted',
        reason: '450 4.3.2 Service currently unavailable',
        retryAfterSeconds: 300,
      })
      await server().waitForLog(/PASS NEW/)
      expect(await ask(server(), target)).toMatchObject({ verdict: 'rejects' })
      expect(await ask(server(), `bob@${server().domain}`)).toMatchObject({ verdict: 'accepts' })
      // Its tests are for clients that talk out of turn; this one does not.
      expect(server().log()).not.toMatch(/PREGREET|COMMAND PIPELINING|NON-SMTP|BARE NEWLINE/)
    })
  },
)

describe('greylisting', () => {
  let greylist: Greylist | undefined
  afterAll(() => greylist?.close())

  describeServer(
    'postfix',
    'by a policy server of Postfix',
    async () => {
      greylist = await startGreylist(() => '4.2.0 Greylisted, please try again in 120 seconds')
      return { mailboxes, policyPort: greylist.port }
    },
    (server) => {
      test('is no answer about the mailbox; the second time there is one', async () => {
        const target = `bob@${server().domain}`
        expect(await ask(server(), target)).toMatchObject({ verdict: 'greylisted', retryAfterSeconds: 120 })
        expect(await ask(server(), target)).toMatchObject({ verdict: 'accepts' })
      })

      test('is another matter for each reverse-path', async () => {
        const from = 'alice@sender.test'
        expect(await ask(server(), `bob@${server().domain}`, { from })).toMatchObject({
          verdict: 'greylisted',
        })
      })
    },
  )
})
