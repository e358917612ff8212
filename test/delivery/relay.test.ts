/** Delivery by a relay: several recipients in a transaction, logins that are refused. */
import { createSecureContext } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RelaySettings } from '../../src/config/relay-settings.ts'
import { formatAddress } from '../../src/mail/address.ts'
import type { Router } from '../../src/route/route.ts'
import { relayExchanger, routeVia } from '../../src/route/static-routes.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { relayTo } from '../support/relay-to.ts'
import { saslServer } from '../support/sasl-server.ts'
import { scripted } from '../support/scripted.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import {
  collect,
  type DeliveryOptions,
  envelope,
  mailboxes,
  message,
  summary,
  TestDelivery,
} from './fixtures.ts'
import { dice, type Ledger, moodyRelay } from './moody-relay.ts'
import { commandsAt, inTurn, recipientsAt } from './servers.ts'

const HOST = 'relay.test'
const { ca, kinds } = makeCertificates([HOST])
const secureContext = createSecureContext(kinds.trusted)
const known = { user: 'me', password: 'secret' }

async function serverWith(answers: Answers = {}): Promise<ScriptedServer> {
  return scripted(ordinary({ offers: ['PIPELINING'], ...answers }))
}

/** Everything goes to the relay, which has as many addresses as there are servers. */
function routerTo(relay: Partial<RelaySettings>, ...servers: readonly ScriptedServer[]): Router {
  const settings = relayTo(HOST, { port: servers[0]?.port ?? 0, tlsMode: 'off', ...relay })
  return {
    route: async (domain) => routeVia(relayExchanger(settings), domain),
    targets: async (exchanger) =>
      servers.map(({ address, port }) => ({ exchanger: { ...exchanger, port }, ip: address, family: 4 })),
  }
}

function deliveryBy(router: Router, options: Partial<DeliveryOptions> = {}): TestDelivery {
  const delivery = new TestDelivery({ domains: {}, router, ca, ...options })
  onTestFinished(() => delivery[Symbol.asyncDispose]())
  return delivery
}

const summaries = async (delivery: TestDelivery, recipients: readonly string[]): Promise<readonly string[]> =>
  (await delivery.outcomes(recipients)).map(summary).toSorted()

/** RCPT answered by how many came before in this transaction, or by name. */
const limited =
  (most: number, reply: string) =>
  (client: Conversation, _command: string): Promise<void> => {
    const since = client.commands.slice(client.commands.findLastIndex((line) => line.startsWith('MAIL')))
    const count = since.filter((line) => line.startsWith('RCPT')).length
    return client.reply(count > most ? reply : '250 2.1.5 ok')
  }

const byName =
  (answers: Readonly<Record<string, string>>) =>
  (client: Conversation, command: string): Promise<void> => {
    const [, name = ''] = /<([^@]*)@/.exec(command) ?? []
    return client.reply(answers[name] ?? '250 2.1.5 ok')
  }

describe('recipients of a message', () => {
  test('share transactions, whatever their domains, up to `recipientsPerTransaction`', async () => {
    const server = await serverWith()
    const recipients = [...mailboxes(4, 'a.test'), ...mailboxes(3, 'b.test')]
    const outcomes = await deliveryBy(routerTo({ recipientsPerTransaction: 5 }, server)).outcomes(recipients)
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('delivered'))
    expect(outcomes.every(({ attempts }) => attempts.length === 1)).toBe(true)
    expect(recipientsAt(server).toSorted()).toEqual(recipients.toSorted())
    expect(commandsAt(server, 'MAIL')).toHaveLength(2)
  })

  test('have their outcomes in the order of a transaction they share', async () => {
    const recipients = mailboxes(4, 'a.test')
    const outcomes = await deliveryBy(routerTo({}, await serverWith())).outcomes(recipients)
    expect(outcomes.map(summary)).toEqual(recipients.map((address) => `${address} delivered`))
  })

  test('have a transaction each on the direct road, unless told otherwise', async () => {
    const server = await serverWith()
    const router = routerTo({}, server)
    const direct: Router = {
      ...router,
      route: async (domain) => {
        const route = await router.route(domain)
        return { ...route, exchangers: route.exchangers.map(({ relay: _, ...exchanger }) => exchanger) }
      },
    }
    await deliveryBy(direct).outcomes(mailboxes(3, 'a.test'))
    expect(commandsAt(server, 'MAIL')).toHaveLength(3)
    await deliveryBy(direct, { limits: { recipientsPerTransaction: 3 } }).outcomes(mailboxes(3, 'a.test'))
    expect(commandsAt(server, 'MAIL')).toHaveLength(4)
  })

  test('have each an outcome of their own', async () => {
    const server = await serverWith({
      RCPT: byName({ u1: '550 5.1.1 unknown', u2: '450 4.2.1 later', u4: '552 5.2.2 full' }),
    })
    expect(await summaries(deliveryBy(routerTo({}, server)), mailboxes(5, 'a.test'))).toEqual([
      'u0@a.test delivered',
      'u1@a.test failed 5.1.1 rcpt',
      'u2@a.test deferred 4.2.1 rcpt',
      'u3@a.test delivered',
      'u4@a.test failed 5.2.2 rcpt',
    ])
    expect(commandsAt(server, 'MAIL')).toHaveLength(1)
  })

  test.each(['452 4.5.3 too many recipients', '552 too many recipients', '452 enough'])(
    'that are too many go into further transactions: %s (RFC 5321 §4.5.3.1.10)',
    async (reply) => {
      const server = await serverWith({ RCPT: limited(3, reply) })
      const outcomes = await deliveryBy(routerTo({}, server), { limits: { perSite: 1 } }).outcomes(
        mailboxes(8, 'a.test'),
      )
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(8).fill('delivered'))
      expect(outcomes.every(({ attempts }) => attempts.length === 1)).toBe(true)
      // What was learned in the first transaction is not asked again: 8, then 3, then 2.
      expect(recipientsAt(server)).toHaveLength(13)
      expect(commandsAt(server, 'MAIL')).toHaveLength(3)
      expect(commandsAt(server, 'EHLO')).toHaveLength(1)
    },
  )

  test.each(['552 too many recipients', '452 4.5.3 too many recipients', '550 5.5.3 too many recipients'])(
    'that are too many behind others who were refused go into further transactions too: %s (Exim counts both)',
    async (reply) => {
      const unknown = byName({ u0: '550 5.1.1 unknown', u1: '550 5.1.1 unknown', u2: '550 5.1.1 unknown' })
      const server = await serverWith({
        RCPT: async (client, command) => {
          const since = client.commands.slice(
            client.commands.findLastIndex((line) => line.startsWith('MAIL')),
          )
          if (since.filter((line) => line.startsWith('RCPT')).length > 3) await client.reply(reply)
          else await unknown(client, command)
        },
      })
      const outcomes = await deliveryBy(routerTo({}, server), { limits: { perSite: 1 } }).outcomes(
        mailboxes(8, 'a.test'),
      )
      expect(outcomes.map(summary).toSorted()).toEqual([
        ...mailboxes(3, 'a.test').map((address) => `${address} failed 5.1.1 rcpt`),
        ...mailboxes(8, 'a.test')
          .slice(3)
          .map((address) => `${address} delivered`),
      ])
      expect(commandsAt(server, 'MAIL')).toHaveLength(3)
    },
  )

  test('that the relay announces to be too many are not tried (RFC 9422 §4.2)', async () => {
    const server = await serverWith({ offers: ['PIPELINING', 'LIMITS RCPTMAX=2'] })
    await deliveryBy(routerTo({}, server)).outcomes(mailboxes(4, 'a.test'))
    expect(commandsAt(server, 'MAIL')).toHaveLength(2)
  })

  test('are asked in another session where one has ended over many refusals', async () => {
    const server = await serverWith({
      RCPT: (client) => {
        const refused = client.commands.filter((line) => line.startsWith('RCPT')).length
        return client.reply(refused > 5 ? '421 4.7.0 too many errors' : '550 5.1.1 unknown')
      },
    })
    const outcomes = await deliveryBy(routerTo({}, server)).outcomes(mailboxes(12, 'a.test'))
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(12).fill('failed'))
    expect(server.conversations).toHaveLength(3)
  })

  test('go one by one where a relay ends the session over too many of them', async () => {
    const server = await serverWith({
      RCPT: async (client) => {
        const since = client.commands.slice(client.commands.findLastIndex((line) => line.startsWith('MAIL')))
        if (since.filter((line) => line.startsWith('RCPT')).length <= 3) return client.reply('250 2.1.5 ok')
        await client.reply('421 4.7.0 too many, closing')
        client.close()
      },
    })
    const outcomes = await deliveryBy(routerTo({}, server)).outcomes(mailboxes(8, 'a.test'))
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(8).fill('delivered'))
  })

  test('are all deferred at once where a relay ends every session at the first', async () => {
    const server = await serverWith({
      RCPT: async (client) => {
        await client.reply('421 4.7.0 slow down')
        client.close()
      },
    })
    const outcomes = await deliveryBy(routerTo({}, server)).outcomes(mailboxes(8, 'a.test'))
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(8).fill('deferred'))
    expect(server.conversations).toHaveLength(1)
  })

  test('one alone that gets 452 is deferred, as there is nothing to split', async () => {
    const server = await serverWith({ RCPT: '452 4.3.1 no space' })
    expect(await summaries(deliveryBy(routerTo({}, server)), mailboxes(2, 'a.test'))).toEqual([
      'u0@a.test deferred 4.3.1 rcpt',
      'u1@a.test deferred 4.3.1 rcpt',
    ])
  })

  test('that may have been delivered are all uncertain, and none is offered again', async () => {
    const server = await serverWith({ content: (client) => client.close() })
    expect(await summaries(deliveryBy(routerTo({}, server)), mailboxes(3, 'a.test'))).toEqual(
      mailboxes(3, 'a.test').map((address) => `${address} deferred uncertain 4.4.2 end-of-data`),
    )
    expect(recipientsAt(server)).toHaveLength(3)
  })

  test('are asked again each at the next address, when the first refused for now', async () => {
    const [first, second] = [await serverWith({ MAIL: '451 4.3.0 not now' }), await serverWith()]
    const outcomes = await deliveryBy(routerTo({}, first, second)).outcomes(mailboxes(3, 'a.test'))
    expect(outcomes.map(({ kind, attempts }) => `${kind} ${attempts.length}`)).toEqual(
      Array(3).fill('delivered 2'),
    )
    expect(recipientsAt(second)).toHaveLength(3)
  })

  test('of which one needs SMTPUTF8 do not ask it for the others', async () => {
    const server = await serverWith({ offers: ['PIPELINING', 'SMTPUTF8', '8BITMIME'] })
    await deliveryBy(routerTo({}, server)).outcomes(['u0@a.test', 'grüße@a.test', 'u1@a.test', 'käse@b.test'])
    const mails = commandsAt(server, 'MAIL')
    expect(mails.filter((line) => !line.includes('SMTPUTF8')).length).toBeGreaterThan(0)
    for (const { commands } of server.conversations) {
      let isUtf8 = false
      for (const line of commands) {
        if (line.startsWith('MAIL')) isUtf8 = line.includes('SMTPUTF8')
        if (line.startsWith('RCPT')) expect(/[^ -~]/.test(line)).toBe(isUtf8)
      }
    }
    expect(recipientsAt(server)).toHaveLength(4)
  })

  test.each([0, 1, 4])(
    'of whom one (at %i) has a malformed ORCPT are sent to but for that one',
    async (place) => {
      const server = await serverWith({ offers: ['PIPELINING', 'DSN'] })
      const all = mailboxes(5, 'a.test')
      const { reversePath, recipients } = envelope(...all)
      const malformed = { orcpt: 'rfc822 bob@a.test NOTIFY=NEVER' }
      const outcomes = await collect(
        deliveryBy(routerTo({}, server)).deliverer.deliver(
          message(),
          {
            reversePath,
            recipients: recipients.map((one, at) => (at === place ? { ...one, dsn: malformed } : one)),
          },
          { id: '4D1A' },
        ),
      )
      expect(outcomes.map(summary).toSorted()).toEqual(
        all.map((address, at) => `${address} ${at === place ? 'failed 5.5.0 policy' : 'delivered'}`),
      )
      expect(recipientsAt(server).toSorted()).toEqual(all.filter((_, at) => at !== place))
    },
  )

  test('are all announced before the first octet of the content they share', async () => {
    const announced: string[] = []
    const server = await serverWith({
      RCPT: byName({ u1: '550 5.1.1 unknown' }),
      DATA: async (client) => {
        await client.reply('354 go ahead')
        await client.something()
        expect(announced).toEqual(expect.arrayContaining(['u0', 'u2', 'u3']))
        await client.dataContent()
        await client.reply('250 2.0.0 taken')
      },
    })
    const outcomes = await deliveryBy(routerTo({}, server)).outcomes(mailboxes(4, 'a.test'), {
      beforeContent: async ({ address }) => {
        await new Promise((resolve) => setImmediate(resolve))
        announced.push(address.localPart)
      },
    })
    expect(outcomes.filter(({ kind }) => kind === 'delivered')).toHaveLength(3)
  })

  test('are none in doubt, and get nothing, where one of them cannot be announced', async () => {
    const server = await serverWith({ offers: ['PIPELINING', 'CHUNKING'] })
    const delivery = deliveryBy(routerTo({}, server))
    const outcomes = await delivery.outcomes(mailboxes(3, 'a.test'), {
      beforeContent: async ({ address }) => {
        if (address.localPart === 'u1') throw new Error('the disk is gone')
      },
    })
    expect(outcomes.map(({ kind }) => kind)).toEqual(['deferred', 'deferred', 'deferred'])
    expect(outcomes.some((outcome) => outcome.kind === 'deferred' && outcome.uncertain)).toBe(false)
    expect(server.conversations.flatMap(({ contents }) => contents)).toEqual([])
  })

  test('of two messages never share one', async () => {
    const server = await serverWith()
    const delivery = deliveryBy(routerTo({}, server), { limits: { perSite: 1 } })
    await Promise.all([delivery.outcomes(mailboxes(2, 'a.test')), delivery.outcomes(mailboxes(2, 'a.test'))])
    expect(commandsAt(server, 'MAIL')).toHaveLength(2)
  })

  test('are all given up with the delivery, those of the running transaction too', async () => {
    const abort = new AbortController()
    const server = await serverWith({
      RCPT: (client, command) => {
        if (command.includes('u2')) abort.abort(new Error('enough'))
        return client.reply('250 2.1.5 ok')
      },
      DATA: (client) => client.untilGone(),
    })
    const delivery = deliveryBy(routerTo({ recipientsPerTransaction: 3 }, server))
    const seen: string[] = []
    const iterating = (async () => {
      for await (const outcome of delivery.start(mailboxes(7, 'a.test'), { signal: abort.signal })) {
        seen.push(summary(outcome))
      }
    })()
    await expect(iterating).rejects.toThrow('enough')
    expect(seen.toSorted()).toEqual(
      mailboxes(7, 'a.test').map((address) => `${address} deferred 4.3.2 policy`),
    )
  })
})

describe.each([
  ['DATA', ['PIPELINING']],
  ['BDAT', ['PIPELINING', 'CHUNKING']],
  ['DATA in steps', []],
  ['BDAT in steps', ['CHUNKING']],
] as const)('by %s', (_, offers) => {
  test('each recipient has one outcome, and the relay has the message if it says so, whatever the relay does', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const ledger: Ledger = new Map()
      const roll = dice(seed * 7919)
      const start = () => ScriptedServer.start(moodyRelay(roll, { offers, ledger }))
      await using first = await start()
      await using second = await start()
      const router = routerTo({ recipientsPerTransaction: 1 + (seed % 13) }, first, second)
      await using delivery = new TestDelivery({ domains: {}, router, limits: { perSite: 1 + (seed % 3) } })
      const outcomes = await delivery.outcomes(mailboxes(40, 'a.test'))
      expect(new Set(outcomes.map(({ recipient }) => formatAddress(recipient.address)))).toEqual(
        new Set(mailboxes(40, 'a.test')),
      )
      expect(outcomes).toHaveLength(40)
      for (const outcome of outcomes) {
        const copies = ledger.get(outcome.recipient.address.localPart) ?? 0
        const isUncertain = outcome.kind === 'deferred' && outcome.uncertain
        const known = outcome.kind === 'delivered' ? 1 : 0
        expect(isUncertain ? Math.min(copies, 1) : known, `${seed}: ${summary(outcome)}`).toBe(copies)
        // Nobody is told of an attempt twice.
        const told = outcome.attempts.map(
          ({ startedAt, ip, port, stage }) => `${startedAt} ${ip}:${port} ${stage}`,
        )
        expect(new Set(told).size, `${seed}: ${told}`).toBe(told.length)
      }
    }
  })
})

describe('a login', () => {
  const login = (password: string): NonNullable<RelaySettings['login']> => ({
    user: known.user,
    secret: { kind: 'program', read: () => password },
    mechanisms: ['PLAIN'],
    allowPlaintextAuth: false,
  })
  const secured = async (AUTH: Answers['AUTH']): Promise<ScriptedServer> =>
    serverWith({
      offers: ['PIPELINING', 'STARTTLS', 'AUTH PLAIN'],
      secureContext,
      ...(AUTH === undefined ? {} : { AUTH }),
    })

  test('that is right lets the mail through', async () => {
    const server = await secured(saslServer(known).AUTH)
    const router = routerTo({ tlsMode: 'verified', login: login(known.password) }, server)
    const [outcome] = await deliveryBy(router).outcomes(['bob@a.test'])
    expect(outcome).toMatchObject({ kind: 'delivered', attempts: [{ tls: { verified: true } }] })
  })

  test('that is refused is tried once, for all recipients and all addresses of the relay, and defers everybody', async () => {
    const sasl = saslServer(known)
    const [first, second] = [await secured(sasl.AUTH), await secured(sasl.AUTH)]
    const router = routerTo({ tlsMode: 'verified', login: login('wrong') }, first, second)
    const outcomes = await deliveryBy(router).outcomes(mailboxes(30, 'a.test'))
    expect(outcomes.map(summary).toSorted()).toEqual(
      mailboxes(30, 'a.test')
        .map((address) => `${address} deferred 5.7.8 auth`)
        .toSorted(),
    )
    expect(sasl.tried).toHaveLength(1)
    expect([...first.conversations, ...second.conversations]).toHaveLength(1)
  })

  test.each(['verified', 'required', 'opportunistic'] as const)(
    'is not said where STARTTLS has been taken out of the offers, nor is anything else (%s)',
    async (tlsMode) => {
      const sasl = saslServer(known)
      const server = await serverWith({ offers: ['PIPELINING', 'AUTH PLAIN'], AUTH: sasl.AUTH })
      const router = routerTo({ tlsMode, login: login(known.password) }, server)
      const [outcome] = await deliveryBy(router).outcomes(['bob@a.test'])
      expect(outcome).toMatchObject({ kind: 'deferred', uncertain: false })
      expect(sasl.tried).toEqual([])
      expect(server.conversations.flatMap(({ commands }) => commands)).toEqual(['EHLO sender.test', 'QUIT'])
    },
  )

  test('that is refused for now may be right at the next address', async () => {
    const first = await secured('454 4.7.0 temporary authentication failure')
    const second = await secured(saslServer(known).AUTH)
    const router = routerTo({ tlsMode: 'verified', login: login(known.password) }, first, second)
    const [outcome] = await deliveryBy(router).outcomes(['bob@a.test'])
    expect(outcome).toMatchObject({ kind: 'delivered', attempts: [{ stage: 'auth', status: '4.7.0' }, {}] })
  })

  test.each([
    ['530 5.7.0 authentication required', '5.7.0'],
    ['530 5.7.0 must issue a STARTTLS command first', '5.7.0'],
    ['535 5.7.8 log in first', '5.7.8'],
  ])(
    'that is missing is asked for once, for all recipients and addresses, and defers everybody: MAIL %s',
    async (MAIL, status) => {
      const [first, second] = [await serverWith({ MAIL }), await serverWith({ MAIL })]
      const router = routerTo({ recipientsPerTransaction: 10 }, first, second)
      const delivery = deliveryBy(router, { limits: { perSite: 1 } })
      const outcomes = await delivery.outcomes(mailboxes(30, 'a.test'))
      expect(outcomes.map(summary).toSorted()).toEqual(
        mailboxes(30, 'a.test')
          .map((address) => `${address} deferred ${status} auth`)
          .toSorted(),
      )
      expect(outcomes.every(({ attempts }) => attempts.length === 1 && attempts[0]?.via === 'relay')).toBe(
        true,
      )
      expect(commandsAt(first, 'MAIL')).toHaveLength(1)
      expect(commandsAt(first, 'QUIT')).toHaveLength(1)
      expect(second.conversations).toHaveLength(0)
    },
  )

  test('or TLS is missing, where a relay wants one of them and TLS was broken: both are tried again', async () => {
    const STARTTLS = async (client: Conversation): Promise<void> => {
      await client.reply('220 2.0.0 go ahead')
      client.close()
    }
    const MAIL = '530 5.7.0 must issue a STARTTLS command first'
    const server = await serverWith({ offers: ['STARTTLS'], STARTTLS, MAIL })
    const delivery = deliveryBy(routerTo({ tlsMode: 'opportunistic' }, server))
    for (const times of [1, 2]) {
      expect(await summaries(delivery, ['bob@a.test'])).toEqual(['bob@a.test deferred 5.7.0 auth'])
      expect(commandsAt(server, 'STARTTLS')).toHaveLength(times)
    }
  })

  test('that is missing is asked for by each open session once at most, however many recipients wait', async () => {
    const server = await serverWith({ MAIL: '530 5.7.0 authentication required' })
    const router = routerTo({ recipientsPerTransaction: 2 }, server)
    const outcomes = await deliveryBy(router).outcomes(mailboxes(100, 'a.test'))
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(100).fill('deferred'))
    expect(commandsAt(server, 'MAIL').length).toBeLessThanOrEqual(5)
  })

  test('that has run out within a session is renewed in another one', async () => {
    const MAIL = inTurn('250 2.1.0 ok', '530 5.7.0 authentication required', '250 2.1.0 ok')
    const server = await serverWith({ MAIL })
    const router = routerTo({ recipientsPerTransaction: 1 }, server)
    const outcomes = await deliveryBy(router, { limits: { perSite: 1 } }).outcomes(mailboxes(2, 'a.test'))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered'])
    expect(server.conversations).toHaveLength(2)
  })

  test('that some recipients need, and others do not, is the trouble of the former only', async () => {
    const server = await serverWith({ RCPT: byName({ u1: '530 5.7.0 authentication required' }) })
    expect(await summaries(deliveryBy(routerTo({}, server)), mailboxes(3, 'a.test'))).toEqual([
      'u0@a.test delivered',
      'u1@a.test deferred 5.7.0 rcpt',
      'u2@a.test delivered',
    ])
  })
})
