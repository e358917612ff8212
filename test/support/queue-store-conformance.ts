/**
 * What every queue store must do. Call it inside a test file with a way to open an empty store; it is closed after each
 * test. Durability is not proved here: each store has crash tests of its own.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { unroutedSite } from '../../src/queue/entry.ts'
import type { LeaseRequest, QueueStore, SiteTrouble } from '../../src/queue/store.ts'
import {
  attempt,
  deferral,
  greylisted,
  messageOf,
  recipientOf,
  submissionTo,
  textOf,
} from './queue-submissions.ts'

const request: LeaseRequest = {
  owner: 'me',
  now: 2_000,
  until: 60_000,
  max: 10,
  perSite: 10,
  room: new Map(),
}

const trouble: SiteTrouble = { until: 10_000, since: 2_000, failures: 1, last: greylisted }

const all = { kind: 'all' } as const

/** Registers the tests. */
export function testQueueStore(openStore: () => Promise<QueueStore>): void {
  let store: QueueStore

  beforeEach(async () => {
    store = await openStore()
  })

  afterEach(async () => {
    await store.close()
  })

  const leaseIds = async (given: Partial<LeaseRequest> = {}): Promise<string[]> =>
    (await store.lease({ ...request, ...given })).map(({ entry }) => entry.id)

  const add = async (...recipients: string[]): Promise<readonly string[]> =>
    (await store.add(submissionTo(recipients))).entryIds

  const addOne = async (recipient: string): Promise<string> => (await add(recipient))[0] ?? ''

  const stateOf = async (id: string) => (await store.get(id))?.state ?? null

  describe('adding', () => {
    test('an entry holds what was submitted', async () => {
      const { submissionId, entryIds, isRepeated } = await store.add(
        submissionTo([], {
          recipients: [
            recipientOf('bob@example.test', {
              field: 'cc',
              notify: ['SUCCESS', 'DELAY'],
              orcpt: 'rfc822;Bob@old.test',
            }),
          ],
          envid: 'QQ314159',
          ret: 'HDRS',
          dueAt: 1_500,
          warnAt: 4_000,
        }),
      )
      expect(isRepeated).toBe(false)
      const [id = ''] = entryIds
      expect(await store.get(id)).toEqual({
        id,
        submissionId,
        messageId: '<5@sender.test>',
        size: messageOf('hello').size,
        recipient: {
          address: { localPart: 'bob', domain: 'example.test' },
          field: 'cc',
          notify: ['SUCCESS', 'DELAY'],
          orcpt: 'rfc822;Bob@old.test',
        },
        reversePath: { localPart: 'alice', domain: 'sender.test' },
        envid: 'QQ314159',
        ret: 'HDRS',
        state: 'ready',
        uncertain: false,
        attempts: 0,
        createdAt: 1_000,
        dueAt: 1_500,
        expiresAt: 1_000_000,
        isDelayWarned: false,
        last: null,
        site: '@example.test',
        sourceAddress: null,
        lease: null,
      })
    })

    test('every recipient has an entry of its own, in order', async () => {
      const ids = await add('a@one.test', 'b@two.test', 'c@one.test')
      const { entries } = await store.list({ selector: all, limit: 10 })
      expect(entries.map(({ id, recipient }) => [id, recipient.address.localPart])).toEqual([
        [ids[0], 'a'],
        [ids[1], 'b'],
        [ids[2], 'c'],
      ])
    })

    test.each([0, 5_000, 300_000])(
      'a content of %i octets and more is read back octet for octet',
      async (size) => {
        const message = messageOf('content', size)
        const { submissionId } = await store.add(submissionTo(['bob@example.test'], { message }))
        const kept = await store.content(submissionId)
        expect(await textOf(kept)).toBe(await textOf(message))
        expect(await textOf(kept)).toBe(await textOf(message))
        expect([kept.messageId, kept.size, [...kept.requires]]).toEqual([message.messageId, message.size, []])
      },
    )

    test('what a message requires is kept', async () => {
      const message = { ...messageOf('ü'), requires: new Set(['8BITMIME', 'SMTPUTF8'] as const) }
      const { submissionId } = await store.add(submissionTo(['bob@example.test'], { message }))
      expect((await store.content(submissionId)).requires).toEqual(new Set(['8BITMIME', 'SMTPUTF8']))
    })

    test('the null reverse-path stays null', async () => {
      const { entryIds } = await store.add(submissionTo(['bob@example.test'], { reversePath: null }))
      expect((await store.get(entryIds[0] ?? ''))?.reversePath).toBeNull()
    })

    test('a known idempotency key gives the same ids and queues nothing, also at the same time', async () => {
      const keyed = submissionTo(['a@one.test', 'b@two.test'], { idempotencyKey: 'invoice 7' })
      const [first, second] = await Promise.all([store.add(keyed), store.add(keyed)])
      expect(second).toEqual({ ...first, isRepeated: true })
      expect((await store.counts()).ready).toBe(2)
    })

    test('what is added at the same time is added in the order of the calls', async () => {
      const submissions = Array.from({ length: 20 }, (_, n) => submissionTo([`u${n}@one.test`]))
      const added = await Promise.all(submissions.map((submission) => store.add(submission)))
      const { entries } = await store.list({ selector: all, limit: 20 })
      expect(entries.map(({ id }) => id)).toEqual(added.flatMap(({ entryIds }) => entryIds))
    })

    test('an idempotency key outlives its entries', async () => {
      const keyed = submissionTo(['a@one.test'], { idempotencyKey: 'invoice 7' })
      const first = await store.add(keyed)
      await store.cancel(all)
      expect(await store.add(keyed)).toEqual({ ...first, isRepeated: true })
      expect((await store.counts()).ready).toBe(0)
    })

    test('a message that cannot be read is not queued at all', async () => {
      const { content: _, ...message } = {
        ...messageOf('broken'),
        async *open(): AsyncGenerator<Uint8Array> {
          yield Buffer.from('Subject: x\r\n')
          throw new Error('the connection is gone')
        },
      }
      await expect(store.add(submissionTo(['bob@example.test'], { message }))).rejects.toThrow(
        'the connection is gone',
      )
      expect((await store.counts()).ready).toBe(0)
    })
  })

  describe('leasing', () => {
    test('an entry is leased when it is due, and not before', async () => {
      const id = await addOne('bob@example.test')
      expect(await leaseIds({ now: 999 })).toEqual([])
      const [leased] = await store.lease(request)
      expect(leased?.entry).toMatchObject({ id, state: 'leased', lease: { owner: 'me', until: 60_000 } })
      expect(await store.get(id)).toEqual(leased?.entry)
    })

    test('no entry is leased to two', async () => {
      const ids = await add(...Array.from({ length: 30 }, (_, n) => `u${n}@d${n % 3}.test`))
      const leased = await Promise.all([
        leaseIds(),
        leaseIds({ owner: 'other' }),
        leaseIds(),
        leaseIds({ owner: 'other' }),
      ])
      expect(leased.flat().sort()).toEqual([...ids].sort())
    })

    test('within a site the oldest due comes first, and the longest-waiting site before others', async () => {
      const add = async (recipient: string, dueAt: number) =>
        (await store.add(submissionTo([recipient], { dueAt }))).entryIds[0]
      const late = await add('a@one.test', 1_900)
      const middle = await add('b@two.test', 1_600)
      const early = await add('c@one.test', 1_500)
      expect(await leaseIds()).toEqual([early, late, middle])
    })

    test('a site gives as many as it has room for, and the others theirs', async () => {
      await add('a@one.test', 'b@one.test', 'c@one.test', 'd@two.test', 'e@two.test', 'f@three.test')
      const room = new Map([
        ['@one.test', 2],
        ['@two.test', 0],
      ])
      const leased = await store.lease({ ...request, perSite: 1, room })
      expect(leased.map(({ entry }) => entry.site).sort()).toEqual(['@one.test', '@one.test', '@three.test'])
    })

    test('a site without room hides nothing behind it', async () => {
      await add(...Array.from({ length: 50 }, (_, n) => `u${n}@full.test`))
      const id = (await store.add(submissionTo(['x@free.test'], { dueAt: 1_999 }))).entryIds[0]
      expect(await leaseIds({ room: new Map([['@full.test', 0]]) })).toEqual([id])
    })

    test('entries given back are ready as before', async () => {
      const id = await addOne('bob@example.test')
      const before = await store.get(id)
      await store.lease(request)
      await store.giveBack([id], 'other')
      expect(await stateOf(id)).toBe('leased')
      await store.giveBack([id, 'ZZZZ-1', 'nonsense'], 'me')
      expect(await store.get(id)).toEqual(before)
      expect(await leaseIds()).toEqual([id])
    })

    test('notices are leased whatever the state of the site, warnings before expiry', async () => {
      const { entryIds } = await store.add(
        submissionTo(['bob@example.test'], { dueAt: 9_000, warnAt: 4_000, expiresAt: 8_000 }),
      )
      const [id = ''] = entryIds
      await store.siteFailed(unroutedSite('example.test'), { ...trouble, until: 100_000 })
      expect(await store.leaseNotices({ ...request, now: 3_999 })).toEqual([])
      const [warning] = await store.leaseNotices({ ...request, now: 4_000 })
      expect(warning).toMatchObject({ entry: { id, isDelayWarned: false }, trouble: { until: 100_000 } })
      await store.settle(deferral(id, { attempt: null, dueAt: 9_000, last: null, isDelayWarned: true }))
      expect(await store.get(id)).toMatchObject({ attempts: 0, isDelayWarned: true, last: null })
      expect(await store.leaseNotices({ ...request, now: 7_999 })).toEqual([])
      expect(await store.leaseNotices({ ...request, now: 8_000 })).toHaveLength(1)
    })
  })

  describe('settling', () => {
    test('a delivered entry is gone, and the content with the last of its submission', async () => {
      const { submissionId, entryIds } = await store.add(submissionTo(['a@one.test', 'b@two.test']))
      const [first = '', second = ''] = entryIds
      await store.lease(request)
      expect(await store.settle({ kind: 'delivered', id: first, owner: 'me', attempt })).toBe(true)
      expect(await store.get(first)).toBeNull()
      expect((await store.content(submissionId)).size).toBeGreaterThan(0)
      await store.settle({ kind: 'delivered', id: second, owner: 'me', attempt })
      await expect(store.content(submissionId)).rejects.toMatchObject({ code: 'ERR_QUEUE_DAMAGED' })
      expect(await store.counts()).toEqual({ ready: 0, leased: 0, held: 0, dead: 0 })
    })

    test('without a lease nothing is settled, and no report is added', async () => {
      const id = await addOne('bob@example.test')
      const reports = [submissionTo(['alice@sender.test'], { reversePath: null })]
      const settlement = {
        kind: 'failed',
        id,
        owner: 'me',
        attempt,
        keep: false,
        last: greylisted,
        reports,
      } as const
      expect(await store.settle(settlement)).toBe(false)
      await store.lease({ ...request, owner: 'other' })
      expect(await store.settle(settlement)).toBe(false)
      expect(await store.counts()).toEqual({ ready: 0, leased: 1, held: 0, dead: 0 })
    })

    test('a deferred entry keeps every attempt with its reply and is due again at its time', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      await store.settle(deferral(id, { sourceAddress: '192.0.2.99' }))
      expect(await leaseIds({ now: 4_999 })).toEqual([])
      expect(await leaseIds({ now: 5_000 })).toEqual([id])
      await store.settle(deferral(id, { uncertain: true, dueAt: 7_000, last: null }))
      expect(await store.get(id)).toMatchObject({
        state: 'ready',
        attempts: 2,
        dueAt: 7_000,
        uncertain: true,
        last: greylisted,
        sourceAddress: '192.0.2.99',
        lease: null,
      })
      expect(await store.history(id)).toEqual([
        { number: 1, ...attempt },
        { number: 2, ...attempt },
      ])
    })

    test('once uncertain, always uncertain', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      await store.settle(deferral(id, { uncertain: true }))
      await store.lease({ ...request, now: 5_000 })
      await store.settle(deferral(id))
      expect((await store.get(id))?.uncertain).toBe(true)
    })

    test('a deferred entry can be held instead', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      await store.settle(deferral(id, { hold: true, uncertain: true }))
      expect(await stateOf(id)).toBe('held')
      expect(await leaseIds({ now: 900_000 })).toEqual([])
      expect(await store.leaseNotices({ ...request, now: 2_000_000 })).toEqual([])
    })

    test('a failed entry is gone, and its report is in the queue', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      const report = submissionTo(['alice@sender.test'], { reversePath: null, message: messageOf('report') })
      await store.settle({
        kind: 'failed',
        id,
        owner: 'me',
        attempt,
        keep: false,
        last: greylisted,
        reports: [report],
      })
      const { entries } = await store.list({ selector: all, limit: 10 })
      expect(entries).toMatchObject([
        { recipient: { address: { localPart: 'alice' } }, reversePath: null, state: 'ready' },
      ])
      expect(await textOf(await store.content(entries[0]?.submissionId ?? ''))).toContain('Subject: report')
    })

    test('a failed entry that nobody can be told of is kept as dead', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      await store.settle({ kind: 'failed', id, owner: 'me', attempt, keep: true, last: greylisted })
      expect(await store.get(id)).toMatchObject({ state: 'dead', attempts: 1, last: greylisted, lease: null })
      expect(await leaseIds({ now: 900_000 })).toEqual([])
      expect(await store.history(id)).toHaveLength(1)
    })
  })

  describe('leases that nobody settles', () => {
    test('a begun lease that has run out is ended: uncertain, the lost attempt recorded', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      await store.begin(id, 'me')
      expect(await store.reclaim({ now: 59_999, dueAt: 70_000, hold: false })).toBe(0)
      expect(await store.reclaim({ now: 60_000, dueAt: 70_000, hold: false })).toBe(1)
      expect(await store.get(id)).toMatchObject({
        state: 'ready',
        uncertain: true,
        attempts: 1,
        dueAt: 70_000,
        last: { status: '4.4.2', isReply: false },
      })
      expect(await store.history(id)).toMatchObject([{ number: 1, outcome: 'lost', uncertain: true }])
      expect(await store.settle(deferral(id))).toBe(false)
    })

    test('what was leased and not begun is ready again as before, never held', async () => {
      const [begun = '', waiting = ''] = await add('a@one.test', 'b@one.test')
      const before = await store.get(waiting)
      await store.lease(request)
      await store.begin(begun, 'me')
      await store.begin(begun, 'me')
      expect(await store.reclaim({ now: 2_000, survivor: null, dueAt: 70_000, hold: true })).toBe(2)
      expect(await store.get(waiting)).toEqual(before)
      expect(await store.history(waiting)).toEqual([])
      expect(await store.get(begun)).toMatchObject({ state: 'held', uncertain: true })
    })

    test('an entry that was begun in an earlier lease has to be begun anew', async () => {
      const [deferred = '', returned = ''] = await add('a@one.test', 'b@one.test')
      await store.lease(request)
      for (const id of [deferred, returned]) await store.begin(id, 'me')
      await store.settle(deferral(deferred, { dueAt: 1_000 }))
      await store.giveBack([returned], 'me')
      expect(await leaseIds()).toHaveLength(2)
      expect(await store.reclaim({ now: 2_000, survivor: 'you', dueAt: 70_000, hold: true })).toBe(2)
      for (const id of [deferred, returned]) {
        expect(await store.get(id)).toMatchObject({ state: 'ready', uncertain: false })
      }
    })

    test('beginning is for the owner of the lease', async () => {
      const id = await addOne('bob@example.test')
      await store.lease(request)
      await store.lease({ ...request, owner: 'you' })
      await store.begin(id, 'you')
      await store.reclaim({ now: 60_000, dueAt: 70_000, hold: false })
      expect(await store.get(id)).toMatchObject({ uncertain: false, attempts: 0 })
    })

    test('an extended lease runs longer', async () => {
      await add('bob@example.test')
      await store.lease(request)
      await store.extend('me', 90_000)
      expect(await store.reclaim({ now: 60_000, dueAt: 70_000, hold: false })).toBe(0)
    })

    test('the leases of a dead owner end, those of the survivor stay', async () => {
      const [dead = '', alive = ''] = await add('a@one.test', 'b@two.test')
      await store.lease({ ...request, owner: 'dead', room: new Map([['@two.test', 0]]) })
      await store.lease({ ...request, owner: 'alive' })
      await store.begin(dead, 'dead')
      await store.begin(alive, 'alive')
      expect(await store.reclaim({ now: 2_000, survivor: 'alive', dueAt: 3_000, hold: true })).toBe(1)
      expect(await stateOf(dead)).toBe('held')
      expect(await stateOf(alive)).toBe('leased')
      expect(await store.reclaim({ now: 2_000, survivor: null, dueAt: 3_000, hold: false })).toBe(1)
      expect(await store.get(alive)).toMatchObject({ state: 'ready', uncertain: true })
    })
  })

  describe('catching up', () => {
    const times = { now: 2_000_000, graceUntil: 3_000_000, latestDueAt: 2_500_000 }

    test('an entry whose time is over lives until the grace ends', async () => {
      const id = await addOne('bob@example.test')
      await store.catchUp(times)
      expect(await store.get(id)).toMatchObject({ state: 'ready', expiresAt: 3_000_000, dueAt: 1_000 })
      const notices = (now: number) => store.leaseNotices({ owner: 'me', now, until: 9e6, max: 5 })
      expect(await notices(2_999_999)).toEqual([])
      expect(await notices(3_000_000)).toHaveLength(1)
    })

    test('what would be due too late is due now, and trouble of its site is forgotten', async () => {
      const [late] = (await store.add(submissionTo(['a@one.test'], { dueAt: 2_500_001, expiresAt: 9e9 })))
        .entryIds
      const [soon] = (await store.add(submissionTo(['b@two.test'], { dueAt: 2_500_000, expiresAt: 9e9 })))
        .entryIds
      await store.siteFailed('@one.test', { until: 9e6, since: 1, failures: 1, last: greylisted })
      await store.catchUp(times)
      expect(await store.get(late ?? '')).toMatchObject({ dueAt: 2_000_000 })
      expect(await store.get(soon ?? '')).toMatchObject({ dueAt: 2_500_000 })
      expect(await store.nextDue(new Map())).toBe(2_000_000)
      const leased = await store.lease({ ...request, now: 2_000_000, until: 9e6 })
      expect(leased.map(({ entry, trouble }) => [entry.id, trouble])).toEqual([[late, null]])
    })

    test('trouble of a site that is being probed is forgotten too', async () => {
      await add('a@one.test')
      await store.siteFailed('@one.test', { until: 2_000, since: 1, failures: 1, last: greylisted })
      const [probe] = await store.lease({ ...request, now: 2_000, until: 2_400_000 })
      await store.siteFailed('@one.test', { until: 9e6, since: 1, failures: 2, last: greylisted })
      await store.catchUp(times)
      await store.giveBack([probe?.entry.id ?? ''], 'me')
      expect(await store.nextDue(new Map())).toBe(1_000)
    })

    test('held, dead and leased entries are left alone, and what is as it should be too', async () => {
      const [held = '', leased = ''] = await add('a@one.test', 'b@two.test')
      await store.hold({ kind: 'id', id: held })
      await store.lease(request)
      const young = await store.add(
        submissionTo(['c@three.test'], { expiresAt: 2_000_001, dueAt: 1_500_000 }),
      )
      await store.catchUp(times)
      expect(await store.get(held)).toMatchObject({ state: 'held', expiresAt: 1_000_000 })
      expect(await store.get(leased)).toMatchObject({ state: 'leased', expiresAt: 1_000_000 })
      expect(await store.get(young.entryIds[0] ?? '')).toMatchObject({
        expiresAt: 2_000_001,
        dueAt: 1_500_000,
      })
    })

    test('more entries than fit in a page are all caught up', async () => {
      const recipients = Array.from({ length: 2_500 }, (_, index) => `u${index}@example.test`)
      await store.add(submissionTo(recipients, { dueAt: 9e6 }))
      await store.catchUp(times)
      const { entries } = await store.list({ selector: { kind: 'all' }, limit: 1_000 })
      expect(new Set(entries.map(({ dueAt, expiresAt }) => `${dueAt} ${expiresAt}`))).toEqual(
        new Set(['2000000 3000000']),
      )
      expect(
        (await store.lease({ ...request, now: 2_000_000, until: 9e6, max: 5_000, perSite: 5_000 })).length,
      ).toBe(2_500)
    })
  })

  describe('sites', () => {
    test('the entries of domains placed at one site share its room, old ones and new ones', async () => {
      await add('a@one.test', 'b@two.test')
      await store.place('one.test', 'mx.test')
      await store.place('two.test', 'mx.test')
      await add('c@one.test')
      expect(await leaseIds({ room: new Map([['mx.test', 0]]) })).toEqual([])
      const leased = await store.lease({ ...request, perSite: 2 })
      expect(leased.map(({ entry }) => entry.site)).toEqual(['mx.test', 'mx.test'])
    })

    test('what waits when its domain is placed is due at the site', async () => {
      const id = await addOne('a@one.test')
      await store.place('one.test', 'mx.test')
      expect(await store.nextDue(new Map())).toBe(1_000)
      expect(await leaseIds()).toEqual([id])
    })

    test('an entry leased while its domain was placed is at the site when it is ready again', async () => {
      const id = await addOne('a@one.test')
      await store.lease(request)
      await store.place('one.test', 'mx.test')
      await store.settle(deferral(id))
      expect((await store.get(id))?.site).toBe('mx.test')
    })

    test('a domain can move to another site', async () => {
      await store.place('one.test', 'old.test')
      await store.place('one.test', 'new.test')
      const id = await addOne('a@one.test')
      expect((await store.get(id))?.site).toBe('new.test')
    })

    test('a site in trouble gives nothing before its time, then one probe, and another when that is settled', async () => {
      const ids = await add('a@one.test', 'b@one.test', 'c@one.test')
      const site = unroutedSite('one.test')
      await store.siteFailed(site, trouble)
      expect(await leaseIds({ now: 9_999 })).toEqual([])
      const [probe, ...others] = await store.lease({ ...request, now: 10_000 })
      expect(probe).toMatchObject({ entry: { id: ids[0] }, trouble })
      expect(others).toEqual([])
      expect(await leaseIds({ now: 10_001 })).toEqual([])
      await store.settle(deferral(ids[0] ?? '', { dueAt: 50_000 }))
      expect(await leaseIds({ now: 10_002 })).toEqual([ids[1]])
    })

    test('a probe given back lets the next one go', async () => {
      const ids = await add('a@one.test', 'b@one.test')
      await store.siteFailed(unroutedSite('one.test'), trouble)
      await store.lease({ ...request, now: 10_000 })
      await store.giveBack([ids[0] ?? ''], 'me')
      expect(await leaseIds({ now: 10_001 })).toEqual([ids[0]])
    })

    test('a site that works gives everything at once', async () => {
      const ids = await add('a@one.test', 'b@one.test')
      await store.siteFailed(unroutedSite('one.test'), trouble)
      await store.siteWorks(unroutedSite('one.test'))
      expect(await leaseIds()).toEqual(ids)
    })

    test('trouble of one site is no trouble of another', async () => {
      const [, free] = await add('a@one.test', 'b@two.test')
      await store.siteFailed(unroutedSite('one.test'), trouble)
      expect(await leaseIds()).toEqual([free])
    })
  })

  describe('when something is due', () => {
    test('nothing waits: null', async () => {
      expect(await store.nextDue(new Map())).toBeNull()
    })

    test('the earliest of the sites that have room', async () => {
      await store.add(submissionTo(['a@one.test'], { dueAt: 3_000 }))
      await store.add(submissionTo(['b@two.test'], { dueAt: 4_000 }))
      expect(await store.nextDue(new Map())).toBe(3_000)
      expect(await store.nextDue(new Map([['@one.test', 0]]))).toBe(4_000)
      await store.siteFailed('@one.test', trouble)
      await store.siteFailed('@two.test', { ...trouble, until: 11_000 })
      expect(await store.nextDue(new Map())).toBe(10_000)
    })

    test('a notice counts too', async () => {
      await store.add(submissionTo(['a@one.test'], { dueAt: 9_000, warnAt: 4_000 }))
      expect(await store.nextDue(new Map([['@one.test', 0]]))).toBe(4_000)
    })

    test('whoever waits is told of what is added, released and retried', async () => {
      await store.changed().catch(() => {})
      for (const act of [
        () => add('a@one.test'),
        () => store.retryNow(all, 3_000),
        () => store.hold(all).then(() => store.release(all, 3_000)),
      ]) {
        const told = store.changed()
        await act()
        await told
      }
    })

    test('what changes while nobody waits is told to the next who does', async () => {
      await store.changed()
      await add('a@one.test')
      await store.changed()
    })

    test('waiting ends with the reason of the signal', async () => {
      await store.changed()
      const reason = new Error('stop')
      const controller = new AbortController()
      const told = store.changed(controller.signal)
      controller.abort(reason)
      await expect(told).rejects.toBe(reason)
    })
  })

  describe('looking', () => {
    test('a page holds so many, and says where the next begins', async () => {
      const ids = await add(...Array.from({ length: 5 }, (_, n) => `u${n}@one.test`))
      const first = await store.list({ selector: all, limit: 2 })
      const second = await store.list({ selector: all, limit: 2, after: first.next ?? '' })
      const third = await store.list({ selector: all, limit: 2, after: second.next ?? '' })
      expect([first, second, third].map(({ entries }) => entries.map(({ id }) => id))).toEqual([
        ids.slice(0, 2),
        ids.slice(2, 4),
        ids.slice(4),
      ])
      expect(third.next).toBeNull()
    })

    test.each([
      [{ kind: 'domain', domain: 'one.test' }, ['a@one.test', 'b@one.test']],
      [{ kind: 'to', address: parseAddress('b@two.test') }, ['b@two.test']],
      [{ kind: 'from', reversePath: parseAddress('alice@sender.test') }, ['a@one.test', 'b@one.test']],
      [{ kind: 'from', reversePath: null }, ['b@two.test', 'c@three.test']],
      [{ kind: 'id', id: 'nonsense' }, []],
      [{ kind: 'id', id: 'ZZZZ' }, []],
    ] as const)('%j selects', async (selector, expected) => {
      await add('a@one.test', 'b@one.test')
      await store.add(submissionTo(['b@two.test', 'c@three.test'], { reversePath: null }))
      const first = await store.list({ selector, limit: 1 })
      const rest =
        first.next === null ? [] : (await store.list({ selector, limit: 9, after: first.next })).entries
      expect(
        [...first.entries, ...rest].map(
          ({ recipient: { address } }) => `${address.localPart}@${address.domain}`,
        ),
      ).toEqual(expected)
    })

    test('an id selects an entry, or all of a submission', async () => {
      await add('x@one.test')
      const { submissionId, entryIds } = await store.add(submissionTo(['a@one.test', 'b@one.test']))
      const select = async (id: string) =>
        (await store.list({ selector: { kind: 'id', id }, limit: 9 })).entries.map((entry) => entry.id)
      expect(await select(submissionId)).toEqual(entryIds)
      expect(await select(entryIds[1] ?? '')).toEqual([entryIds[1]])
    })

    test('states narrow it down, and are counted', async () => {
      const [ready = '', held = '', leased = ''] = await add('a@one.test', 'b@two.test', 'c@three.test')
      await store.hold({ kind: 'id', id: held })
      await store.lease({ ...request, room: new Map([['@one.test', 0]]) })
      const select = async (...states: ('ready' | 'held' | 'leased' | 'dead')[]) =>
        (await store.list({ selector: all, states, limit: 9 })).entries.map(({ id }) => id)
      expect(await select('ready')).toEqual([ready])
      expect(await select('held', 'leased')).toEqual([held, leased])
      expect(await select('dead')).toEqual([])
      expect(await store.counts()).toEqual({ ready: 1, leased: 1, held: 1, dead: 0 })
    })

    test('the statistics name the oldest, the next and the busiest', async () => {
      await store.add(submissionTo(['a@one.test'], { createdAt: 500, dueAt: 3_000 }))
      await add('b@two.test', 'c@two.test')
      await store.siteFailed('@one.test', trouble)
      expect(await store.stats()).toEqual({
        counts: { ready: 3, leased: 0, held: 0, dead: 0 },
        submissions: 2,
        oldestReadyAt: 500,
        nextDueAt: 1_000,
        sites: [
          { site: '@two.test', ready: 2, trouble: null },
          { site: '@one.test', ready: 1, trouble },
        ],
      })
    })

    test('what does not exist is null or empty', async () => {
      expect(await store.get('ZZZZ-1')).toBeNull()
      expect(await store.get('nonsense')).toBeNull()
      expect(await store.history('ZZZZ-1')).toEqual([])
    })
  })

  describe('steering', () => {
    test('a held entry waits, and a released one is due now', async () => {
      const id = await addOne('a@one.test')
      expect(await store.hold(all)).toEqual({ changed: 1, leased: 0 })
      expect(await leaseIds()).toEqual([])
      expect(await store.nextDue(new Map())).toBeOneOf([null, 1_000])
      expect(await store.release(all, 7_000)).toEqual({ changed: 1, leased: 0 })
      expect(await store.get(id)).toMatchObject({ state: 'ready', dueAt: 7_000 })
    })

    test('a leased entry is left alone, and said to be', async () => {
      const id = await addOne('a@one.test')
      await store.lease(request)
      for (const act of [store.hold(all), store.release(all, 1), store.cancel(all), store.retryNow(all, 1)]) {
        expect(await act).toEqual({ changed: 0, leased: 1 })
      }
      expect(await stateOf(id)).toBe('leased')
    })

    test('a cancelled entry is gone, others stay', async () => {
      const [, second] = await add('a@one.test', 'b@two.test')
      expect(await store.cancel({ kind: 'domain', domain: 'one.test' })).toEqual({ changed: 1, leased: 0 })
      expect((await store.list({ selector: all, limit: 9 })).entries.map(({ id }) => id)).toEqual([second])
    })

    test('a retried entry is due now although its site is in trouble', async () => {
      const id = await addOne('a@one.test')
      await store.lease(request)
      await store.siteFailed('@one.test', { ...trouble, until: 500_000 })
      await store.settle(deferral(id, { dueAt: 400_000 }))
      expect(await store.retryNow(all, 3_000)).toEqual({ changed: 1, leased: 0 })
      expect(await leaseIds({ now: 3_000 })).toEqual([id])
    })

    test('a dead entry that is retried lives an hour longer', async () => {
      const id = await addOne('a@one.test')
      await store.lease(request)
      await store.settle({ kind: 'failed', id, owner: 'me', attempt, keep: true, last: greylisted })
      expect(await store.retryNow({ kind: 'id', id }, 2_000_000)).toEqual({ changed: 1, leased: 0 })
      expect(await store.get(id)).toMatchObject({ state: 'ready', dueAt: 2_000_000, expiresAt: 5_600_000 })
    })

    test('a held entry is not retried', async () => {
      await add('a@one.test')
      await store.hold(all)
      expect(await store.retryNow(all, 3_000)).toEqual({ changed: 0, leased: 0 })
    })

    test('more entries than one page are all steered', async () => {
      await store.add(submissionTo(Array.from({ length: 2_100 }, (_, n) => `u${n}@one.test`)))
      expect(await store.hold(all)).toEqual({ changed: 2_100, leased: 0 })
      expect(await store.cancel(all)).toEqual({ changed: 2_100, leased: 0 })
      expect(await store.counts()).toEqual({ ready: 0, leased: 0, held: 0, dead: 0 })
    })
  })

  test('a closed store refuses', async () => {
    await store.close()
    await expect(store.counts()).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
    await expect(addOne('a@one.test')).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
  })

  test('a closed store begins nothing', async () => {
    const id = await addOne('a@one.test')
    await store.lease(request)
    await store.close()
    await expect(store.begin(id, 'me')).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
  })
}
