/** The store that a test works on, and what most tests do with it. */
import { afterEach, beforeEach } from 'vitest'
import type { LeaseRequest, QueueStore, SiteTrouble } from '../../../src/queue/store.ts'
import { greylisted, submissionTo } from '../queue-submissions.ts'

/** Everything that is due, for `me`. */
export const request: LeaseRequest = {
  owner: 'me',
  now: 2_000,
  until: 60_000,
  max: 10,
  perSite: 10,
  room: new Map(),
}

/** A site that does not answer until 10,000. */
export const trouble: SiteTrouble = { until: 10_000, since: 2_000, failures: 1, last: greylisted }

/** Selects every entry. */
export const all = { kind: 'all' } as const

/** An empty store, another one for each test. */
export interface StoreUnderTest {
  readonly store: QueueStore
  /** Adds a message. @returns the ids of its entries */
  add(...recipients: string[]): Promise<readonly string[]>
  addOne(recipient: string): Promise<string>
  /** The ids of what `request` leases, changed by `given`. */
  leaseIds(given?: Partial<LeaseRequest>): Promise<string[]>
  /** `null`: there is no such entry. */
  stateOf(id: string): Promise<string | null>
}

/** Opens a store before each test of the file, and closes it after. */
export function openForEachTest(openStore: () => Promise<QueueStore>): StoreUnderTest {
  let store: QueueStore
  beforeEach(async () => {
    store = await openStore()
  })
  afterEach(async () => {
    await store.close()
  })
  const add = async (...recipients: string[]): Promise<readonly string[]> =>
    (await store.add(submissionTo(recipients))).entryIds
  return {
    get store() {
      return store
    },
    add,
    addOne: async (recipient) => (await add(recipient))[0] ?? '',
    leaseIds: async (given = {}) =>
      (await store.lease({ ...request, ...given })).map(({ entry }) => entry.id),
    stateOf: async (id) => (await store.get(id))?.state ?? null,
  }
}
