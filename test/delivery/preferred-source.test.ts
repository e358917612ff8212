import { expect, test } from 'vitest'
import type { Router } from '../../src/route/route.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { mailboxes, routerTo, summary, TestDelivery } from './fixtures.ts'
import { inTurn, nobody, placeOf, serverWith } from './servers.ts'

const sourceAddresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4']

const to = (...servers: readonly ScriptedServer[]) => ({
  'a.test': servers.map((server) => ({ place: placeOf(server) })),
})

const sourcesAt = (server: ScriptedServer) => server.conversations.map(({ remoteAddress }) => remoteAddress)

/** Sends `u0@a.test` from there. */
const sendFrom = (delivery: TestDelivery, preferredSource: string) =>
  delivery.outcomes(['u0@a.test'], { preferredSource })

test('every attempt tells our address in it: delivered, refused, or turned away at the greeting', async () => {
  await using unwilling = await serverWith({ greeting: '554 5.7.1 not you' })
  await using greylisting = await serverWith({ RCPT: '450 4.2.0 later' })
  await using willing = await serverWith()
  const offers = [placeOf(unwilling), await nobody(), placeOf(greylisting), placeOf(willing)]
  await using delivery = new TestDelivery({ domains: { 'a.test': offers.map((place) => ({ place })) } })
  const [outcome] = await delivery.outcomes(['bob@a.test'])
  expect(outcome?.attempts.map(({ stage, localAddress }) => [stage, localAddress])).toEqual([
    ['greeting', '127.0.0.1'],
    ['connect', null],
    ['rcpt', '127.0.0.1'],
    ['end-of-data', '127.0.0.1'],
  ])
})

test('without a preference the source addresses are taken in turn', async () => {
  await using server = await serverWith()
  const limits = { perSite: 1, messagesPerSession: 1 }
  await using delivery = new TestDelivery({ domains: to(server), sourceAddresses, limits })
  const outcomes = await delivery.outcomes(mailboxes(6, 'a.test'))
  expect(sourcesAt(server).slice(0, 3).toSorted()).toEqual(sourceAddresses)
  expect(sourcesAt(server).slice(3)).toEqual(sourcesAt(server).slice(0, 3))
  expect(outcomes.map(({ attempts }) => attempts[0]?.localAddress)).toEqual(sourcesAt(server))
})

test('with one every session of the delivery comes from there, to each exchanger', async () => {
  await using first = await serverWith({ RCPT: '450 4.2.0 later' })
  await using second = await serverWith()
  const limits = { messagesPerSession: 1 }
  await using delivery = new TestDelivery({ domains: to(first, second), sourceAddresses, limits })
  await delivery.outcomes(mailboxes(4, 'a.test'), { preferredSource: '127.0.0.3' })
  expect(new Set([...sourcesAt(first), ...sourcesAt(second)])).toEqual(new Set(['127.0.0.3']))
  expect(second.conversations).toHaveLength(4)
})

test('a session that idles is used again only if it comes from the preferred address', async () => {
  await using server = await serverWith()
  await using delivery = new TestDelivery({ domains: to(server), sourceAddresses })
  for (const source of ['127.0.0.2', '127.0.0.3', '127.0.0.3', '127.0.0.2']) await sendFrom(delivery, source)
  expect(sourcesAt(server)).toEqual(['127.0.0.2', '127.0.0.3'])
  expect(server.conversations.map(({ contents }) => contents.length)).toEqual([2, 2])
})

test('who prefers none takes any session that idles', async () => {
  await using server = await serverWith()
  await using delivery = new TestDelivery({ domains: to(server), sourceAddresses })
  await sendFrom(delivery, '127.0.0.4')
  await delivery.outcomes(['bob@a.test'])
  expect(sourcesAt(server)).toEqual(['127.0.0.4'])
})

test('a session at work is left by a recipient that wants to come from elsewhere', async () => {
  await using server = await serverWith()
  await using delivery = new TestDelivery({ domains: to(server), sourceAddresses, limits: { perSite: 1 } })
  await Promise.all(['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((source) => sendFrom(delivery, source)))
  expect(sourcesAt(server)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4'])
})

test('a site with no room for a session from there takes the recipient over the one it has', async () => {
  const greeting = inTurn('220 mx.a.test ESMTP', '421 4.7.0 one is enough')
  await using server = await serverWith({ greeting })
  await using delivery = new TestDelivery({ domains: to(server), sourceAddresses })
  await sendFrom(delivery, '127.0.0.2')
  expect((await sendFrom(delivery, '127.0.0.3')).map(summary)).toEqual(['u0@a.test delivered'])
  expect(server.conversations.map(({ contents }) => contents.length)).toEqual([2, 0])
})

test('an address that is not configured, or not any more, is not preferred', async () => {
  await using server = await serverWith()
  await using plain = new TestDelivery({ domains: to(server) })
  await sendFrom(plain, '127.0.0.2')
  await sendFrom(plain, '127.0.0.3')
  expect(sourcesAt(server)).toEqual(['127.0.0.1'])
  await using moved = new TestDelivery({ domains: to(server), sourceAddresses: ['127.0.0.4'] })
  await sendFrom(moved, '127.0.0.3')
  await sendFrom(moved, '127.0.0.2')
  expect(sourcesAt(server)).toEqual(['127.0.0.1', '127.0.0.4'])
})

test('the connection in clear after broken TLS comes from the same address', async () => {
  await using server = await serverWith({
    offers: ['STARTTLS'],
    STARTTLS: async (client) => {
      await client.reply('220 2.0.0 go ahead')
      await client.reply('this is no TLS')
    },
  })
  await using delivery = new TestDelivery({ domains: to(server), sourceAddresses })
  expect((await delivery.outcomes(['bob@a.test'])).map(summary)).toEqual(['bob@a.test delivered'])
  const [first, second] = sourcesAt(server)
  expect(second).toBe(first)
  expect(sourceAddresses).toContain(first)
})

test('of a host with both families the one of the preferred address is dialled first', async () => {
  await using v6 = await ScriptedServer.start(ordinary(), { address: '::1' })
  await using v4 = await serverWith()
  const router: Router = {
    ...routerTo(to(v4)),
    targets: async (exchanger) => [
      { exchanger: { ...exchanger, port: v6.port }, ip: '::1', family: 6 },
      { exchanger: { ...exchanger, port: v4.port }, ip: v4.address, family: 4 },
    ],
  }
  const both = [...sourceAddresses, '::1']
  await using delivery = new TestDelivery({ domains: {}, router, sourceAddresses: both })
  await delivery.outcomes(['bob@a.test'])
  await sendFrom(delivery, '127.0.0.3')
  await sendFrom(delivery, '0::1')
  expect([sourcesAt(v6), sourcesAt(v4)]).toEqual([['::1'], ['127.0.0.3']])
})
