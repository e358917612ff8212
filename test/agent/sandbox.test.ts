/** The whole way, from a mail to the recipients' own servers: an agent in the simulated internet. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AgentOptions, createAgent, type RecipientReport, type SendReport } from '../../src/index.ts'
import { type ExchangerStatistics, startSandbox } from '../../src/sandbox/sandbox.ts'
import { FakeClock, mailboxes } from '../delivery/fixtures.ts'

const clock = new FakeClock()
const sandbox = await startSandbox({ removeMail: true, slowSeconds: 0.05, clock })
afterAll(() => sandbox.close())

// The two limits that some domains make us sit out, as short as a loaded machine allows the honest ones.
const options = (rest: AgentOptions = {}): AgentOptions => ({
  ...sandbox.agentOptions,
  timeouts: { greeting: '3s' },
  dns: { ...sandbox.agentOptions.dns, timeout: '2s' },
  ...rest,
})

const mail = { from: 'alice@sender.test', subject: 'Hi', text: 'Hello\n' }

const statistics = (host: string): ExchangerStatistics => {
  const found = sandbox.statistics.exchangers.get(host)
  if (found === undefined) throw new Error(`no exchanger ${host}`)
  return found
}

/** What the exchanger counted while it was run. */
async function counting(
  hosts: readonly string[],
  act: () => Promise<void>,
): Promise<Record<string, ExchangerStatistics>> {
  const before = new Map(hosts.map((host) => [host, statistics(host)]))
  await act()
  const since = (host: string): ExchangerStatistics => {
    const [now, then] = [statistics(host), before.get(host)]
    const difference = Object.entries(now).map(([key, value]) => [
      key,
      value - (then?.[key as keyof typeof now] ?? 0),
    ])
    return Object.fromEntries(difference)
  }
  return Object.fromEntries(hosts.map((host) => [host, since(host)]))
}

const copies = async (recipient: string): Promise<readonly string[]> =>
  (await sandbox.received({ recipient })).map(({ exchanger }) => exchanger)

/** Where the one copy of a message that may have arrived is. */
const keeper: Readonly<Record<string, string>> = {
  'drops-after-dot.test': 'mx1.drops-after-dot.test',
  'nonsense-after-dot.test': 'mx1.nonsense-after-dot.test',
}

describe('every domain ends as the sandbox says:', () => {
  const outcomes = new Map<string, RecipientReport>()
  const order: string[] = []
  let report: SendReport

  beforeAll(async () => {
    await using agent = createAgent(options())
    report = await agent.send(
      { ...mail, to: sandbox.domains.map(({ mailbox }) => mailbox) },
      {
        onOutcome: (outcome) => {
          outcomes.set(outcome.address, outcome)
          order.push(outcome.address)
        },
      },
    )
  })

  test.each(sandbox.domains.map((domain) => [domain.domain, domain] as const))(
    '%s',
    async (_name, { domain, mailbox, expected }) => {
      expect(outcomes.get(mailbox)).toMatchObject({ uncertain: false, ...expected })
      const arrived = await copies(mailbox)
      if (expected.uncertain) expect(arrived).toEqual([keeper[domain]])
      else expect(arrived).toHaveLength(expected.outcome === 'delivered' ? 1 : 0)
    },
  )

  test('each recipient exactly once', () => {
    expect(order.toSorted()).toEqual(sandbox.domains.map(({ mailbox }) => mailbox).toSorted())
    expect(report.recipients).toHaveLength(sandbox.domains.length)
  })
})

describe('DNS:', () => {
  /** Questions about these names while it ran. */
  const asked = async (names: readonly string[], act: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = new Map(sandbox.statistics.queries)
    await act()
    return [...sandbox.statistics.queries]
      .filter(([question]) => names.includes(question.split(' ')[1] ?? ''))
      .flatMap(([question, count]) =>
        Array.from({ length: count - (before.get(question) ?? 0) }, () => question),
      )
  }
  const names = ['accepts.test', 'mx.accepts.test']

  test('a cold domain costs three queries, a warm one none, however many recipients and messages', async () => {
    await using agent = createAgent(options())
    const cold = await asked(names, () => agent.send({ ...mail, to: mailboxes(20, 'accepts.test') }))
    expect(cold.toSorted()).toEqual(['A mx.accepts.test', 'AAAA mx.accepts.test', 'MX accepts.test'])
    const warm = await asked(names, () => agent.send({ ...mail, to: mailboxes(20, 'accepts.test') }))
    expect(warm).toEqual([])
  })

  test('sends at once share the questions', async () => {
    await using agent = createAgent(options())
    const queries = await asked(names, () =>
      Promise.all(mailboxes(10, 'accepts.test').map((to) => agent.send({ ...mail, to }))),
    )
    expect(queries).toHaveLength(3)
  })

  test('when the life of the answers is over they are asked for again', async () => {
    const time = new FakeClock()
    await using agent = createAgent(options(), { clock: time })
    const minute = 60_000
    const first = await asked(names, () => agent.send({ ...mail, to: 'bob@accepts.test' }))
    time.time += 4 * minute
    const second = await asked(names, () => agent.send({ ...mail, to: 'bob@accepts.test' }))
    time.time += 2 * minute
    const third = await asked(names, () => agent.send({ ...mail, to: 'bob@accepts.test' }))
    expect([first.length, second.length, third.includes('MX accepts.test')]).toEqual([3, 0, true])
  })
})

describe('sessions:', () => {
  test('every one to a server that keeps the protocol ends with QUIT (RFC 5321 §4.1.1.10)', async () => {
    const orderly = [
      'accepts',
      'no-tls',
      'chunking',
      'unknown-mailbox',
      'mailbox-full',
      'rejects-content',
      'bare-250',
      'no-mx',
    ]
    const hosts = orderly.map((name) => (name === 'no-mx' ? 'no-mx.test' : `mx.${name}.test`))
    const counts = await counting(hosts, async () => {
      await using agent = createAgent(options({ delivery: { perSite: 2, messagesPerSession: 2 } }))
      await agent.send({ ...mail, to: orderly.flatMap((name) => mailboxes(7, `${name}.test`)) })
    })
    for (const host of hosts) {
      expect(counts[host]?.connections).toBeGreaterThanOrEqual(4)
      expect({ host, quits: counts[host]?.quits }).toEqual({ host, quits: counts[host]?.connections })
    }
  })

  test('no more than `perSite` are open at once, and 200 customers of one host share them', async () => {
    const to = Array.from({ length: 200 }, (_, at) => `bob@customer${at}.hosted.test`)
    const host = 'mx.hosted.test'
    const counts = await counting([host], async () => {
      await using agent = createAgent(options({ delivery: { perSite: 3, messagesPerSession: 1000 } }))
      expect(await agent.send({ ...mail, to })).toMatchObject({ counts: { delivered: 200 } })
    })
    expect(counts[host]).toMatchObject({ transactions: 200 })
    expect(counts[host]?.connections).toBeLessThanOrEqual(3)
    expect(statistics(host).peak).toBeLessThanOrEqual(3)
  })

  test('a second TLS session to a site resumes the first', async () => {
    const host = 'mx.good-certificate.test'
    const counts = await counting([host], async () => {
      await using agent = createAgent(options({ delivery: { perSite: 1, messagesPerSession: 1 } }))
      await agent.send({ ...mail, to: mailboxes(4, 'good-certificate.test') })
    })
    expect(counts[host]).toMatchObject({ handshakes: 4, resumptions: 3 })
  })

  test('`messagesPerSession` is obeyed', async () => {
    const host = 'mx.accepts.test'
    const counts = await counting([host], async () => {
      await using agent = createAgent(options({ delivery: { perSite: 1, messagesPerSession: 5 } }))
      await agent.send({ ...mail, to: mailboxes(12, 'accepts.test') })
    })
    expect(counts[host]).toMatchObject({ connections: 3, transactions: 12 })
  })

  test.each(['one-per-session.test', 'hangs-up.test', 'busy.test'])(
    '%s: many recipients in one call, all delivered, each once',
    async (domain) => {
      const to = mailboxes(25, domain).map((box) => `many-${box}`)
      await using agent = createAgent(options())
      expect(await agent.send({ ...mail, to })).toMatchObject({ counts: { delivered: 25 } })
      const received = await sandbox.received({ domain })
      const arrived = received
        .map(({ recipient }) => recipient)
        .filter((recipient) => recipient.startsWith('many-'))
      expect(arrived.toSorted()).toEqual(to.toSorted())
    },
  )

  test('a server that is full is asked a few times, not once for every recipient', async () => {
    const counts = await counting(['mx.busy.test'], async () => {
      await using agent = createAgent(options({ delivery: { perSite: 10 } }))
      await agent.send({ ...mail, to: mailboxes(60, 'busy.test') })
    })
    expect(counts['mx.busy.test']?.connections).toBeLessThanOrEqual(20)
  })
})

describe('lessons of other senders:', () => {
  const sendTo = async (
    to: string | readonly string[],
    rest: AgentOptions = {},
  ): Promise<readonly RecipientReport[]> => {
    await using agent = createAgent(options(rest))
    const { recipients } = await agent.send({ ...mail, to })
    return recipients
  }

  test('a message lost after the final dot is uncertain and never offered to the next exchanger', async () => {
    for (const domain of ['drops-after-dot.test', 'nonsense-after-dot.test']) {
      const to = mailboxes(10, domain).map((box) => `lost-${box}`)
      const counts = await counting([`mx2.${domain}`], async () => {
        const outcomes = await sendTo(to)
        expect(outcomes.map(({ outcome, uncertain }) => [outcome, uncertain])).toEqual(
          to.map(() => ['deferred', true]),
        )
      })
      expect(counts[`mx2.${domain}`]).toMatchObject({ connections: 0 })
      for (const recipient of to) expect(await copies(recipient)).toEqual([`mx1.${domain}`])
    }
  })

  test('554 at the greeting leads to the second exchanger in the same attempt', async () => {
    expect(await sendTo('bob@greets-with-554.test')).toMatchObject([
      {
        outcome: 'delivered',
        exchanger: 'mx2.greets-with-554.test',
        attempts: [{ stage: 'greeting', status: '5.7.1' }, { stage: 'end-of-data' }],
      },
    ])
  })

  test('4xx is never final, whatever its status says', async () => {
    const outcomes = await sendTo(['a@mailbox-full.test', 'b@tries-later.test', 'c@greylists.test'])
    expect(outcomes.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['deferred', '4.2.2'],
      ['deferred', '4.3.0'],
      ['deferred', '4.2.0'],
    ])
  })

  test('a greylisted recipient is accepted when it comes again after the time asked for', async () => {
    expect(await sendTo('grey@greylists.test')).toMatchObject([{ outcome: 'deferred', status: '4.2.0' }])
    clock.time += 11_000
    expect(await sendTo('grey@greylists.test')).toMatchObject([{ outcome: 'delivered' }])
    expect(await copies('grey@greylists.test')).toHaveLength(1)
  })

  test('SERVFAIL for the address of a domain without MX is temporary, not "no such domain"', async () => {
    expect(await sendTo('bob@address-servfail.test')).toMatchObject([
      { outcome: 'deferred', status: '4.4.3', stage: 'route', exchanger: null },
    ])
  })

  test('exchangers of equal preference share the sessions', async () => {
    const counts = await counting(['mx1.equal-pair.test', 'mx2.equal-pair.test'], async () => {
      // Each new session is a toss of a coin, taken here from a sequence that does both.
      let toss = 0
      await using agent = createAgent(options({ delivery: { perSite: 1, messagesPerSession: 1 } }), {
        random: () => (toss++ % 4 < 2 ? 0 : 0.9),
      })
      await agent.send({ ...mail, to: mailboxes(8, 'equal-pair.test') })
    })
    expect(counts['mx1.equal-pair.test']?.transactions).toBe(4)
    expect(counts['mx2.equal-pair.test']?.transactions).toBe(4)
  })

  test('a broken handshake falls back to clear text in the same attempt, and is remembered', async () => {
    const host = 'mx.broken-handshake.test'
    const counts = await counting([host], async () => {
      const outcomes = await sendTo(mailboxes(3, 'broken-handshake.test'), { delivery: { perSite: 1 } })
      expect(outcomes.map(({ outcome, tls, attempts }) => [outcome, tls, attempts.length])).toEqual(
        [1, 2, 3].map(() => ['delivered', null, 1]),
      )
    })
    expect(counts[host]).toMatchObject({ connections: 2, transactions: 3 })
  })

  test('251 is acceptance, and so is a bare 250', async () => {
    expect(await sendTo(['a@forwards.test', 'b@bare-250.test'])).toMatchObject([
      { outcome: 'delivered' },
      { outcome: 'delivered', status: '2.0.0', diagnostic: '250' },
    ])
  })

  test('an early refusal ends the writing of a large message, and counts', async () => {
    await using agent = createAgent(options())
    const text = `${'x'.repeat(70)}\n`.repeat(20_000)
    const { recipients } = await agent.send({ ...mail, text, to: 'bob@refuses-early.test' })
    expect(recipients).toMatchObject([{ outcome: 'failed', status: '5.7.1', stage: 'end-of-data' }])
  })

  test('UTF-8 in an address does not go where SMTPUTF8 is not offered', async () => {
    await using agent = createAgent(options())
    const { recipients } = await agent.send({ ...mail, bcc: ['bübi@no-smtputf8.test', 'bübi@accepts.test'] })
    expect(recipients).toMatchObject([
      { outcome: 'failed', status: '5.6.7', stage: 'policy' },
      { outcome: 'delivered' },
    ])
    expect(await copies('bübi@accepts.test')).toHaveLength(1)
  })

  test('8-bit content is converted for a server without 8BITMIME, and for no other', async () => {
    await using agent = createAgent(options())
    const raw =
      'From: alice@sender.test\r\nSubject: Hi\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      'Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n'
    const to = ['eight@no-8bitmime.test', 'eight@accepts.test'] as const
    expect(await agent.send({ raw, to })).toMatchObject({ counts: { delivered: 2 } })
    const [converted] = await sandbox.received({ recipient: to[0] })
    const [untouched] = await sandbox.received({ recipient: to[1] })
    expect(Buffer.from(converted?.content ?? []).toString('latin1')).toMatch(/\r\n\r\nGr=C3=BC=C3=9Fe\r\n$/)
    expect(Buffer.from(untouched?.content ?? []).toString()).toMatch(/\r\n\r\nGrüße\r\n$/)
  })

  test('a message over the SIZE of the server is not offered', async () => {
    const counts = await counting(['mx.small-size.test'], async () => {
      expect(await sendTo('bob@small-size.test')).toMatchObject([
        { outcome: 'failed', status: '5.3.4', stage: 'policy' },
      ])
    })
    expect(counts['mx.small-size.test']).toMatchObject({ connections: 1, transactions: 0, quits: 1 })
  })

  test('lines that begin with a dot arrive as they were, by DATA and by BDAT', async () => {
    await using agent = createAgent(options())
    const text = '.\n..\n.hidden\nend\n'
    await agent.send({ ...mail, text, to: ['dots@no-tls.test', 'dots@chunking.test'] })
    for (const domain of ['no-tls.test', 'chunking.test']) {
      const [received] = await sandbox.received({ recipient: `dots@${domain}` })
      expect(Buffer.from(received?.content ?? []).toString()).toMatch(
        /\r\n\r\n\.\r\n\.\.\r\n\.hidden\r\nend\r\n$/,
      )
    }
  })

  test('STARTTLS is demanded only where the settings say so', async () => {
    expect(await sendTo('bob@no-tls.test')).toMatchObject([{ outcome: 'delivered', tls: null }])
    expect(await sendTo('bob@no-tls.test', { tls: { mode: 'required' } })).toMatchObject([
      { outcome: 'deferred', status: '4.7.4', stage: 'starttls' },
    ])
    const caFile = join(sandbox.mailDir, 'ca.pem')
    await writeFile(caFile, sandbox.ca)
    const judged = await sendTo(
      ['a@good-certificate.test', 'b@self-signed.test', 'c@expired-certificate.test', 'd@wrong-name.test'],
      { tls: { mode: 'verified', caFile } },
    )
    expect(judged.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['delivered', '2.6.0'],
      ['deferred', '4.7.5'],
      ['deferred', '4.7.5'],
      ['deferred', '4.7.5'],
    ])
  })

  test('local addresses that DNS named are not dialled unless that was asked for', async () => {
    const { port } = sandbox
    const counts = await counting(['mx.accepts.test'], async () => {
      expect(await sendTo('bob@accepts.test', { smtp: { port } })).toMatchObject([
        { outcome: 'deferred', status: '4.4.4' },
      ])
    })
    expect(counts['mx.accepts.test']).toMatchObject({ connections: 0 })
  })
})
