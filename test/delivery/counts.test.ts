/** Counts without noise: what a delivery costs in round trips, connections and commands, whatever the machine. */
import { describe, expect, test } from 'vitest'
import type { ScriptedServer } from '../support/scripted-server.ts'
import type { Answers } from '../support/scripted-steps.ts'
import { mailboxes, message, summary, TestDelivery } from './fixtures.ts'
import {
  certificateFor,
  chunking,
  commandsAt,
  pipelining,
  placeOf,
  recipientsAt,
  serverWith,
} from './servers.ts'

const { ca, secureContext } = certificateFor('mx1.a.test')
const inClear = (offers: readonly string[]): Answers => ({ offers })
const underTls = (offers: readonly string[]): Answers => ({ offers: [...offers, 'STARTTLS'], secureContext })

const oneSession = (server: ScriptedServer) =>
  new TestDelivery({
    domains: { 'a.test': [{ place: placeOf(server) }] },
    limits: { perSite: 1, messagesPerSession: 1000 },
    ca,
  })

/** Flights of the client that carry part of a transaction. */
const transactionFlights = (server: ScriptedServer): readonly string[] =>
  server.conversation.flights.filter((flight) => !/^(EHLO|HELO|STARTTLS|QUIT|[^\x20-\x7e])/.test(flight))

describe('round trips of a warm transaction', () => {
  const twoKilobytes = message(`${'x'.repeat(78)}\r\n`.repeat(25))
  const sixtyFour = message(`${'x'.repeat(78)}\r\n`.repeat(800))

  describe.each([
    ['in clear', inClear],
    ['under TLS', underTls],
  ] as const)('%s', (_where, answers) => {
    test.each([
      ['1 with BDAT', chunking, 1],
      ['2 with DATA', pipelining, 2],
      ['4 without PIPELINING', ['8BITMIME'], 4],
    ] as const)('%s', async (_how, offers, roundTrips) => {
      await using server = await serverWith(answers(offers))
      await using delivery = oneSession(server)
      await delivery.outcomes(mailboxes(1, 'a.test'), { message: twoKilobytes })
      const cold = transactionFlights(server).length
      await delivery.outcomes(mailboxes(50, 'a.test'), { message: twoKilobytes })
      expect(server.conversations).toHaveLength(1)
      expect(server.conversation.contents).toHaveLength(51)
      expect(transactionFlights(server).length - cold).toBe(50 * roundTrips)
    })
  })

  test('1 with BDAT at 64 KB too: what is sent together is one flight, however many pieces arrive', async () => {
    await using server = await serverWith(inClear(chunking))
    await using delivery = oneSession(server)
    await delivery.outcomes(mailboxes(10, 'a.test'), { message: sixtyFour })
    // A server that answers MAIL before the content is there makes new flights of the rest; commands count all the same.
    expect(commandsAt(server, 'BDAT')).toEqual(
      Array.from({ length: 10 }, () => `BDAT ${sixtyFour.size} LAST`),
    )
    expect(server.conversation.contents.map(({ length }) => length)).toEqual(
      Array.from({ length: 10 }, () => sixtyFour.size),
    )
  })

  test('one flight is one write: it arrives in one piece', async () => {
    await using server = await serverWith(inClear(chunking))
    await using delivery = oneSession(server)
    await delivery.outcomes(mailboxes(20, 'a.test'), { message: twoKilobytes })
    // EHLO, and each of the transactions.
    expect(server.conversation.arrivals).toBe(1 + 20)
  })
})

test('a cold delivery with STARTTLS and BDAT takes seven round trips to the final reply, TCP and TLS 1.3 included', async () => {
  await using server = await serverWith(underTls(chunking))
  await using delivery = oneSession(server)
  const [outcome] = await delivery.outcomes(['bob@a.test'])
  expect(outcome).toMatchObject({ kind: 'delivered', attempts: [{ tls: { protocol: 'TLSv1.3' } }] })
  const flights = server.conversation.flights.map((flight) => flight.split(/[ :\r]/)[0])
  expect(flights).toEqual(['EHLO', 'STARTTLS', 'EHLO', 'MAIL'])
  const tcp = 1
  const greeting = 1
  // RFC 8446 §2: one round trip until the client may send.
  const handshake = 1
  expect(tcp + greeting + handshake + flights.length).toBeLessThanOrEqual(7)
})

test('a second TLS session to an exchanger resumes the first (RFC 8446 §2.2)', async () => {
  await using server = await serverWith(underTls(chunking))
  await using delivery = new TestDelivery({
    domains: { 'a.test': [{ place: placeOf(server) }] },
    limits: { perSite: 1, messagesPerSession: 1 },
    ca,
  })
  await delivery.outcomes(mailboxes(4, 'a.test'))
  const handshakes = delivery.events.flatMap((event) => (event.kind === 'tls' ? [event] : []))
  expect(handshakes.map(({ resumed }) => resumed)).toEqual([false, true, true, true])
  expect(handshakes.map(({ tls }) => tls?.verified)).toEqual([true, true, true, true])
})

test('10,000 domains behind one exchanger share its sessions', async () => {
  await using server = await serverWith(inClear(chunking))
  await using delivery = new TestDelivery({
    domains: { '*.hosted.test': [{ host: 'mx.hosted.test', place: placeOf(server) }] },
    limits: { perSite: 5, messagesPerSession: 100_000 },
  })
  const all = Array.from({ length: 10_000 }, (_, at) => `bob@customer${at}.hosted.test`)
  const outcomes = await delivery.outcomes(all)
  expect(outcomes.filter(({ kind }) => kind === 'delivered')).toHaveLength(10_000)
  expect(server.conversations.length).toBeLessThanOrEqual(5)
  expect(recipientsAt(server).toSorted()).toEqual(all.toSorted())
})

test('5,000 recipients of one message: each gets one copy, in as few sessions as the settings say', async () => {
  await using server = await serverWith(inClear(chunking))
  await using delivery = new TestDelivery({
    domains: { 'a.test': [{ place: placeOf(server) }] },
    limits: { perSite: 5, messagesPerSession: 1000 },
  })
  const all = mailboxes(5000, 'a.test')
  const outcomes = await delivery.outcomes(all)
  await delivery.deliverer.close()
  expect(outcomes.map(summary).toSorted()).toEqual(all.map((who) => `${who} delivered`).toSorted())
  expect(recipientsAt(server).toSorted()).toEqual(all.toSorted())
  const { size } = message()
  expect(server.conversations.flatMap(({ contents }) => contents).map(({ length }) => length)).toEqual(
    Array.from({ length: 5000 }, () => size),
  )
  // Five sessions, each good for a thousand; they may not end evenly.
  expect(server.conversations.length).toBeLessThanOrEqual(9)
  expect(commandsAt(server, 'QUIT')).toHaveLength(server.conversations.length)
})

test('every session that is in order ends with QUIT (RFC 5321 §4.1.1.10)', async () => {
  await using server = await serverWith({ ...inClear(pipelining), RCPT: '550 5.1.1 unknown' })
  await using refusing = await serverWith({ greeting: '554 5.7.1 not you' })
  const delivery = new TestDelivery({
    domains: { 'a.test': [{ place: placeOf(server) }], 'b.test': [{ place: placeOf(refusing) }] },
    limits: { perSite: 3, messagesPerSession: 2 },
  })
  await delivery.outcomes([...mailboxes(9, 'a.test'), 'bob@b.test'])
  await delivery.deliverer.close()
  expect(commandsAt(server, 'QUIT')).toHaveLength(server.conversations.length)
  expect(commandsAt(refusing, 'QUIT')).toHaveLength(1)
  const endings = delivery.events.flatMap((event) => (event.kind === 'session-end' ? [event.reason] : []))
  expect(endings).toEqual(server.conversations.map(() => 'quit'))
})
