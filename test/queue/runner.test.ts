import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/delivery/outcome.ts'
import { QueueDamagedError, QueueFullError } from '../../src/queue/errors.ts'
import { recipientOf, submissionTo } from '../support/queue-submissions.ts'
import {
  delivered,
  greylistedFor,
  lostAfterDot,
  refused,
  stopped,
  unreachable,
  World,
} from './runner-world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const all = { kind: 'all' } as const

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(async () => {
  const stopping = world.runner.stop()
  await world.conclude(stopped)
  await stopping
})

const add = (...recipients: string[]) =>
  world.store.add(submissionTo(recipients, { createdAt: world.now, expiresAt: world.now + 120 * HOUR }))

const entries = async () => (await world.store.list({ selector: all, limit: 100 })).entries

describe('an entry', () => {
  test('is delivered as soon as it is added, and gone', async () => {
    await world.runner.start()
    await world.settle()
    await add('bob@example.test')
    await world.settle()
    expect(world.inHand).toMatchObject([
      { address: 'bob@example.test', id: 'M1', envelope: { reversePath: { localPart: 'alice' } } },
    ])
    await world.conclude(delivered)
    expect(await entries()).toEqual([])
    expect(world.settled).toMatchObject([{ entry: { id: 'M1-1' }, settlement: { kind: 'delivered' } }])
  })

  test('of one submission shares its transaction order, its message and its id with the others', async () => {
    await world.runner.start()
    await add('a@one.test', 'b@one.test', 'c@two.test')
    await world.settle()
    expect(world.addresses).toEqual(['a@one.test', 'b@one.test', 'c@two.test'])
    expect(new Set(world.inHand.map(({ message }) => message)).size).toBe(1)
  })

  test('that is greylisted is tried again when the reply asks for it', async () => {
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(greylistedFor(120))
    expect(await entries()).toMatchObject([
      {
        state: 'ready',
        attempts: 1,
        dueAt: 1_000 + 2 * MINUTE,
        last: { diagnostic: '450 4.7.1 Greylisted, try again in 120 seconds', isReply: true },
      },
    ])
    await world.advanceTo(1_000 + 2 * MINUTE - 1)
    expect(world.addresses).toEqual([])
    await world.advanceTo(1_000 + 2 * MINUTE)
    expect(world.addresses).toEqual(['bob@example.test'])
  })

  test('that fails is reported and gone', async () => {
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(refused)
    expect(world.reported).toMatchObject([
      { kind: 'failed', last: { diagnostic: '550 5.1.1 no such user' }, uncertain: false },
    ])
    expect(await entries()).toMatchObject([
      { recipient: { address: { localPart: 'alice' } }, reversePath: null },
    ])
    expect(world.addresses).toEqual(['alice@sender.test'])
  })

  test('that fails and cannot be reported is kept as dead', async () => {
    world.decision = 'undeliverable'
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(refused)
    expect(await entries()).toMatchObject([{ state: 'dead', last: { status: '5.1.1' } }])
  })

  test('that fails and nobody wants to know of is gone', async () => {
    world.decision = 'unwanted'
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(refused)
    expect(await entries()).toEqual([])
  })

  test('is reported as relayed when NOTIFY asks for success and the server sends no reports (RFC 3461 §5.2.2)', async () => {
    await world.runner.start()
    const recipients = [
      recipientOf('plain@one.test'),
      recipientOf('asking@one.test', { notify: ['SUCCESS'], orcpt: 'rfc822;Asking@old.test' }),
      recipientOf('passed-on@two.test', { notify: ['SUCCESS'] }),
    ]
    await world.store.add(submissionTo([], { recipients, envid: 'QQ1', ret: 'HDRS', expiresAt: 1e9 }))
    await world.settle()
    expect(world.inHand[0]?.envelope).toMatchObject({
      dsn: { envid: 'QQ1', ret: 'HDRS' },
      recipients: [{}, { dsn: { notify: ['SUCCESS'], orcpt: 'rfc822;Asking@old.test' } }, {}],
    })
    await world.conclude(
      (recipient) => ({ ...delivered(recipient), isDsnPassedOn: true }) as Outcome,
      ['passed-on@two.test'],
    )
    await world.conclude(delivered, ['plain@one.test', 'asking@one.test'])
    expect(world.reported).toMatchObject([{ kind: 'relayed', entry: { id: 'M1-2' } }])
  })

  test('is given up when its time is over, with what was said last', async () => {
    world.decision = 'unwanted'
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    for (let tries = 0; (await entries()).length > 0 && tries < 130; tries++) {
      await world.conclude(unreachable)
      await world.advanceTo(world.now + HOUR)
    }
    expect(world.reported).toMatchObject([{ kind: 'failed', last: { diagnostic: 'no answer within 30 s' } }])
    expect(world.now).toBeLessThan(122 * HOUR)
  })

  test('that waits too long is reported as late, once', async () => {
    await world.runner.start()
    await world.store.add(submissionTo(['bob@example.test'], { warnAt: 4 * HOUR, expiresAt: 120 * HOUR }))
    await world.settle()
    for (let hours = 0; hours < 10; hours++) {
      await world.conclude(greylistedFor(7_200), ['bob@example.test'])
      await world.conclude(delivered)
      await world.advanceTo(world.now + HOUR)
    }
    expect(world.reported).toMatchObject([{ kind: 'delayed', entry: { id: 'M1-1', isDelayWarned: false } }])
    // It may be in the deliverer's hands when the time comes.
    expect((world.reported[0]?.now ?? 0) / HOUR).toBeCloseTo(4, 2)
  })
})

describe('an entry whose time ran out while nobody could try it', () => {
  test('is tried when the host is switched on again, and given up an hour later', async () => {
    world.decision = 'unwanted'
    await add('bob@example.test')
    world.now += 200 * HOUR
    await world.runner.start()
    await world.settle()
    expect(world.addresses).toEqual(['bob@example.test'])
    expect(world.reported).toEqual([])
    for (let tries = 0; (await entries()).length > 0 && tries < 30; tries++) {
      await world.conclude(greylistedFor(300))
      await world.advanceTo(world.now + HOUR / 10)
    }
    expect(world.reported).toMatchObject([{ kind: 'failed', last: { status: '4.7.1' } }])
    expect((world.reported[0]?.now ?? 0) / HOUR).toBeCloseTo(201, 0)
  })

  test('is tried when the clock is set forward, or the host has slept', async () => {
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(greylistedFor(300))
    await world.setClock(200 * HOUR)
    expect(world.addresses).toEqual(['bob@example.test'])
    await world.conclude(delivered)
    expect(world.reported).toEqual([])
  })
})

describe('an entry that was queued while the clock was ahead', () => {
  test('is tried when the clock is set back', async () => {
    world.now = 500 * HOUR
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(unreachable)
    await world.setClock(HOUR)
    expect(world.addresses).toEqual(['bob@example.test'])
    await world.conclude(unreachable)
    const { sites } = await world.store.stats()
    expect(sites).toMatchObject([{ trouble: { failures: 1, last: { at: HOUR } } }])
    await world.advanceTo(2 * HOUR)
    expect(world.addresses).toEqual(['bob@example.test'])
  })

  test('is tried when the daemon starts', async () => {
    world.now = 500 * HOUR
    await add('bob@example.test')
    world.now = HOUR
    await world.runner.start()
    await world.settle()
    expect(world.addresses).toEqual(['bob@example.test'])
  })
})

describe('an entry that may have been delivered', () => {
  test('is tried again after the normal wait, marked', async () => {
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(lostAfterDot)
    expect(await entries()).toMatchObject([{ state: 'ready', uncertain: true, dueAt: 1_000 + 5 * MINUTE }])
  })

  test('is held where that is asked for', async () => {
    world = new World({ onUncertain: 'hold' })
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    await world.conclude(lostAfterDot)
    expect(await entries()).toMatchObject([{ state: 'held', uncertain: true }])
  })

  test('was begun by a runner that is dead: marked, and tried after the normal wait', async () => {
    await add('bob@example.test')
    await world.store.lease({ owner: 'dead', now: 1_000, until: 1e9, max: 1, perSite: 1, room: new Map() })
    await world.store.begin('M1-1', 'dead')
    await world.runner.start()
    await world.settle()
    expect(world.addresses).toEqual([])
    expect(await entries()).toMatchObject([{ state: 'ready', uncertain: true, dueAt: 1_000 + 5 * MINUTE }])
    await world.advanceTo(1_000 + 5 * MINUTE)
    expect(world.addresses).toEqual(['bob@example.test'])
  })
})

describe('an entry that is about to be sent', () => {
  test('is begun before its content goes out', async () => {
    const calls: string[] = []
    world.store.beforeCall = (name) => void calls.push(name)
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    expect(calls).not.toContain('begin')
    await world.inHand[0]?.beforeContent()
    expect(calls).toContain('begin')
    await world.store.reclaim({ now: 2_000, survivor: null, dueAt: 3_000, hold: false })
    expect(await entries()).toMatchObject([{ uncertain: true }])
  })

  test('and was only leased by a runner that is dead is tried at once, unmarked', async () => {
    await add('bob@example.test')
    await world.store.lease({ owner: 'dead', now: 1_000, until: 1e9, max: 1, perSite: 1, room: new Map() })
    await world.runner.start()
    await world.settle()
    expect(world.addresses).toEqual(['bob@example.test'])
    expect(await entries()).toMatchObject([{ state: 'leased', uncertain: false, attempts: 0 }])
  })
})

describe('a site', () => {
  const many = (domain: string, count: number) => Array.from({ length: count }, (_, n) => `u${n}@${domain}`)

  test('that has shown nothing gets two entries, and its full share after the first success', async () => {
    await world.runner.start()
    await add(...many('big.test', 20))
    await world.settle()
    expect(world.inHand).toHaveLength(2)
    await world.conclude(delivered, ['u0@big.test'])
    expect(world.inHand).toHaveLength(4)
  })

  test('that is slow does not keep the others waiting', async () => {
    await world.runner.start()
    await add(...many('slow.test', 50))
    await world.settle()
    await add('bob@quick.test')
    await world.settle()
    expect(world.addresses).toEqual(['u0@slow.test', 'u1@slow.test', 'bob@quick.test'])
  })

  test('is one for all domains that share its exchangers', async () => {
    await world.runner.start()
    await add(...Array.from({ length: 30 }, (_, n) => `u@d${n}.of-provider`))
    await world.settle()
    expect(world.inHand).toHaveLength(2)
  })

  test('that is dead is probed by one entry at a time, and the others wait for it', async () => {
    await world.runner.start()
    await add(...many('dead.test', 100))
    await world.settle()
    await world.conclude(unreachable)
    expect(world.inHand).toHaveLength(0)
    expect((await entries()).filter(({ attempts }) => attempts > 0)).toHaveLength(2)
    await world.advanceTo(1_000 + 5 * MINUTE)
    expect(world.inHand).toHaveLength(1)
    await world.conclude(unreachable)
    // Twice as long, a fifth less by chance.
    await world.advanceTo(1_000 + 13 * MINUTE - 1)
    expect(world.inHand).toHaveLength(0)
    await world.advanceTo(1_000 + 13 * MINUTE)
    expect(world.inHand).toHaveLength(1)
  })

  test('that answers again gives everything at once', async () => {
    await world.runner.start()
    await add(...many('dead.test', 100))
    await world.settle()
    await world.conclude(unreachable)
    await world.advanceTo(1_000 + 5 * MINUTE)
    await world.conclude(delivered)
    expect(world.inHand).toHaveLength(4)
  })

  test('that is dead is left alone by what is added meanwhile, of any of its domains', async () => {
    await world.runner.start()
    await add('a@one.of-provider')
    await world.settle()
    await world.conclude(unreachable)
    await add('b@two.of-provider')
    await world.settle()
    expect(world.inHand).toHaveLength(0)
    await world.advanceTo(1_000 + 5 * MINUTE)
    expect(world.inHand).toHaveLength(1)
  })

  test('whose recipients are refused one by one is not in trouble', async () => {
    await world.runner.start()
    await add(...many('grey.test', 3))
    await world.settle()
    await world.conclude(greylistedFor(300))
    expect(world.addresses).toEqual(['u2@grey.test'])
  })

  test('of a domain whose DNS does not answer is in trouble by itself', async () => {
    await world.runner.start()
    await add(...many('dead-dns.test', 10))
    await world.settle()
    expect(world.inHand).toHaveLength(2)
    await world.conclude((recipient) => ({
      kind: 'deferred',
      recipient,
      attempts: [],
      durationMs: 1,
      uncertain: false,
      cause: { stage: 'route', status: '4.4.3', error: new Error('SERVFAIL') },
    }))
    expect(world.inHand).toHaveLength(0)
  })
})

describe('a store that fails', () => {
  test('while a verdict is to be recorded: it is recorded later', async () => {
    await world.runner.start()
    await add('bob@example.test')
    await world.settle()
    let failures = 3
    world.store.beforeCall = (name) => {
      if (name === 'settle' && failures-- > 0) throw new QueueFullError('queue', 'disk full')
    }
    await world.conclude(delivered)
    expect(await entries()).toHaveLength(1)
    await world.advanceTo(world.now + 10_000)
    expect(await entries()).toEqual([])
    expect(world.troubles).toHaveLength(3)
  })

  test('while entries are leased: they are leased later', async () => {
    let failures = 2
    world.store.beforeCall = (name) => {
      if (name === 'lease' && failures-- > 0) throw new QueueFullError('queue', 'disk full')
    }
    await world.runner.start()
    await add('bob@example.test')
    await world.advanceTo(world.now + 10_000)
    expect(world.addresses).toEqual(['bob@example.test'])
  })

  test('to find a content: the entry is kept as dead, the others go on', async () => {
    world.store.beforeCall = (name) => {
      if (name === 'content') {
        world.store.beforeCall = () => {}
        throw new QueueDamagedError('queue', 'the content is gone')
      }
    }
    await add('bob@example.test')
    await add('carol@example.test')
    await world.runner.start()
    await world.settle()
    expect(await entries()).toMatchObject([
      { state: 'dead', last: { diagnostic: 'the content is gone' } },
      { state: 'leased' },
    ])
    expect(world.addresses).toEqual(['carol@example.test'])
  })
})

describe('stopping', () => {
  test('what was not begun is given back, what has a verdict is settled, nothing more is taken', async () => {
    await world.runner.start()
    await add('a@one.test', 'b@one.test')
    await world.settle()
    const stopping = world.runner.stop()
    await add('c@two.test')
    await world.conclude(delivered, ['a@one.test'])
    await world.conclude(stopped)
    await stopping
    expect(await entries()).toMatchObject([
      { id: 'M1-2', state: 'ready', attempts: 0, uncertain: false },
      { id: 'M2-1', state: 'ready', attempts: 0 },
    ])
  })

  test('what a server has answered for now is kept with its words, and waits as ever', async () => {
    await world.runner.start()
    await add('a@one.test')
    await world.settle()
    const stopping = world.runner.stop()
    await world.conclude(greylistedFor(300))
    await stopping
    const [entry] = await entries()
    expect(entry).toMatchObject({ state: 'ready', attempts: 1, last: { isReply: true } })
    expect(entry?.dueAt).toBeGreaterThanOrEqual(world.now + 5 * MINUTE)
    expect(await world.store.history('M1-1')).toMatchObject([{ outcome: 'deferred', reply: { code: 450 } }])
  })

  test('a transaction past the final dot is awaited, and lost there it is uncertain', async () => {
    await world.runner.start()
    await add('a@one.test')
    await world.settle()
    expect(world.inHand[0]?.signal?.aborted).toBe(false)
    const stopping = world.runner.stop()
    expect(world.inHand[0]?.signal?.aborted).toBe(true)
    await world.conclude(lostAfterDot)
    await stopping
    expect(await entries()).toMatchObject([{ state: 'ready', attempts: 1, uncertain: true }])
  })
})
