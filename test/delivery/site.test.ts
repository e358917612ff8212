import { describe, expect, test } from 'vitest'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { collect, mailboxes, summary, TestDelivery } from './fixtures.ts'
import {
  chunking,
  commandsAt,
  Gate,
  nobody,
  pipelining,
  placeOf,
  recipientsAt,
  SessionGauge,
  serverWith,
} from './servers.ts'

const to = (...servers: readonly ScriptedServer[]) => ({
  'a.test': servers.map((server) => ({ place: placeOf(server) })),
})

const delivered = (recipients: readonly string[]) => recipients.map((who) => `${who} delivered`)

describe('sessions are kept for the next recipient:', () => {
  test('one is enough for all when one is allowed', async () => {
    await using server = await serverWith({ offers: pipelining })
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 1 } })
    const all = mailboxes(20, 'a.test')
    expect((await delivery.outcomes(all)).map(summary)).toEqual(delivered(all))
    expect(server.conversations).toHaveLength(1)
    expect(recipientsAt(server)).toEqual(all)
  })

  test('`messagesPerSession` ends one and opens another, refused recipients counted', async () => {
    const gauge = new SessionGauge()
    await using server = await serverWith(gauge.counting({ RCPT: '550 5.1.1 unknown' }))
    await using delivery = new TestDelivery({
      domains: to(server),
      limits: { perSite: 1, messagesPerSession: 3 },
    })
    await delivery.outcomes(mailboxes(7, 'a.test'))
    await delivery.deliverer.close()
    expect(
      server.conversations.map(({ commands }) => commands.filter((one) => one.startsWith('RCPT')).length),
    ).toEqual([3, 3, 1])
    expect(gauge).toMatchObject({ open: 0, peak: 1 })
    expect(commandsAt(server, 'QUIT')).toHaveLength(3)
  })

  test('a peer that allows fewer is obeyed (RFC 9422 §4.1, MAILMAX)', async () => {
    await using server = await serverWith({ offers: ['LIMITS MAILMAX=2'] })
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 1 } })
    await delivery.outcomes(mailboxes(5, 'a.test'))
    expect(server.conversations.map(({ contents }) => contents.length)).toEqual([2, 2, 1])
  })

  test('a later delivery finds the session of an earlier one', async () => {
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: to(server) })
    await delivery.outcomes(['bob@a.test'])
    await delivery.outcomes(['carol@a.test'])
    expect(server.conversations).toHaveLength(1)
    expect(recipientsAt(server)).toEqual(['bob@a.test', 'carol@a.test'])
  })

  test('two deliveries at once share them', async () => {
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 2 } })
    const both = [mailboxes(20, 'a.test'), mailboxes(20, 'a.test').map((box) => `x${box}`)] as const
    await Promise.all(both.map((recipients) => delivery.outcomes(recipients)))
    expect(server.conversations.length).toBeLessThanOrEqual(2)
    expect(recipientsAt(server).toSorted()).toEqual(both.flat().toSorted())
  })

  test('domains with the same exchangers share them', async () => {
    await using server = await serverWith()
    const host = 'mx.provider.test'
    const offer = [{ host, place: placeOf(server) }]
    await using delivery = new TestDelivery({
      domains: { 'a.test': offer, 'b.test': offer, 'c.test': offer },
      limits: { perSite: 1 },
    })
    await delivery.outcomes(['bob@a.test', 'bob@b.test', 'bob@c.test'])
    expect(server.conversations).toHaveLength(1)
  })
})

describe('the peer ends a session between recipients and nobody is deferred:', () => {
  const farewells: readonly (readonly [string, (client: Conversation) => Promise<void>])[] = [
    [
      'it closes after each message',
      async (client) => {
        await client.reply('250 2.0.0 taken')
        client.close()
      },
    ],
    [
      'it says 421 right behind its acceptance',
      async (client) => {
        await client.reply('250 2.0.0 taken', '421 4.3.2 enough')
        client.close()
      },
    ],
    [
      'it breaks the connection',
      async (client) => {
        await client.reply('250 2.0.0 taken')
        client.reset()
      },
    ],
  ]

  test.each(
    farewells.flatMap(([what, farewell]) =>
      (
        [
          ['DATA', pipelining],
          ['BDAT', chunking],
          ['one command at a time', []],
        ] as const
      ).map(([how, offers]) => [what, how, farewell, offers] as const),
    ),
  )('%s, with %s', async (_what, _how, farewell, offers) => {
    await using server = await serverWith({ offers, content: farewell, BDAT: farewell })
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 2 } })
    const all = mailboxes(12, 'a.test')
    const outcomes = await delivery.outcomes(all)
    expect(outcomes.map(summary).toSorted()).toEqual(delivered(all).toSorted())
    expect(server.conversations.flatMap(({ contents }) => contents)).toHaveLength(12)
  })

  test.each([
    ['DATA', pipelining],
    ['BDAT', chunking],
    ['one command at a time', []],
  ] as const)('it says 421 to the second MAIL, with %s', async (_how, offers) => {
    await using server = await ScriptedServer.start(async (client) => {
      let mails = 0
      await ordinary({
        offers,
        MAIL: async (one) => {
          if (++mails === 1) return one.reply('250 2.1.0 ok')
          await one.reply('421 4.7.0 one message a session')
          one.close()
        },
      })(client)
    })
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 2 } })
    const all = mailboxes(10, 'a.test')
    expect((await delivery.outcomes(all)).map(summary).toSorted()).toEqual(delivered(all).toSorted())
    expect(server.conversations).toHaveLength(10)
  })

  test('it closes a session that idles: the next delivery opens another one', async () => {
    await using server = await serverWith({ offers: chunking })
    await using delivery = new TestDelivery({ domains: to(server) })
    await delivery.outcomes(['bob@a.test'])
    server.conversation.close()
    await expect.poll(() => server.conversation.ending, { timeout: 30_000 }).not.toBe('open')
    expect((await delivery.outcomes(['carol@a.test'])).map(summary)).toEqual(['carol@a.test delivered'])
    expect(server.conversations).toHaveLength(2)
  })
})

describe('how much at once:', () => {
  test('`perSite` sessions at most, and as many when there is work', async () => {
    const gauge = new SessionGauge()
    await using server = await serverWith(gauge.counting())
    await using delivery = new TestDelivery({
      domains: to(server),
      limits: { perSite: 3, messagesPerSession: 4 },
    })
    await delivery.outcomes(mailboxes(60, 'a.test'))
    expect(gauge.peak).toBe(3)
  })

  test('`perSite` counts the sessions to all exchangers of a site, those being opened and those that idle too', async () => {
    const gauge = new SessionGauge()
    const greylisting = gauge.counting({ RCPT: '450 4.2.0 later' })
    await using first = await serverWith(greylisting)
    await using second = await serverWith(greylisting)
    await using delivery = new TestDelivery({ domains: to(first, second), limits: { perSite: 2 } })
    const outcomes = await delivery.outcomes(mailboxes(20, 'a.test'))
    expect(outcomes.map(({ attempts }) => attempts.length)).toEqual(Array.from({ length: 20 }, () => 2))
    expect(gauge.peak).toBe(2)
  })

  test('`concurrency` sessions at work at most, all sites together', async () => {
    const gauge = new SessionGauge()
    let [working, most] = [0, 0]
    const counting = gauge.counting({
      MAIL: (client) => {
        most = Math.max(most, ++working)
        return client.reply('250 ok')
      },
      content: async (client) => {
        await new Promise((resolve) => setImmediate(resolve))
        working--
        await client.reply('250 taken')
      },
    })
    await using server = await serverWith(counting)
    const domains = ['a.test', 'b.test', 'c.test', 'd.test']
    await using delivery = new TestDelivery({
      domains: Object.fromEntries(domains.map((domain) => [domain, [{ place: placeOf(server) }]])),
      limits: { concurrency: 3, perSite: 2 },
    })
    const all = domains.flatMap((domain) => mailboxes(10, domain))
    expect((await delivery.outcomes(all)).map(summary).toSorted()).toEqual(delivered(all).toSorted())
    expect(most).toBe(3)
  })

  test('a site with very many recipients lets the others have their turn', async () => {
    await using server = await serverWith()
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [{ place: placeOf(server) }],
        'b.test': [{ place: placeOf(server) }],
      },
      limits: { concurrency: 1, messagesPerSession: 1000 },
    })
    const outcomes = await delivery.outcomes([...mailboxes(300, 'a.test'), 'bob@b.test'])
    const place = outcomes.findIndex(({ recipient }) => recipient.address.domain === 'b.test')
    expect(place).toBeGreaterThan(0)
    expect(place).toBeLessThan(150)
  })
})

describe('a site that is slow or dead holds up its own recipients only:', () => {
  test('a silent one', async () => {
    const gate = new Gate()
    await using silent = await serverWith({
      greeting: (client) => gate.passed.then(() => client.reply('220 at last')),
    })
    await using quick = await serverWith()
    await using delivery = new TestDelivery({
      domains: { 'slow.test': [{ place: placeOf(silent) }], 'quick.test': [{ place: placeOf(quick) }] },
      limits: { concurrency: 2, perSite: 2 },
    })
    const order: string[] = []
    for await (const outcome of delivery.start([
      ...mailboxes(20, 'slow.test'),
      ...mailboxes(20, 'quick.test'),
    ])) {
      order.push(outcome.recipient.address.domain)
      // Not before all the quick ones are known does the slow one say a word.
      if (order.length === 20) gate.open()
    }
    expect(order).toEqual([
      ...Array.from({ length: 20 }, () => 'quick.test'),
      ...Array.from({ length: 20 }, () => 'slow.test'),
    ])
  })

  test('a dead one is dialled once, and all who wait for it are told the same', async () => {
    const place = await nobody()
    await using delivery = new TestDelivery({
      domains: { 'dead.test': [{ place }, { place: await nobody() }] },
    })
    const outcomes = await delivery.outcomes(mailboxes(50, 'dead.test'))
    expect(outcomes.map(summary)).toEqual(
      mailboxes(50, 'dead.test').map((who) => `${who} deferred 4.4.1 connect`),
    )
    expect(outcomes.map(({ attempts }) => attempts.map(({ exchanger }) => exchanger))).toEqual(
      Array.from({ length: 50 }, () => ['mx1.dead.test', 'mx2.dead.test']),
    )
    expect(delivery.events.filter(({ kind }) => kind === 'trying')).toHaveLength(2)
  })

  test('one that dies in the middle costs those who had not begun no more than a deferral each', async () => {
    let connections = 0
    let server: ScriptedServer | null = await serverWith({
      greeting: (client) => (++connections > 1 ? client.close() : client.reply('220 hello')),
      content: (client) => client.reply('250 taken'),
    })
    const place = placeOf(server)
    const delivery = new TestDelivery({ domains: { 'a.test': [{ place }] }, limits: { perSite: 1 } })
    const kinds: string[] = []
    for await (const outcome of delivery.start(mailboxes(10, 'a.test'))) {
      kinds.push(outcome.kind)
      if (kinds.length === 3) {
        await server?.close()
        server = null
      }
    }
    expect(kinds).toHaveLength(10)
    expect(kinds.slice(0, 3)).toEqual(['delivered', 'delivered', 'delivered'])
    expect(new Set(kinds.slice(4))).toEqual(new Set(['deferred']))
    await delivery.deliverer.close()
  })
})

describe('a site that lets us have only so many sessions', () => {
  /** Greets with 421 while so many sessions are open. */
  const busy = (allowed: number) => {
    let open = 0
    return async (client: Conversation): Promise<void> => {
      if (open >= allowed) {
        await client.reply('421 4.3.2 too many')
        return client.close()
      }
      open++
      await ordinary()(client).finally(() => open--)
    }
  }

  test('serves everyone over those, and is not asked again and again for more', async () => {
    await using server = await ScriptedServer.start(busy(2))
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 8 } })
    const all = mailboxes(80, 'a.test')
    expect((await delivery.outcomes(all)).map(summary).toSorted()).toEqual(delivered(all).toSorted())
    expect(recipientsAt(server)).toHaveLength(80)
    // Eight at the start, of which six were turned away, and nobody asked again.
    expect(server.conversations.length).toBeLessThanOrEqual(8 + 6)
  })

  test('defers nobody when the only session has become idle in the meantime', async () => {
    const gate = new Gate()
    let connections = 0
    await using server = await ScriptedServer.start(async (client) => {
      if (++connections === 1) return ordinary()(client)
      await gate.passed
      await client.reply('421 4.3.2 too many')
      client.close()
    })
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 2 } })
    const outcomes = delivery.start(mailboxes(2, 'a.test'))
    const first = await outcomes.next()
    await expect.poll(() => connections, { timeout: 30_000 }).toBe(2)
    gate.open()
    const rest = await collect(outcomes)
    expect([first.value, ...rest].map((one) => one && summary(one))).toEqual([
      'u0@a.test delivered',
      'u1@a.test delivered',
    ])
  })
})
