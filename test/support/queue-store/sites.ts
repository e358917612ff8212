/** Domains at one site, and sites in trouble. */
import { describe, expect, test } from 'vitest'
import { unroutedSite } from '../../../src/queue/entry.ts'
import { deferral } from '../queue-submissions.ts'
import { request, type StoreUnderTest, trouble } from './store-under-test.ts'

/** Registers the tests. */
export function testSites(subject: StoreUnderTest): void {
  const { add, addOne, leaseIds } = subject

  describe('sites', () => {
    test('the entries of domains placed at one site share its room, old ones and new ones', async () => {
      await add('a@one.test', 'b@two.test')
      await subject.store.place('one.test', 'mx.test')
      await subject.store.place('two.test', 'mx.test')
      await add('c@one.test')
      expect(await leaseIds({ room: new Map([['mx.test', 0]]) })).toEqual([])
      const leased = await subject.store.lease({ ...request, perSite: 2 })
      expect(leased.map(({ entry }) => entry.site)).toEqual(['mx.test', 'mx.test'])
    })

    test('what waits when its domain is placed is due at the site', async () => {
      const id = await addOne('a@one.test')
      await subject.store.place('one.test', 'mx.test')
      expect(await subject.store.nextDue(new Map())).toBe(1_000)
      expect(await leaseIds()).toEqual([id])
    })

    test('an entry leased while its domain was placed is at the site when it is ready again', async () => {
      const id = await addOne('a@one.test')
      await subject.store.lease(request)
      await subject.store.place('one.test', 'mx.test')
      await subject.store.settle(deferral(id))
      expect((await subject.store.get(id))?.site).toBe('mx.test')
    })

    test('a domain can move to another site', async () => {
      await subject.store.place('one.test', 'old.test')
      await subject.store.place('one.test', 'new.test')
      const id = await addOne('a@one.test')
      expect((await subject.store.get(id))?.site).toBe('new.test')
    })

    test('a site in trouble gives nothing before its time, then one probe, and another when that is settled', async () => {
      const ids = await add('a@one.test', 'b@one.test', 'c@one.test')
      const site = unroutedSite('one.test')
      await subject.store.siteFailed(site, trouble)
      expect(await leaseIds({ now: 9_999 })).toEqual([])
      const [probe, ...others] = await subject.store.lease({ ...request, now: 10_000 })
      expect(probe).toMatchObject({ entry: { id: ids[0] }, trouble })
      expect(others).toEqual([])
      expect(await leaseIds({ now: 10_001 })).toEqual([])
      await subject.store.settle(deferral(ids[0] ?? '', { dueAt: 50_000 }))
      expect(await leaseIds({ now: 10_002 })).toEqual([ids[1]])
    })

    test('a probe given back lets the next one go', async () => {
      const ids = await add('a@one.test', 'b@one.test')
      await subject.store.siteFailed(unroutedSite('one.test'), trouble)
      await subject.store.lease({ ...request, now: 10_000 })
      await subject.store.giveBack([ids[0] ?? ''], 'me')
      expect(await leaseIds({ now: 10_001 })).toEqual([ids[0]])
    })

    test('a site that works gives everything at once', async () => {
      const ids = await add('a@one.test', 'b@one.test')
      await subject.store.siteFailed(unroutedSite('one.test'), trouble)
      await subject.store.siteWorks(unroutedSite('one.test'))
      expect(await leaseIds()).toEqual(ids)
    })

    test('trouble of one site is no trouble of another', async () => {
      const [, free] = await add('a@one.test', 'b@two.test')
      await subject.store.siteFailed(unroutedSite('one.test'), trouble)
      expect(await leaseIds()).toEqual([free])
    })
  })
}
