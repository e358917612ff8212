import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Attempt, Outcome } from '../../src/delivery/outcome.ts'
import type { LastTrouble, QueueEntry } from '../../src/queue/entry.ts'
import { retrySourceOf, sourceOf } from '../../src/queue/retry-source.ts'
import { recipient, routerTo, TestDelivery } from '../delivery/fixtures.ts'
import { placeOf, serverWith } from '../delivery/servers.ts'
import { greylisted, submissionTo } from '../support/queue-submissions.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { World } from './runner-world.ts'

describe('the retry comes from the address of the attempt before', () => {
  const retryAfter = (last: Partial<LastTrouble> | null) =>
    retrySourceOf({
      last: last === null ? null : { ...greylisted, ...last },
      sourceAddress: '192.0.2.9',
    } as QueueEntry)

  test('that was refused for now where greylists refuse (RFC 6647 §2)', () => {
    expect(retryAfter({})).toBe('192.0.2.9')
    expect(retryAfter({ stage: 'data' })).toBe('192.0.2.9')
    expect(retryAfter({ stage: 'end-of-data' })).toBe('192.0.2.9')
  })

  test('but not of one that was never made, was refused elsewhere, or had no reply', () => {
    expect(retryAfter(null)).toBe(null)
    expect(retryAfter({ stage: 'greeting' })).toBe(null)
    expect(retryAfter({ stage: 'mail' })).toBe(null)
    expect(retryAfter({ isReply: false, diagnostic: '4 octets too few' })).toBe(null)
  })

  test('of the attempt that decided', () => {
    const attempt = (given: Partial<Attempt>): Attempt => ({
      exchanger: 'mx.a.test',
      ip: '192.0.2.1',
      port: 25,
      stage: 'rcpt',
      status: '4.2.0',
      diagnostic: '',
      startedAt: 0,
      durationMs: 0,
      tls: null,
      localAddress: '192.0.2.9',
      ...given,
    })
    const deferred = (...attempts: readonly Attempt[]): Outcome => ({
      kind: 'deferred',
      recipient: recipient('bob@a.test'),
      attempts,
      durationMs: 0,
      uncertain: false,
      cause: { stage: 'rcpt', status: '4.2.0' },
    })
    const failed = attempt({ stage: 'connect', status: '4.4.1', localAddress: null })
    expect(sourceOf(deferred(attempt({}), failed))).toBe('192.0.2.9')
    expect(sourceOf(deferred(failed))).toBe(null)
    expect(sourceOf(deferred())).toBe(null)
  })
})

/** Refuses each recipient for now until it comes a second time from the same address, and notes where it comes from. */
class Greylist {
  readonly asked = new Map<string, string[]>()

  readonly RCPT = (client: Conversation): Promise<void> => {
    const who = /<([^>]*)>/.exec(client.commands.at(-1) ?? '')?.[1] ?? ''
    const sources = this.asked.get(who) ?? []
    this.asked.set(who, sources)
    const isKnown = sources.includes(client.remoteAddress)
    sources.push(client.remoteAddress)
    return client.reply(isKnown ? '250 2.1.5 ok' : '450 4.2.0 greylisted, try again in 60 seconds')
  }
}

const recipients = ['a@one.test', 'b@two.test', 'c@three.test', 'd@four.test']
/** Long enough for any machine; a test that waits for it fails. */
const LONG_MS = 30_000
const sourceAddresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4']

test.each([
  ['on new sessions', { messagesPerSession: 1 }, 3],
  // How many sessions the site gets at first is up to the network.
  ['on sessions that idle', {}, 1],
])(
  'greylisted recipients of one submission come back from where each came before, %s',
  async (_, limits, atLeast) => {
    const greylist = new Greylist()
    await using server = await serverWith(greylist)
    const offers = [{ host: 'mx.hosted.test', place: placeOf(server) }]
    const router = routerTo({
      '*.test': offers,
      ...Object.fromEntries(recipients.map((one) => [one.split('@')[1], offers])),
    })
    await using delivery = new TestDelivery({
      domains: {},
      router,
      sourceAddresses,
      limits: { perSite: 4, ...limits },
    })
    const world = new World({}, { deliverer: delivery.deliverer, router })
    await world.runner.start()
    onTestFinished(() => world.runner.stop())
    await world.store.add(submissionTo(recipients, { createdAt: world.now, expiresAt: 1e12 }))
    await world.settle()
    await vi.waitFor(() => expect(world.settled).toHaveLength(4), { timeout: LONG_MS })
    const first = new Map([...greylist.asked].map(([who, [source]]) => [who, source]))
    expect(new Set(first.values()).size).toBeGreaterThanOrEqual(atLeast)
    await world.advanceTo(world.now + 61_000)
    await vi.waitFor(() => expect(world.settled).toHaveLength(8), { timeout: LONG_MS })
    expect(world.settled.map(({ settlement }) => settlement.kind)).toEqual([
      ...Array(4).fill('deferred'),
      ...Array(4).fill('delivered'),
    ])
    expect(greylist.asked).toEqual(new Map([...first].map(([who, source]) => [who, [source, source]])))
  },
)
