import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/delivery/outcome.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { mailboxes, message, routerTo, summary, TestDelivery } from './fixtures.ts'
import { chunking, Gate, pipelining, placeOf, recipientsAt, serverWith } from './servers.ts'

const to = (server: ScriptedServer) => ({ 'a.test': [{ place: placeOf(server) }] })

/** Iterates to the end; what was yielded, and what was thrown then. */
async function run(outcomes: AsyncIterable<Outcome>): Promise<{ seen: readonly string[]; thrown: unknown }> {
  const seen: string[] = []
  try {
    for await (const outcome of outcomes) seen.push(summary(outcome))
    return { seen, thrown: undefined }
  } catch (thrown) {
    return { seen, thrown }
  }
}

const stopped = (who: string) => `${who} deferred 4.3.2 policy`
const enough = new Error('enough')

/** Never greets. `onClient`: somebody has come. */
const silentServer = (onClient: () => void) =>
  serverWith({
    greeting: async (client: { untilGone(): Promise<void> }) => {
      onClient()
      await client.untilGone()
    },
  })

describe('an abort', () => {
  test('before the start: everyone is deferred, nobody is asked or connected to', async () => {
    await using server = await serverWith()
    let isAsked = false
    const router = routerTo(to(server))
    await using delivery = new TestDelivery({
      domains: {},
      router: {
        ...router,
        route: (domain) => {
          isAsked = true
          return router.route(domain)
        },
      },
    })
    const all = mailboxes(3, 'a.test')
    const result = await run(delivery.start(all, { signal: AbortSignal.abort(enough) }))
    expect(result).toEqual({ seen: all.map(stopped), thrown: enough })
    expect(isAsked).toBe(false)
    expect(server.conversations).toEqual([])
  })

  test('while routing', async () => {
    const abort = new AbortController()
    await using delivery = new TestDelivery({
      domains: {},
      router: {
        route: (_domain, { signal } = {}) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason))
            queueMicrotask(() => abort.abort(enough))
          }),
        targets: () => Promise.reject(new Error('not asked')),
      },
    })
    const result = await run(delivery.start(['bob@a.test', 'bob@b.test'], { signal: abort.signal }))
    expect(result).toEqual({ seen: [stopped('bob@a.test'), stopped('bob@b.test')], thrown: enough })
  })

  test('while looking for the addresses of an exchanger', async () => {
    const abort = new AbortController()
    await using server = await serverWith()
    await using delivery = new TestDelivery({
      domains: {},
      router: {
        ...routerTo(to(server)),
        targets: (_exchanger, { signal } = {}) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason))
            queueMicrotask(() => abort.abort(enough))
          }),
      },
    })
    const result = await run(delivery.start(['bob@a.test'], { signal: abort.signal }))
    expect(result).toEqual({ seen: [stopped('bob@a.test')], thrown: enough })
  })

  test('while connecting', async () => {
    const abort = new AbortController()
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: to(server) })
    // The log says it in the moment in which the address is dialled.
    delivery.events.push = (...events) => {
      if (events.some(({ kind }) => kind === 'trying')) queueMicrotask(() => abort.abort(enough))
      return events.length
    }
    const all = mailboxes(3, 'a.test')
    expect(await run(delivery.start(all, { signal: abort.signal }))).toEqual({
      seen: expect.arrayContaining(all.map(stopped)),
      thrown: enough,
    })
    expect(recipientsAt(server)).toEqual([])
  })

  test('keeps what was tried before it: an exchanger that did not greet', async () => {
    const abort = new AbortController()
    await using first = await serverWith({ greeting: '554 5.7.1 not you' })
    await using second = await silentServer(() => abort.abort(enough))
    await using delivery = new TestDelivery({
      domains: { 'a.test': [{ place: placeOf(first) }, { place: placeOf(second) }] },
    })
    const outcomes = delivery.start(['bob@a.test'], { signal: abort.signal })
    expect((await outcomes.next()).value).toMatchObject({
      kind: 'deferred',
      cause: { stage: 'policy', status: '4.3.2' },
      attempts: [{ stage: 'greeting', status: '5.7.1', diagnostic: '554 5.7.1 not you' }],
    })
    await expect(outcomes.next()).rejects.toBe(enough)
  })

  test('keeps what was tried before it by those who wait for another turn', async () => {
    const abort = new AbortController()
    const RCPT = (client: Conversation): Promise<void> => client.reply('451 4.7.1 later')
    await using first = await serverWith({ offers: pipelining, RCPT })
    await using second = await silentServer(() => abort.abort(enough))
    await using delivery = new TestDelivery({
      domains: { 'a.test': [{ place: placeOf(first) }, { place: placeOf(second) }] },
      limits: { recipientsPerTransaction: 3, perSite: 1 },
    })
    const all = mailboxes(3, 'a.test')
    const outcomes: Outcome[] = []
    const iterating = (async () => {
      for await (const outcome of delivery.start(all, { signal: abort.signal })) outcomes.push(outcome)
    })()
    await expect(iterating).rejects.toBe(enough)
    expect(outcomes.map(summary).toSorted()).toEqual(all.map(stopped))
    expect(outcomes.map(({ attempts }) => attempts.map(({ status }) => status))).toEqual(
      Array(3).fill(['4.7.1']),
    )
    // The log names who was asked.
    const verdicts = delivery.events.filter(
      (event) => event.kind === 'verdict' && event.outcome === 'deferred',
    )
    expect(verdicts).toMatchObject(Array(3).fill({ target: { exchanger: 'mx1.a.test' } }))
  })

  test.each(['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA'] as const)(
    'while waiting for the reply to %s',
    async (step) => {
      const abort = new AbortController()
      await using server = await serverWith({
        [step]: async (client: { untilGone(): Promise<void> }) => {
          abort.abort(enough)
          await client.untilGone()
        },
      })
      await using delivery = new TestDelivery({ domains: to(server) })
      const all = mailboxes(3, 'a.test')
      const result = await run(delivery.start(all, { signal: abort.signal }))
      expect(result.thrown).toBe(enough)
      expect(result.seen.toSorted()).toEqual(all.map(stopped))
      expect(server.conversation.contents).toEqual([])
    },
  )

  test('in the middle of the content: the peer never sees its end', async () => {
    const abort = new AbortController()
    const parts = 50
    const part = Buffer.from(`${'x'.repeat(78)}\r\n`.repeat(100))
    const endless = {
      messageId: '<1@sender.test>',
      size: parts * part.length,
      requires: new Set<never>(),
      async *open() {
        for (let at = 0; at < parts; at++) {
          if (at === 10) abort.abort(enough)
          yield part
        }
      },
    }
    await using server = await serverWith({ offers: pipelining })
    await using delivery = new TestDelivery({ domains: to(server) })
    const result = await run(delivery.start(['bob@a.test'], { signal: abort.signal, message: endless }))
    expect(result).toEqual({ seen: [stopped('bob@a.test')], thrown: enough })
    expect(server.conversation.contents).toEqual([])
  })

  test.each([
    ['DATA', '250 2.0.0 taken', 'delivered', pipelining],
    ['BDAT', '250 2.0.0 taken', 'delivered', chunking],
    ['DATA', '554 5.7.1 spam', 'failed 5.7.1 end-of-data', pipelining],
    ['DATA', '451 4.3.0 later', 'deferred 4.3.0 end-of-data', pipelining],
  ] as const)(
    'after the end of the content (%s): the reply is awaited, and %s counts',
    async (_how, verdict, expected, offers) => {
      const abort = new AbortController()
      const gate = new Gate()
      const answer = async (client: { reply(...lines: string[]): Promise<void> }) => {
        abort.abort(enough)
        await gate.passed
        await client.reply(verdict)
      }
      await using server = await serverWith({ offers, content: answer, BDAT: answer })
      await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 1 } })
      const outcomes = delivery.start(['bob@a.test', 'carol@a.test'], { signal: abort.signal })
      // Who had not begun is told at once, long before the peer says a word.
      const first = await outcomes.next()
      expect(first.value && summary(first.value)).toBe(stopped('carol@a.test'))
      gate.open()
      expect(await run(outcomes)).toEqual({ seen: [`bob@a.test ${expected}`], thrown: enough })
    },
  )

  test('after the last outcome changes nothing', async () => {
    const abort = new AbortController()
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: to(server) })
    const outcomes = delivery.start(['bob@a.test'], { signal: abort.signal })
    const first = await outcomes.next()
    abort.abort(enough)
    expect(first.value && summary(first.value)).toBe('bob@a.test delivered')
    expect(await run(outcomes)).toEqual({ seen: [], thrown: undefined })
  })

  test('of one delivery leaves another one alone, on the same site', async () => {
    const abort = new AbortController()
    const gate = new Gate()
    let mails = 0
    await using server = await serverWith({
      MAIL: async (client) => {
        if (++mails === 1) {
          abort.abort(enough)
          gate.open()
        }
        await client.reply('250 ok')
      },
    })
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 1 } })
    const aborted = run(delivery.start(mailboxes(5, 'a.test'), { signal: abort.signal }))
    const other = await run(delivery.start(['carol@a.test', 'dave@a.test']))
    expect(await aborted).toMatchObject({ thrown: enough })
    expect(other).toEqual({ seen: ['carol@a.test delivered', 'dave@a.test delivered'], thrown: undefined })
  })

  test('of a delivery that waits for a slot is told at once, whatever holds the slot', async () => {
    let mails = 0
    await using silent = await serverWith({
      MAIL: async (client) => {
        mails++
        await client.untilGone()
      },
    })
    await using server = await serverWith()
    const delivery = new TestDelivery({
      domains: { 'silent.test': [{ place: placeOf(silent) }], ...to(server) },
      limits: { concurrency: 1 },
    })
    const holder = new AbortController()
    const holding = run(delivery.start(['bob@silent.test'], { signal: holder.signal }))
    const waiter = new AbortController()
    const waiting = run(delivery.start(mailboxes(3, 'a.test'), { signal: waiter.signal }))
    await expect.poll(() => mails, { timeout: 30_000 }).toBe(1)
    waiter.abort(enough)
    expect(await waiting).toEqual({ seen: mailboxes(3, 'a.test').map(stopped), thrown: enough })
    holder.abort(enough)
    await holding
    await delivery.deliverer.close()
    const said = server.conversations.flatMap(({ commands }) => commands)
    expect(said.filter((command) => command.startsWith('MAIL'))).toEqual([])
  })

  test('is not needed for others to go on: a host that does not greet holds no slot', async () => {
    await using silent = await ScriptedServer.start([(client) => client.untilGone()])
    await using server = await serverWith()
    const delivery = new TestDelivery({
      domains: { 'silent.test': [{ place: placeOf(silent) }], ...to(server) },
      limits: { concurrency: 1 },
    })
    const abort = new AbortController()
    const held = run(delivery.start(['bob@silent.test'], { signal: abort.signal }))
    await expect.poll(() => silent.conversations.length, { timeout: 30_000 }).toBe(1)
    expect(await run(delivery.start(mailboxes(3, 'a.test')))).toMatchObject({
      seen: mailboxes(3, 'a.test').map((mailbox) => `${mailbox} delivered`),
    })
    abort.abort(enough)
    await held
    await delivery.deliverer.close()
  })
})

describe('leaving the iteration early', () => {
  test('stops what has not begun, and throws nothing', async () => {
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: to(server), limits: { perSite: 1 } })
    for await (const outcome of delivery.start(mailboxes(100, 'a.test'))) {
      expect(outcome.kind).toBe('delivered')
      break
    }
    await delivery.deliverer.close()
    expect(recipientsAt(server).length).toBeLessThan(100)
    const verdicts = delivery.events.filter(({ kind }) => kind === 'verdict')
    expect(verdicts).toHaveLength(100)
  })

  test('after the last outcome stops nothing', async () => {
    await using server = await serverWith()
    await using delivery = new TestDelivery({ domains: to(server) })
    for await (const _ of delivery.start(['bob@a.test'])) break
    expect(await run(delivery.start(['carol@a.test']))).toEqual({
      seen: ['carol@a.test delivered'],
      thrown: undefined,
    })
  })
})

test('a reason that is no error is thrown as it is', async () => {
  await using delivery = new TestDelivery({ domains: {} })
  const result = await run(delivery.start(['bob@a.test'], { signal: AbortSignal.abort('enough') }))
  expect(result).toEqual({ seen: [stopped('bob@a.test')], thrown: 'enough' })
})

test('close waits for what runs, and ends the sessions then', async () => {
  const gate = new Gate()
  await using server = await serverWith({
    content: async (client) => {
      await gate.passed
      await client.reply('250 taken')
    },
  })
  const delivery = new TestDelivery({ domains: to(server) })
  const outcomes = run(delivery.start(['bob@a.test'], { message: message() }))
  let isClosed = false
  const closed = delivery.deliverer.close().then(() => {
    isClosed = true
  })
  await expect
    .poll(() => server.conversations.flatMap(({ contents }) => contents).length, { timeout: 30_000 })
    .toBe(1)
  expect(isClosed).toBe(false)
  gate.open()
  await closed
  expect(await outcomes).toMatchObject({ seen: ['bob@a.test delivered'] })
  expect(server.conversation.commands.at(-1)).toBe('QUIT')
})
