/** Many targets in one run: order, limits, memory of what was learnt, and its end. */
import { describe, expect, test } from 'vitest'
import { probe } from '../../src/probe/probe.ts'
import { ProbeSummary } from '../../src/probe/summary.ts'
import { deadAddress } from '../client/dead-address.ts'
import { SessionGauge } from '../delivery/servers.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import type { Answers } from '../support/scripted-steps.ts'
import { all, leadingTo, OneExchanger, probed, serverWith, verbs } from './servers.ts'

const mailboxes = (count: number, domain = 'a.test'): readonly string[] =>
  Array.from({ length: count }, (_, at) => `u${at}@${domain}`)

/** Opens once. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: resolve, passed: promise }
}

test('reports come in the order of the targets, whichever is known first', async () => {
  const others = gate()
  let answered = 0
  const server = await serverWith({
    RCPT: async (client) => {
      const isFirst = client.commands.at(-1)?.includes('<u0@') === true
      if (isFirst) await others.passed
      else if (++answered === 9) others.open()
      await client.reply('250 ok')
    },
  })
  const targets = mailboxes(10)
  const reports = await probed(server, targets)
  expect(reports.map(({ target }) => target)).toEqual(targets)
})

test('mailboxes of one domain cost one lookup of each kind, however many there are', async () => {
  const server = await serverWith()
  const resolver = new OneExchanger(server.address)
  await probed(server, mailboxes(300), {}, { resolver })
  expect(resolver.queries.toSorted()).toEqual(['A mx.example.test', 'AAAA mx.example.test', 'MX a.test'])
})

describe('sessions open at once', () => {
  /** The most sessions that were open together, at each server. */
  async function peak(
    domains: readonly string[],
    limits: { readonly perSite?: number; readonly concurrency?: number },
  ) {
    const gauge = new SessionGauge()
    const server = await serverWith(gauge.counting())
    // Each domain has an exchanger of its own name, so each is a site of its own; all lead to the one server.
    const resolver = new OneExchanger(server.address, (domain) => [{ host: `mx.${domain}`, preference: 10 }])
    await probed(
      server,
      domains.flatMap((domain) => mailboxes(20, domain)),
      { limits: { ...limits, perSession: 1 } },
      { resolver },
    )
    expect(server.conversations).toHaveLength(20 * domains.length)
    return gauge.peak
  }

  test('are two for one site unless asked otherwise', async () => {
    expect(await peak(['a.test'], {})).toBe(2)
    expect(await peak(['a.test'], { perSite: 1 })).toBe(1)
  })

  test('are no more than asked for over all sites', async () => {
    expect(await peak(['a.test', 'b.test', 'c.test', 'd.test'], { concurrency: 3 })).toBe(3)
  })
})

test('domains behind one set of exchangers are one site', async () => {
  const gauge = new SessionGauge()
  const server = await serverWith(gauge.counting())
  await probed(
    server,
    Array.from({ length: 20 }, (_, at) => `customer${at}.test`),
  )
  expect(gauge.peak).toBe(2)
})

test('a site that does not answer holds up nobody behind it', async () => {
  const others = gate()
  const hosts = new Map<string, number>()
  const server = await serverWith({
    RCPT: async (client) => {
      const [, domain = ''] = /@([^>]*)>/.exec(client.commands.at(-1) ?? '') ?? []
      hosts.set(domain, (hosts.get(domain) ?? 0) + 1)
      if (domain === 'quick.test' && hosts.get(domain) === 20) others.open()
      if (domain === 'slow.test') await others.passed
      await client.reply('250 ok')
    },
  })
  const resolver = new OneExchanger(server.address, (domain) => [{ host: `mx.${domain}`, preference: 10 }])
  const targets = [...mailboxes(40, 'slow.test'), ...mailboxes(20, 'quick.test')]
  const reports = await probed(server, targets, { limits: { concurrency: 4, perSite: 2 } }, { resolver })
  expect(reports.map(({ target }) => target)).toEqual(targets)
})

describe('ten thousand targets', () => {
  test('are read no further ahead than a thousand', async () => {
    const first = gate()
    const server = await serverWith({
      RCPT: async (client) => {
        if (client.commands.at(-1)?.includes('<u0@')) await first.passed
        await client.reply('250 ok')
      },
    })
    let read = 0
    async function* many(): AsyncGenerator<string> {
      for (const target of mailboxes(10_000)) {
        read++
        if (read === 1_000) first.open()
        yield target
      }
    }
    const stop = new AbortController()
    const options = leadingTo(server.port, { signal: stop.signal, stopAfter: 'rcpt' })
    const reports = probe(many(), options, { resolver: new OneExchanger(server.address) })
    let taken = 0
    for await (const _ of reports) {
      taken++
      expect(read - taken).toBeLessThanOrEqual(1_000)
      if (taken === 200) break
    }
    expect(read).toBeLessThanOrEqual(1_201)
  })

  test('of which nobody can be dialled are each told of, in order', async () => {
    const targets = Array.from({ length: 10_000 }, (_, at) => `d${at}.test`)
    const resolver = new OneExchanger('127.0.0.1', () => [{ host: '', preference: 0 }])
    let at = 0
    for await (const { target, verdict } of probe(targets, leadingTo(25), { resolver })) {
      expect([target, verdict]).toEqual([targets[at++], 'no-mail'])
    }
    expect(at).toBe(10_000)
  })
})

describe('an abort', () => {
  test('ends what waits, tells what is known, and throws its reason', async () => {
    const stop = new AbortController()
    const server = await serverWith({
      RCPT: async (client) => {
        if (!client.commands.at(-1)?.includes('<u3@')) return client.reply('250 ok')
        stop.abort(new Error('enough'))
        await client.untilGone()
      },
    })
    const told: string[] = []
    const running = async (): Promise<void> => {
      const options = leadingTo(server.port, { signal: stop.signal, limits: { perSite: 1 } })
      const reports = probe(mailboxes(3_000), options, { resolver: new OneExchanger(server.address) })
      for await (const { target, verdict, reason } of reports) told.push(`${target} ${verdict} ${reason}`)
    }
    await expect(running()).rejects.toThrow('enough')
    expect(told).toEqual([
      'u0@a.test accepts 250 ok',
      'u1@a.test accepts 250 ok',
      'u2@a.test accepts 250 ok',
      'u3@a.test unknown enough',
    ])
    expect(server.conversations).toHaveLength(1)
  })

  test('takes the reply that is under way, and leaves with QUIT', async () => {
    const stop = new AbortController()
    const server = await serverWith({
      RCPT: async (client) => {
        stop.abort(new Error('enough'))
        await client.reply('250 2.1.5 ok')
      },
    })
    const told: string[] = []
    const running = async (): Promise<void> => {
      const options = leadingTo(server.port, { signal: stop.signal, catchAll: true, vrfy: true })
      const reports = probe('bob@a.test', options, { resolver: new OneExchanger(server.address) })
      for await (const { verdict, reason } of reports) told.push(`${verdict} ${reason}`)
    }
    await expect(running()).rejects.toThrow('enough')
    expect(told).toEqual(['accepts 250 2.1.5 ok'])
    expect(verbs(server)).toEqual(['EHLO', 'MAIL', 'RCPT', 'QUIT'])
  })

  test.each<[string, Answers, readonly string[]]>([
    ['EHLO', { EHLO: '250 mx.example.test' }, ['EHLO', 'QUIT']],
    ['MAIL', { MAIL: '250 ok' }, ['EHLO', 'MAIL', 'QUIT']],
  ])('says QUIT also when it comes before the reply to %s', async (stage, answers, said) => {
    const stop = new AbortController()
    const [[name, words = '']] = Object.entries(answers) as [[keyof Answers, string]]
    const server = await serverWith({
      [name]: async (client: { reply(line: string): Promise<void> }) => {
        stop.abort(new Error('enough'))
        await client.reply(words)
      },
    })
    const options = leadingTo(server.port, { signal: stop.signal })
    const reports = probe('bob@a.test', options, { resolver: new OneExchanger(server.address) })
    await expect(all(reports)).rejects.toThrow('enough')
    expect([stage, verbs(server)]).toEqual([stage, said])
  })

  test('forgets none of those who wait for one exchanger, in whatever order they came', async () => {
    const stop = new AbortController()
    const server = await serverWith({
      RCPT: async (client) => {
        stop.abort(new Error('enough'))
        await client.reply('250 ok')
      },
    })
    const told: string[] = []
    const running = async (): Promise<void> => {
      const options = leadingTo(server.port, { signal: stop.signal, limits: { perSite: 1 } })
      const reports = probe(mailboxes(5), options, { resolver: new OneExchanger(server.address) })
      for await (const { target, verdict } of reports) told.push(`${target} ${verdict}`)
    }
    await expect(running()).rejects.toThrow('enough')
    expect(told).toEqual(['u0@a.test accepts'])
  })

  test('says QUIT to a server that does not answer, and does not wait for it', async () => {
    const stop = new AbortController()
    const server = await serverWith({
      RCPT: async (client) => {
        stop.abort(new Error('enough'))
        expect(await client.command()).toBe('QUIT')
        await client.untilGone()
      },
    })
    const options = leadingTo(server.port, { signal: stop.signal, transcript: true })
    const reports = probe('bob@a.test', options, { resolver: new OneExchanger(server.address) })
    await expect(all(reports)).rejects.toThrow('enough')
    await server.settled()
    expect(verbs(server)).toEqual(['EHLO', 'MAIL', 'RCPT', 'QUIT'])
  })

  test('tells also what was known behind a target that was waited for', async () => {
    const stop = new AbortController()
    let answered = 0
    const server = await serverWith({
      RCPT: async (client) => {
        if (client.commands.at(-1)?.includes('<u0@')) return client.untilGone()
        await client.reply('250 ok')
      },
      QUIT: async (client) => {
        await client.reply('221 bye')
        if (++answered === 5) stop.abort(new Error('enough'))
      },
    })
    const told: string[] = []
    const running = async (): Promise<void> => {
      const options = leadingTo(server.port, { signal: stop.signal, limits: { perSession: 1 } })
      const reports = probe(mailboxes(6), options, { resolver: new OneExchanger(server.address) })
      for await (const { target, verdict } of reports) told.push(`${target} ${verdict}`)
    }
    await expect(running()).rejects.toThrow('enough')
    expect(told).toEqual([
      'u0@a.test unknown',
      ...mailboxes(6)
        .slice(1)
        .map((name) => `${name} accepts`),
    ])
  })

  test('ends the waiting for targets that never come', async () => {
    const stop = new AbortController()
    async function* never(): AsyncGenerator<string> {
      stop.abort(new Error('enough'))
      await new Promise(() => {})
    }
    await expect(all(probe(never(), leadingTo(25, { signal: stop.signal })))).rejects.toThrow('enough')
  })

  test('before the beginning connects to nobody', async () => {
    const server = await serverWith()
    const options = leadingTo(server.port, { signal: AbortSignal.abort(new Error('enough')) })
    const reports = probe('a.test', options, { resolver: new OneExchanger(server.address) })
    await expect(all(reports)).rejects.toThrow('enough')
    expect(server.conversations).toHaveLength(0)
  })
})

test('leaving the iteration ends the sessions that are open', async () => {
  const reached = gate()
  const server = await serverWith({
    RCPT: async (client) => {
      if (!client.commands.at(-1)?.includes('<u1@')) {
        await reached.passed
        return client.reply('250 ok')
      }
      reached.open()
      await client.untilGone()
    },
  })
  const reports = probe(mailboxes(50), leadingTo(server.port), { resolver: new OneExchanger(server.address) })
  for await (const { target } of reports) {
    expect(target).toBe('u0@a.test')
    break
  }
  await server.settled()
})

test('targets of an iterable are read as they are wanted; behind those before it, a malformed one ends the iteration', async () => {
  const server = await serverWith()
  const resolver = new OneExchanger(server.address)
  const reports = probe(new Set(['a.test', 'b@@c']), leadingTo(server.port), { resolver })
  const told: string[] = []
  const running = async (): Promise<void> => {
    for await (const { target } of reports) told.push(target)
  }
  await expect(running()).rejects.toThrow(/Malformed address `b@@c`/)
  expect(told).toEqual(['a.test'])
})

describe('port 25', () => {
  const sites = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `d${at}.test`)
  /** An exchanger for each domain, at an address of its own where nobody listens. */
  const elsewhere = (address: (at: number) => string): OneExchanger =>
    new OneExchanger(
      (host) => address(Number(/\d+/.exec(host)?.[0])),
      (domain) => [{ host: `mx.${domain}`, preference: 10 }],
    )
  const oneByOne = { limits: { concurrency: 1 } }

  test('seems blocked when nobody answers at several unrelated sites', async () => {
    const resolver = elsewhere((at) => `127.200.1.${at + 1}`)
    const reports = await all(probe(sites(4), leadingTo(9, oneByOne), { resolver }))
    expect(reports.map(({ verdict }) => verdict)).toEqual(Array(4).fill('unreachable'))
    expect(reports[0]?.meaning).toBe('The host answers and refuses port 9: their mail server is down.')
    expect(reports[3]?.meaning).toMatch(
      /^Nothing answers on port 9 anywhere, so it is probably blocked from here/,
    )
    const summary = new ProbeSummary()
    for (const report of reports) summary.add(report)
    expect(summary.seemsBlocked).toBe(true)
  })

  test('is not what is wrong with one site, however many domains it has', async () => {
    await using dead = await deadAddress()
    const options = leadingTo(dead.port, { limits: { timeout: '200ms', perSite: 1 } })
    const reports = await all(probe(sites(5), options, { resolver: new OneExchanger(dead.address) }))
    for (const { meaning } of reports)
      expect(meaning).toMatch(/^No answer on port \d+: their server is down, or/)
  })

  test('is open when a single one answers, and then it is they who are down', async () => {
    const server = await serverWith()
    const resolver = elsewhere((at) => (at === 0 ? server.address : `127.200.1.${at}`))
    const reports = await probed(server, sites(5), oneByOne, { resolver })
    expect(reports.map(({ verdict }) => verdict)).toEqual(['accepts', ...Array(4).fill('unreachable')])
    expect(reports[4]?.meaning).toMatch(
      /^The host answers and refuses port \d+: their mail server is down\.$/,
    )
    const summary = new ProbeSummary()
    for (const report of reports) summary.add(report)
    expect(summary.seemsBlocked).toBe(false)
  })

  test('is open although this one is silent', async () => {
    const server = await serverWith()
    await using dead = await deadAddress()
    const ports = { 'd0.test': `127.0.0.1:${server.port}`, 'd1.test': `127.0.0.1:${dead.port}` }
    const agent = { hostname: 'prober.test', routes: ports }
    const limits = { timeout: '200ms', concurrency: 1 }
    const [open, silent] = await all(probe(sites(2), { agent, limits }))
    expect(open?.verdict).toBe('accepts')
    expect(silent?.meaning).toMatch(
      /^Others answer on port \d+, so it is theirs that is down, or keeps us out\.$/,
    )
  })
})

test('an address that did not answer is not dialled again for each mailbox', async () => {
  const gone = await ScriptedServer.start([])
  const { address, port } = gone
  await gone.close()
  const reports = await probed({ address, port }, mailboxes(20), { limits: { perSite: 1 }, transcript: true })
  const dialled = reports.filter(({ reason }) => !reason.includes('a moment ago'))
  expect(dialled).toHaveLength(1)
  expect(reports.map(({ verdict }) => verdict)).toEqual(Array(20).fill('unreachable'))
})
