import { describe, expect, test } from 'vitest'
import { UnsuitableError } from '../../src/delivery/suitability.ts'
import type { Message } from '../../src/mail/message.ts'
import { RouteError } from '../../src/route/route.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { mailboxes, message, routerTo, summary, TestDelivery } from './fixtures.ts'
import {
  certificateFor,
  chunking,
  commandsAt,
  inTurn,
  nobody,
  pipelining,
  placeOf,
  recipientsAt,
  serverWith,
} from './servers.ts'

/** All that the clients said to it, in one string. */
const saidTo = (server: ScriptedServer): string =>
  server.conversations.flatMap(({ flights }) => flights).join('')

const nonAscii = /[^\u0000-\u007f]/

/** Begins a handshake and answers the ClientHello with something else. */
const noServerHello = async (client: Conversation): Promise<void> => {
  await client.reply('220 2.0.0 go ahead')
  await client.something()
  await client.reply('this is no ServerHello')
  await client.untilGone()
}

const twoExchangers = (first: ScriptedServer, second: ScriptedServer) => ({
  'a.test': [{ place: placeOf(first) }, { place: placeOf(second) }],
})

describe('one exchanger after another (RFC 5321 §5.1):', () => {
  test.each([
    ['421 at the greeting', { greeting: '421 4.3.2 busy' }, 'greeting', '4.3.2'],
    ['554 at the greeting', { greeting: '554 5.7.1 not from you' }, 'greeting', '5.7.1'],
    ['550 at EHLO', { EHLO: '550 5.7.1 no' }, 'ehlo', '5.7.1'],
    ['450 at MAIL', { MAIL: '450 4.7.1 later' }, 'mail', '4.7.1'],
    ['450 at RCPT', { RCPT: '450 4.2.0 greylisted' }, 'rcpt', '4.2.0'],
    ['452 at DATA', { DATA: '452 4.3.1 no room' }, 'data', '4.3.1'],
    ['451 at the end of data', { content: '451 4.3.0 try later' }, 'end-of-data', '4.3.0'],
  ] as const)('%s leads to the next one in the same attempt', async (_what, answers, stage, status) => {
    await using first = await serverWith({ offers: pipelining, ...answers })
    await using second = await serverWith({ offers: pipelining })
    await using delivery = new TestDelivery({ domains: twoExchangers(first, second) })
    const [outcome] = await delivery.outcomes(['bob@a.test'])
    expect(outcome).toMatchObject({
      kind: 'delivered',
      attempts: [
        { exchanger: 'mx1.a.test', stage, status },
        { exchanger: 'mx2.a.test', stage: 'end-of-data', status: '2.0.0' },
      ],
    })
    expect(recipientsAt(second)).toEqual(['bob@a.test'])
  })

  test('a refused connection and a peer that says nothing too', async () => {
    await using silent = await ScriptedServer.start([(client) => client.untilGone()])
    await using third = await serverWith()
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [{ place: await nobody() }, { place: placeOf(silent) }, { place: placeOf(third) }],
      },
      timeouts: { greetingMs: 50 },
    })
    expect(await delivery.outcomes(['bob@a.test'])).toMatchObject([
      {
        kind: 'delivered',
        attempts: [
          { exchanger: 'mx1.a.test', stage: 'connect', status: '4.4.1' },
          { exchanger: 'mx2.a.test', stage: 'greeting', status: '4.4.2' },
          { exchanger: 'mx3.a.test', status: '2.0.0' },
        ],
      },
    ])
  })

  test.each([
    ['MAIL', { MAIL: '550 5.7.1 not from you' }, 'mail'],
    ['RCPT', { RCPT: '550 5.7.1 unknown' }, 'rcpt'],
    ['DATA', { DATA: '554 5.7.1 no' }, 'data'],
    ['the end of data', { content: '554 5.7.1 spam' }, 'end-of-data'],
  ] as const)('5xx to %s is final: the next one is not asked', async (_what, answers, stage) => {
    await using first = await serverWith({ offers: pipelining, ...answers })
    await using second = await serverWith()
    await using delivery = new TestDelivery({ domains: twoExchangers(first, second) })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual([
      `bob@a.test failed 5.7.1 ${stage}`,
    ])
    expect(second.conversations).toEqual([])
  })

  test('5xx before a transaction is never final, when all exchangers say it', async () => {
    await using first = await serverWith({ greeting: '554 5.7.1 blocked' })
    await using second = await serverWith({ EHLO: '554 5.7.1 blocked too' })
    await using delivery = new TestDelivery({ domains: twoExchangers(first, second) })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test deferred 5.7.1 ehlo'])
  })

  test('4xx is never final, and two hosts that let the transaction begin are enough', async () => {
    const greylisting = { RCPT: '450 4.2.0 greylisted' }
    await using first = await serverWith(greylisting)
    await using second = await serverWith(greylisting)
    await using third = await serverWith(greylisting)
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [{ place: placeOf(first) }, { place: placeOf(second) }, { place: placeOf(third) }],
      },
    })
    const [outcome] = await delivery.outcomes(['bob@a.test'])
    expect(outcome).toMatchObject({ kind: 'deferred', uncertain: false, cause: { status: '4.2.0' } })
    expect(outcome?.attempts.map(({ exchanger }) => exchanger)).toEqual(['mx1.a.test', 'mx2.a.test'])
    expect(third.conversations).toEqual([])
  })

  test('no more than `maxTargets` addresses are dialled, and no more exchangers looked up', async () => {
    const place = await nobody()
    const router = routerTo({ 'a.test': Array.from({ length: 10 }, () => ({ place })) })
    const lookedUp: string[] = []
    await using delivery = new TestDelivery({
      domains: {},
      router: {
        ...router,
        targets: (exchanger) => {
          lookedUp.push(exchanger.host)
          return router.targets(exchanger)
        },
      },
      limits: { maxTargets: 3 },
    })
    const [outcome] = await delivery.outcomes(['bob@a.test'])
    expect(outcome?.attempts).toHaveLength(3)
    expect(delivery.events.filter(({ kind }) => kind === 'trying')).toHaveLength(3)
    expect(lookedUp).toEqual(['mx1.a.test', 'mx2.a.test', 'mx3.a.test'])
  })

  test('exchangers of equal preference share the sessions', async () => {
    await using one = await serverWith()
    await using other = await serverWith()
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [
          { place: placeOf(one), preference: 10 },
          { place: placeOf(other), preference: 10 },
        ],
      },
      limits: { perSite: 1, messagesPerSession: 1 },
    })
    await delivery.outcomes(mailboxes(60, 'a.test'))
    // Each session is a toss of a coin: that one side of it never shows in sixty has a chance of 1 in 2^59.
    expect(one.conversations.length).toBeGreaterThan(0)
    expect(other.conversations.length).toBeGreaterThan(0)
    expect(one.conversations.length + other.conversations.length).toBe(60)
  })

  test('an exchanger without an address is passed over', async () => {
    await using second = await serverWith()
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [{ place: new RouteError('no-address', 'none') }, { place: placeOf(second) }],
      },
    })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test delivered'])
  })

  test('an exchanger that turns out to be ourselves takes those of equal and worse preference along', async () => {
    await using worse = await serverWith()
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [
          { place: new RouteError('loop', 'mx1.a.test is this host'), preference: 10 },
          { place: placeOf(worse), preference: 10 },
          { place: placeOf(worse), preference: 20 },
        ],
      },
      random: () => 0,
    })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test failed 5.4.6 route'])
    expect(worse.conversations).toEqual([])
  })
})

describe('after the final dot', () => {
  test.each([
    ['lost, with DATA', { offers: pipelining }, '4.4.2'],
    ['lost, with BDAT', { offers: chunking }, '4.4.2'],
    ['nonsense, with DATA', { offers: pipelining, content: 'What?' }, '4.5.0'],
    ['silence, with DATA', { offers: pipelining, content: (client) => client.untilGone() }, '4.4.2'],
    ['silence, with BDAT', { offers: chunking, BDAT: (client) => client.untilGone() }, '4.4.2'],
  ] as readonly (readonly [string, Parameters<typeof serverWith>[0], string])[])(
    '%s: uncertain, and the next exchanger is never asked',
    async (_what, answers, status) => {
      await using first = await serverWith({
        content: (client) => client.close(),
        BDAT: (client) => client.close(),
        ...answers,
      })
      await using second = await serverWith()
      await using delivery = new TestDelivery({
        domains: twoExchangers(first, second),
        timeouts: { dataTerminationMs: 50 },
      })
      const [outcome] = await delivery.outcomes(['bob@a.test'])
      expect(outcome).toMatchObject({
        kind: 'deferred',
        uncertain: true,
        cause: { stage: 'end-of-data', status },
        attempts: [{ exchanger: 'mx1.a.test' }],
      })
      expect(first.conversations.map(({ contents }) => contents.length)).toEqual([1])
      expect(second.conversations).toEqual([])
    },
  )

  test('the others of the site are delivered all the same, in new sessions', async () => {
    let contents = 0
    await using server = await serverWith({
      offers: chunking,
      BDAT: (client) => (++contents === 1 ? client.close() : client.reply('250 2.0.0 taken')),
    })
    await using delivery = new TestDelivery({
      domains: { 'a.test': [{ place: placeOf(server) }] },
      limits: { perSite: 1 },
    })
    expect((await delivery.outcomes(mailboxes(3, 'a.test'))).map(summary)).toEqual([
      'u0@a.test deferred uncertain 4.4.2 end-of-data',
      'u1@a.test delivered',
      'u2@a.test delivered',
    ])
    expect(recipientsAt(server)).toEqual(['u0@a.test', 'u1@a.test', 'u2@a.test'])
  })
})

describe('what the peer does not offer is not sent to it:', () => {
  const large = message('x'.repeat(900).concat('\r\n'))
  const eightBit = message('grüße\r\n', 'Content-Type: text/plain; charset=utf-8\r\n')
  const signed = message(
    '--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ngrüße\r\n--b\r\n\r\nsig\r\n--b--\r\n',
    'Content-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256\r\n',
  )
  const utf8Header = message('hello\r\n', 'Subject: grüße\r\n')

  const cases: readonly (readonly [string, Message, string, readonly string[], readonly string[], string])[] =
    [
      ['SIZE', large, 'bob@a.test', ['SIZE 500'], ['SIZE 5000'], '5.3.4'],
      ['8BITMIME', signed, 'bob@a.test', [], ['8BITMIME'], '5.6.3'],
      ['SMTPUTF8 for a header', utf8Header, 'bob@a.test', ['8BITMIME'], ['8BITMIME', 'SMTPUTF8'], '5.6.7'],
      ['SMTPUTF8 for a recipient', message(), 'bübi@a.test', ['8BITMIME'], ['SMTPUTF8'], '5.6.7'],
    ]

  test.each(cases)(
    '%s: the next exchanger, which offers it, gets the message',
    async (_what, sent, to, lacks, offers) => {
      await using first = await serverWith({ offers: lacks })
      await using second = await serverWith({ offers })
      await using delivery = new TestDelivery({ domains: twoExchangers(first, second) })
      expect(await delivery.outcomes([to], { message: sent })).toMatchObject([{ kind: 'delivered' }])
      expect(commandsAt(first, 'MAIL')).toEqual([])
      expect(saidTo(first)).not.toMatch(nonAscii)
      expect(commandsAt(second, 'MAIL')).toHaveLength(1)
    },
  )

  test.each(cases)(
    '%s: no exchanger offers it, so the recipient fails after all were asked',
    async (_what, sent, to, lacks, _offers, status) => {
      await using first = await serverWith({ offers: lacks })
      await using second = await serverWith({ offers: lacks })
      await using delivery = new TestDelivery({ domains: twoExchangers(first, second) })
      const [outcome] = await delivery.outcomes([to], { message: sent })
      expect(outcome).toMatchObject({
        kind: 'failed',
        cause: { stage: 'policy', status, error: expect.any(UnsuitableError) },
        attempts: [
          { exchanger: 'mx1.a.test', stage: 'policy', status },
          { exchanger: 'mx2.a.test', stage: 'policy', status },
        ],
      })
      for (const server of [first, second]) {
        expect(server.conversations).toHaveLength(1)
        expect(saidTo(server)).not.toMatch(/MAIL|RCPT|DATA|[^\u0000-\u007f]/)
      }
    },
  )

  test('one exchanger cannot take it and the other does not answer: deferred', async () => {
    await using first = await serverWith({ offers: ['SIZE 500'] })
    await using delivery = new TestDelivery({
      domains: { 'a.test': [{ place: placeOf(first) }, { place: await nobody() }] },
    })
    expect((await delivery.outcomes(['bob@a.test'], { message: large })).map(summary)).toEqual([
      'bob@a.test deferred 4.4.1 connect',
    ])
  })

  test('8-bit content is converted for a peer without 8BITMIME and goes as it is to another', async () => {
    await using plain = await serverWith()
    await using modern = await serverWith({ offers: ['8BITMIME'] })
    await using delivery = new TestDelivery({
      domains: { 'a.test': [{ place: placeOf(plain) }], 'b.test': [{ place: placeOf(modern) }] },
    })
    const outcomes = await delivery.outcomes(['bob@a.test', 'bob@b.test'], { message: eightBit })
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered'])
    expect(plain.conversation.contents.join('')).toContain('gr=C3=BC=C3=9Fe')
    expect(saidTo(plain)).not.toMatch(nonAscii)
    expect(modern.conversation.contents.join('')).toBe(Buffer.from(eightBit.content).toString())
    expect(commandsAt(plain, 'MAIL')).toEqual(['MAIL FROM:<alice@sender.test>'])
    expect(commandsAt(modern, 'MAIL')).toEqual(['MAIL FROM:<alice@sender.test> BODY=8BITMIME'])
  })
})

describe('TLS:', () => {
  const { ca, secureContext, selfSigned } = certificateFor('mx1.a.test')
  const to = (server: ScriptedServer) => ({ 'a.test': [{ place: placeOf(server) }] })

  test('a broken handshake costs a connection, not the attempt, and is remembered', async () => {
    await using server = await serverWith({
      offers: ['STARTTLS'],
      STARTTLS: noServerHello,
    })
    await using delivery = new TestDelivery({
      domains: to(server),
      limits: { perSite: 1, messagesPerSession: 1 },
    })
    const outcomes = await delivery.outcomes(mailboxes(3, 'a.test'))
    expect(outcomes.map(({ kind, attempts }) => [kind, attempts.length])).toEqual([
      ['delivered', 1],
      ['delivered', 1],
      ['delivered', 1],
    ])
    expect(commandsAt(server, 'STARTTLS')).toHaveLength(1)
    expect(server.conversations).toHaveLength(4)
    expect(delivery.events.filter(({ kind }) => kind === 'tls')).toMatchObject([
      { tls: null, error: expect.stringContaining('TLS handshake failed') },
    ])
  })

  test('a refused STARTTLS goes on in clear on the same connection (RFC 3207 §4)', async () => {
    await using server = await serverWith({ offers: ['STARTTLS'], STARTTLS: '454 4.7.0 not now' })
    await using delivery = new TestDelivery({ domains: to(server) })
    expect(await delivery.outcomes(['bob@a.test'])).toMatchObject([
      { kind: 'delivered', attempts: [{ tls: null }] },
    ])
    expect(server.conversations).toHaveLength(1)
  })

  test('asked for at MAIL, where it is broken, is a trouble of the host: the next one is asked, and TLS tried again', async () => {
    const MAIL = '530 5.7.0 must issue a STARTTLS command first'
    await using strict = await serverWith({
      offers: ['STARTTLS', 'PIPELINING'],
      STARTTLS: noServerHello,
      MAIL,
    })
    await using next = await serverWith()
    await using delivery = new TestDelivery({
      domains: {
        'a.test': [{ place: placeOf(strict) }],
        'b.test': [{ place: placeOf(strict) }, { place: placeOf(next) }],
      },
      limits: { perSite: 1, recipientsPerTransaction: 2 },
    })
    const alone = await delivery.outcomes(mailboxes(3, 'a.test'))
    expect(alone.map(summary).toSorted()).toEqual(
      mailboxes(3, 'a.test').map((address) => `${address} deferred 5.7.0 starttls`),
    )
    // Those who shared the transaction, and who waited behind them, are each told of it once.
    expect(alone.map(({ attempts }) => attempts)).toMatchObject(
      Array(3).fill([{ stage: 'starttls', tls: null, diagnostic: MAIL }]),
    )
    expect(commandsAt(strict, 'MAIL')).toHaveLength(1)
    expect(await delivery.outcomes(['bob@b.test'])).toMatchObject([
      { kind: 'delivered', attempts: [{ stage: 'starttls' }, { stage: 'end-of-data' }] },
    ])
    expect(commandsAt(strict, 'STARTTLS')).toHaveLength(2)
  })

  test('asked for at MAIL by a host that does not offer it is final', async () => {
    await using server = await serverWith({ MAIL: '530 5.7.0 must issue a STARTTLS command first' })
    await using delivery = new TestDelivery({ domains: to(server) })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test failed 5.7.0 mail'])
  })

  test('a certificate nobody vouches for encrypts all the same, and the attempt tells why it is not verified', async () => {
    await using server = await serverWith({ offers: ['STARTTLS'], secureContext: selfSigned })
    await using delivery = new TestDelivery({ domains: to(server), ca })
    expect(await delivery.outcomes(['bob@a.test'])).toMatchObject([
      {
        kind: 'delivered',
        attempts: [{ tls: { protocol: 'TLSv1.3', verified: false, reason: 'self-signed certificate' } }],
      },
    ])
  })

  test('verified, by a CA that the agent was told to trust', async () => {
    await using server = await serverWith({ offers: ['STARTTLS'], secureContext })
    await using delivery = new TestDelivery({ domains: to(server), ca, tlsMode: 'verified' })
    expect(await delivery.outcomes(['bob@a.test'])).toMatchObject([
      { kind: 'delivered', attempts: [{ tls: { verified: true, reason: null } }] },
    ])
  })

  test.each([
    ['required', 'is not offered', {}, '4.7.4'],
    ['required', 'breaks', { offers: ['STARTTLS'], STARTTLS: noServerHello }, '4.7.4'],
    ['verified', 'shows a bad certificate', { offers: ['STARTTLS'], secureContext: selfSigned }, '4.7.5'],
  ] as const)(
    '%s and it %s: deferred, nothing of the envelope in clear',
    async (tlsMode, _what, answers, status) => {
      await using server = await serverWith(answers)
      await using delivery = new TestDelivery({ domains: to(server), ca, tlsMode })
      expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual([
        `bob@a.test deferred ${status} starttls`,
      ])
      expect(saidTo(server)).not.toMatch(/MAIL|RCPT/)
    },
  )
})

describe('the peer accepts in its own way:', () => {
  test.each([
    ['251 to RCPT: it will forward (RFC 5321 §3.4)', { RCPT: '251 2.1.5 will forward' }],
    ['252 to RCPT: it cannot verify (RFC 5321 §3.5.3)', { RCPT: '252 2.1.5 send it' }],
    ['a bare 250', { MAIL: '250', RCPT: '250', content: '250' }],
    ['an unknown 2xx', { RCPT: '299 whatever', content: '259 fine' }],
  ] as const)('%s', async (_what, answers) => {
    await using server = await serverWith(answers)
    await using delivery = new TestDelivery({ domains: { 'a.test': [{ place: placeOf(server) }] } })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test delivered'])
    expect(server.conversation.contents).toHaveLength(1)
  })

  test('it offers CHUNKING and does not know BDAT: DATA in a new session, and BDAT is not tried again', async () => {
    await using server = await serverWith({ offers: chunking, BDAT: '502 5.5.1 not implemented' })
    await using delivery = new TestDelivery({
      domains: { 'a.test': [{ place: placeOf(server) }] },
      limits: { perSite: 1, messagesPerSession: 2 },
    })
    const outcomes = await delivery.outcomes(mailboxes(5, 'a.test'))
    expect(outcomes.map(({ kind, attempts }) => [kind, attempts.length])).toEqual(
      Array.from({ length: 5 }, () => ['delivered', 1]),
    )
    expect(commandsAt(server, 'BDAT')).toHaveLength(1)
    expect(commandsAt(server, 'DATA')).toHaveLength(5)
  })
})

describe('a defect of ours', () => {
  // What a program without types may hand over.
  const broken = { ...message(), requires: undefined } as unknown as Message
  const unreadable: Message = {
    messageId: '<1@sender.test>',
    size: 10,
    requires: new Set(),
    open: () => {
      throw new Error('EIO: i/o error, read')
    },
  }

  test.each([9, 11])(
    'a message whose size (%i) is not that of its content is refused at once (RFC 3030 §2)',
    async (size) => {
      await using server = await serverWith({ offers: chunking })
      await using delivery = new TestDelivery({ domains: { 'a.test': [{ place: placeOf(server) }] } })
      const content = Buffer.from('A: b\r\n\r\nc\n')
      const sent = { ...message(), content, size }
      expect(() => delivery.start(['bob@a.test'], { message: sent })).toThrow(
        new TypeError(
          `Expected \`message.size\` to be the octets of \`message.content\`, 10, got \`${size}\``,
        ),
      )
      expect(server.conversations).toEqual([])
    },
  )

  test('while serving is an outcome for each recipient, blames no address and leaves no session behind', async () => {
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: { 'a.test': [{ place: placeOf(server) }] } })
    expect((await delivery.outcomes(mailboxes(3, 'a.test'), { message: broken })).map(summary)).toEqual([
      'u0@a.test deferred 4.3.0 policy',
      'u1@a.test deferred 4.3.0 policy',
      'u2@a.test deferred 4.3.0 policy',
    ])
    await delivery.deliverer.close()
    const ended = delivery.events.filter(({ kind }) => kind === 'session-end')
    expect(ended).toHaveLength(server.conversations.length)
  })

  test('or a message that cannot be read any more defers, and is offered to no other exchanger', async () => {
    await using first = await serverWith()
    await using second = await serverWith()
    await using delivery = new TestDelivery({ domains: twoExchangers(first, second) })
    const [outcome] = await delivery.outcomes(['bob@a.test'], { message: unreadable })
    expect(outcome).toMatchObject({ kind: 'deferred', uncertain: false, cause: { status: '4.3.0' } })
    expect(second.conversations).toEqual([])
  })

  test('while routing defers', async () => {
    await using delivery = new TestDelivery({
      domains: {},
      router: {
        route: () => Promise.reject(new TypeError('undefined is not a function')),
        targets: () => Promise.reject(new Error('not asked')),
      },
    })
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual([
      'bob@a.test deferred 4.3.0 route',
    ])
  })
})

test('no recipients: no outcomes, and nobody is asked', async () => {
  await using delivery = new TestDelivery({ domains: {} })
  expect(await delivery.outcomes([])).toEqual([])
  expect(delivery.events).toEqual([])
})

test('a 421 in the middle of a fresh session leads to the next exchanger, in one in reuse to a new session', async () => {
  await using first = await serverWith({ MAIL: inTurn('250 ok', '421 4.7.0 enough') })
  await using second = await serverWith()
  await using delivery = new TestDelivery({
    domains: twoExchangers(first, second),
    limits: { perSite: 1 },
  })
  const outcomes = await delivery.outcomes(mailboxes(2, 'a.test'))
  expect(
    outcomes.map((one) => one.attempts.map(({ exchanger, status }) => `${exchanger} ${status}`)),
  ).toEqual([
    ['mx1.a.test 2.0.0'],
    // Said in the session in reuse it counts for nothing; said again in the new one it is the target's word.
    ['mx1.a.test 4.7.0', 'mx2.a.test 2.0.0'],
  ])
})
