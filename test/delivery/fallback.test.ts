/** The fallback relay: for whom nobody can be connected to, and for nobody else. */
import { createSecureContext } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RelaySettings } from '../../src/config/relay-settings.ts'
import { RouteError, type Router } from '../../src/route/route.ts'
import { relayExchanger, routeVia } from '../../src/route/static-routes.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { relayTo } from '../support/relay-to.ts'
import { saslServer } from '../support/sasl-server.ts'
import { scripted } from '../support/scripted.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import {
  type Domains,
  FakeClock,
  mailboxes,
  type Place,
  routerTo,
  summary,
  TestDelivery,
} from './fixtures.ts'
import { nobody, placeOf, recipientsAt } from './servers.ts'

const HOST = 'relay.test'

async function serverWith(answers: Answers = {}): Promise<ScriptedServer> {
  return scripted(ordinary({ offers: ['PIPELINING'], ...answers }))
}

/** The exchangers of the domains, and behind them all a relay. */
function routerWith(domains: Domains, place: Place, settings: Partial<RelaySettings> = {}): Router {
  const direct = routerTo(domains)
  if (place instanceof RouteError) throw place
  const exchanger = relayExchanger(relayTo(HOST, { port: place.port, tlsMode: 'off', ...settings }))
  return {
    route: async (domain) => ({ ...(await direct.route(domain)), fallback: routeVia(exchanger, domain) }),
    targets: async (wanted) =>
      wanted.relay === undefined
        ? direct.targets(wanted)
        : [{ exchanger: wanted, ip: place.address, family: 4 }],
  }
}

async function deliveryTo(
  domains: Domains,
  relay: ScriptedServer | Place,
  options: Partial<ConstructorParameters<typeof TestDelivery>[0]> & {
    readonly settings?: Partial<RelaySettings>
  } = {},
): Promise<TestDelivery> {
  const place = relay instanceof ScriptedServer ? placeOf(relay) : relay
  const router = routerWith(domains, place, options.settings)
  const delivery = new TestDelivery({ domains: {}, router, ...options })
  onTestFinished(() => delivery[Symbol.asyncDispose]())
  return delivery
}

const tried = (delivered: {
  readonly attempts: readonly { readonly stage: string; readonly via?: string }[]
}) => delivered.attempts.map(({ stage, via }) => `${stage}${via === undefined ? '' : ` ${via}`}`)

test('takes the mail of a domain of whose exchangers none can be connected to, and the outcome says so', async () => {
  const relay = await serverWith()
  const delivery = await deliveryTo(
    { 'a.test': [{ place: await nobody() }, { place: await nobody() }] },
    relay,
  )
  const outcomes = await delivery.outcomes(mailboxes(3, 'a.test'))
  expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'delivered'])
  for (const outcome of outcomes) {
    expect(tried(outcome)).toEqual(['connect', 'connect', 'end-of-data fallbackRelay'])
  }
  expect(recipientsAt(relay).toSorted()).toEqual(mailboxes(3, 'a.test'))
  const verdicts = delivery.events.filter((event) => event.kind === 'verdict')
  expect(verdicts.map(({ via }) => via)).toEqual(['fallbackRelay', 'fallbackRelay', 'fallbackRelay'])
})

test('does not take the mail of a domain that can be reached', async () => {
  const [relay, direct] = [await serverWith(), await serverWith()]
  const delivery = await deliveryTo(
    { 'a.test': [{ place: await nobody() }, { place: placeOf(direct) }] },
    relay,
  )
  const [outcome] = await delivery.outcomes(['bob@a.test'])
  expect(outcome && tried(outcome)).toEqual(['connect', 'end-of-data'])
  expect(relay.conversations).toEqual([])
})

describe('is not asked where somebody has answered', () => {
  test.each([
    ['greeting', { greeting: '554 5.7.1 not you' }, 'deferred 5.7.1 greeting'],
    ['ehlo', { EHLO: '421 4.3.2 busy' }, 'deferred 4.3.2 ehlo'],
    ['MAIL', { MAIL: '451 4.3.0 not now' }, 'deferred 4.3.0 mail'],
    ['RCPT', { RCPT: '450 4.2.0 greylisted' }, 'deferred 4.2.0 rcpt'],
    ['RCPT for good', { RCPT: '550 5.1.1 unknown' }, 'failed 5.1.1 rcpt'],
  ])('with a refusal at %s', async (_, answers, outcome) => {
    const [relay, direct] = [await serverWith(), await serverWith(answers)]
    const delivery = await deliveryTo(
      { 'a.test': [{ place: await nobody() }, { place: placeOf(direct) }] },
      relay,
    )
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual([`bob@a.test ${outcome}`])
    expect(relay.conversations).toEqual([])
  })

  test.each([
    ['dns', 'deferred 4.4.3 route'],
    ['null-mx', 'failed 5.1.10 route'],
    ['no-domain', 'failed 5.1.2 route'],
    ['loop', 'failed 5.4.6 route'],
  ] as const)('with %s by the DNS', async (kind, outcome) => {
    const relay = await serverWith()
    const delivery = await deliveryTo({ 'a.test': new RouteError(kind, 'no way') }, relay)
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual([`bob@a.test ${outcome}`])
    expect(relay.conversations).toEqual([])
  })

  test('or where we are an exchanger ourselves: the relay might give the mail to us', async () => {
    const relay = await serverWith()
    const offers = [{ place: await nobody() }, { place: new RouteError('loop', 'it is us') }]
    const delivery = await deliveryTo({ 'a.test': offers }, relay)
    expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual([
      'bob@a.test deferred 4.4.1 connect',
    ])
    expect(relay.conversations).toEqual([])
  })
})

test('a relay that cannot be connected to either defers, with all attempts told', async () => {
  const delivery = await deliveryTo({ 'a.test': [{ place: await nobody() }] }, await nobody())
  const outcomes = await delivery.outcomes(mailboxes(2, 'a.test'))
  expect(outcomes.map(summary).toSorted()).toEqual(
    mailboxes(2, 'a.test').map((mailbox) => `${mailbox} deferred 4.4.1 connect`),
  )
  expect(outcomes.map(tried)).toEqual(Array(2).fill(['connect', 'connect fallbackRelay']))
})

test('recipients of several domains meet there, and keep each their own attempts', async () => {
  const relay = await serverWith({ greeting: '554 5.7.1 not you' })
  const delivery = await deliveryTo(
    {
      'a.test': [{ host: 'mx.a.test', place: await nobody() }],
      'b.test': [
        { host: 'mx1.b.test', place: await nobody() },
        { host: 'mx2.b.test', place: await nobody() },
      ],
    },
    relay,
  )
  const outcomes = await delivery.outcomes([...mailboxes(4, 'a.test'), ...mailboxes(4, 'b.test')])
  expect(outcomes).toHaveLength(8)
  for (const { recipient, attempts } of outcomes) {
    const hosts = attempts.map(({ exchanger }) => exchanger)
    const own = recipient.address.domain === 'a.test' ? ['mx.a.test'] : ['mx1.b.test', 'mx2.b.test']
    expect(hosts).toEqual([...own, HOST])
  }
})

test('what the relay says of a recipient is its outcome', async () => {
  const relay = await serverWith({ RCPT: '550 5.1.1 unknown' })
  const delivery = await deliveryTo({ 'a.test': [{ place: await nobody() }] }, relay)
  expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test failed 5.1.1 rcpt'])
})

test('a used-up `maxTargets` leaves room for the relay', async () => {
  const relay = await serverWith()
  const offers = [{ place: await nobody() }, { place: await nobody() }]
  const delivery = await deliveryTo({ 'a.test': offers }, relay, { limits: { maxTargets: 2 } })
  expect((await delivery.outcomes(['bob@a.test'])).map(({ kind }) => kind)).toEqual(['delivered'])
})

test('a domain that could not be connected to is tried again after a minute, and not before', async () => {
  const clock = new FakeClock()
  const relay = await serverWith()
  const delivery = await deliveryTo({ 'a.test': [{ place: await nobody() }] }, relay, { clock })
  const attempts = async () => (await delivery.outcomes(['bob@a.test'])).flatMap(tried)
  expect(await attempts()).toEqual(['connect', 'end-of-data fallbackRelay'])
  clock.time += 59_000
  expect(await attempts()).toEqual(['end-of-data fallbackRelay'])
  clock.time += 2_000
  expect(await attempts()).toEqual(['connect', 'end-of-data fallbackRelay'])
})

test('nobody gets it who may have the message already', async () => {
  const [relay, direct] = [await serverWith(), await serverWith({ content: (client) => client.reset() })]
  const offers = [{ place: await nobody() }, { place: placeOf(direct) }]
  const delivery = await deliveryTo({ 'a.test': offers }, relay, { limits: { recipientsPerTransaction: 5 } })
  expect((await delivery.outcomes(mailboxes(3, 'a.test'))).map(summary)).toEqual(
    mailboxes(3, 'a.test').map((address) => `${address} deferred uncertain 4.4.2 end-of-data`),
  )
  expect(relay.conversations).toEqual([])
})

test('a login that the relay refuses is not tried again for every domain that cannot be reached', async () => {
  const { ca, kinds } = makeCertificates([HOST])
  const sasl = saslServer({ user: 'me', password: 'right' })
  const secureContext = createSecureContext(kinds.trusted)
  const relay = await serverWith({ offers: ['STARTTLS', 'AUTH PLAIN'], secureContext, AUTH: sasl.AUTH })
  const place = await nobody()
  const names = Array.from({ length: 20 }, (_, at) => `d${at}.test`)
  const clock = new FakeClock()
  let password = 'wrong'
  const delivery = await deliveryTo(Object.fromEntries(names.map((name) => [name, [{ place }]])), relay, {
    ca,
    clock,
    settings: {
      tlsMode: 'verified',
      login: {
        user: 'me',
        secret: { kind: 'program', read: () => password },
        mechanisms: ['PLAIN'],
        allowPlaintextAuth: false,
      },
    },
  })
  for (const name of names) {
    expect((await delivery.outcomes([`bob@${name}`])).map(summary)).toEqual([
      `bob@${name} deferred 5.7.8 auth`,
    ])
  }
  expect(sasl.tried).toEqual(['PLAIN'])
  clock.time += 61_000
  await delivery.outcomes(['bob@d0.test'])
  expect(sasl.tried).toHaveLength(2)
  password = 'right'
  expect((await delivery.outcomes(['bob@d0.test'])).map(({ kind }) => kind)).toEqual(['delivered'])
})

test('a login that the relay refuses defers everybody', async () => {
  const { ca, kinds } = makeCertificates([HOST])
  const sasl = saslServer({ user: 'me', password: 'right' })
  const secureContext = createSecureContext(kinds.trusted)
  const relay = await serverWith({ offers: ['STARTTLS', 'AUTH PLAIN'], secureContext, AUTH: sasl.AUTH })
  const delivery = await deliveryTo({ 'a.test': [{ place: await nobody() }] }, relay, {
    ca,
    settings: {
      tlsMode: 'verified',
      login: {
        user: 'me',
        secret: { kind: 'program', read: () => 'wrong' },
        mechanisms: ['PLAIN'],
        allowPlaintextAuth: false,
      },
    },
  })
  const outcomes = await delivery.outcomes(mailboxes(5, 'a.test'))
  expect(outcomes.map(summary)).toEqual(
    mailboxes(5, 'a.test').map((address) => `${address} deferred 5.7.8 auth`),
  )
  expect(sasl.tried).toEqual(['PLAIN'])
})
