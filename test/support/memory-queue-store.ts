/** A queue store in memory, for tests of what stands on one. It passes the conformance suite; nothing in it is durable. */

import type { Message } from '../../src/mail/message.ts'
import type { AttemptRecord, LastTrouble, QueueEntry } from '../../src/queue/entry.ts'
import { isUnrouted, unroutedSite } from '../../src/queue/entry.ts'
import { QueueClosedError, QueueDamagedError } from '../../src/queue/errors.ts'
import type {
  Added,
  EntryPage,
  LeasedEntry,
  LeaseRequest,
  QueueCounts,
  QueueStats,
  QueueStore,
  Selector,
  Settlement,
  SiteTrouble,
  Steered,
  Submission,
} from '../../src/queue/store.ts'

interface Kept {
  entry: QueueEntry
  warnAt: number | null
  isBegun: boolean
  readonly history: AttemptRecord[]
}

interface SiteState {
  trouble: SiteTrouble | null
  notBefore: number
}

/** Holds what is in the queue in plain view of a test. */
export class MemoryQueueStore implements QueueStore {
  readonly #entries = new Map<string, Kept>()
  readonly #contents = new Map<string, Message>()
  readonly #keys = new Map<string, Added>()
  readonly #places = new Map<string, string>()
  readonly #sites = new Map<string, SiteState>()
  #submissions = 0
  #isClosed = false
  #hasChanged = true
  #onChange: (() => void) | null = null

  /** Every call waits for it; a test may let it throw. */
  beforeCall: (name: string) => void | Promise<void> = () => {}

  async add(submission: Submission): Promise<Added> {
    await this.#enter('add')
    const message = await kept(submission.message)
    const { idempotencyKey } = submission
    const known = idempotencyKey === undefined ? undefined : this.#keys.get(idempotencyKey)
    if (known !== undefined) return { ...known, isRepeated: true }
    const added = this.#insert(submission, message)
    if (idempotencyKey !== undefined) this.#keys.set(idempotencyKey, added)
    this.#change()
    return added
  }

  #insert(submission: Submission, message: Message): Added {
    const submissionId = `M${++this.#submissions}`
    this.#contents.set(submissionId, message)
    const entryIds = submission.recipients.map((recipient, index) => {
      const id = `${submissionId}-${index + 1}`
      const warnAt = submission.warnAt ?? null
      const entry: QueueEntry = {
        id,
        submissionId,
        messageId: message.messageId,
        size: message.size,
        recipient,
        reversePath: submission.reversePath,
        envid: submission.envid ?? null,
        ret: submission.ret ?? null,
        state: 'ready',
        uncertain: false,
        attempts: 0,
        createdAt: submission.createdAt,
        dueAt: submission.dueAt ?? submission.createdAt,
        expiresAt: submission.expiresAt,
        isDelayWarned: warnAt === null,
        last: null,
        site: this.#siteOf(recipient.address.domain),
        sourceAddress: null,
        lease: null,
      }
      this.#entries.set(id, { entry, warnAt, isBegun: false, history: [] })
      return id
    })
    return { submissionId, entryIds, isRepeated: false }
  }

  async lease({ owner, now, until, max, perSite, room }: LeaseRequest): Promise<readonly LeasedEntry[]> {
    await this.#enter('lease')
    const due = this.#ready().filter(
      ({ entry }) => entry.dueAt <= now && this.#stateOf(entry.site).notBefore <= now,
    )
    const bySite = Map.groupBy(
      due.sort((one, other) => one.entry.dueAt - other.entry.dueAt),
      ({ entry }) => entry.site,
    )
    const leased: LeasedEntry[] = []
    for (const [site, waiting] of bySite) {
      const state = this.#stateOf(site)
      const limit = room.get(site) ?? perSite
      const most = Math.min(state.trouble === null ? limit : Math.min(limit, 1), max - leased.length)
      for (const one of waiting.slice(0, Math.max(0, most))) {
        leased.push(claim(one, { owner, until }, state.trouble))
        if (state.trouble !== null) state.notBefore = until
      }
    }
    return leased
  }

  async leaseNotices({
    owner,
    now,
    until,
    max,
  }: Pick<LeaseRequest, 'owner' | 'now' | 'until' | 'max'>): Promise<readonly LeasedEntry[]> {
    await this.#enter('leaseNotices')
    return this.#ready()
      .filter((one) => noticeAt(one) <= now)
      .slice(0, max)
      .map((one) => claim(one, { owner, until }, this.#stateOf(one.entry.site).trouble))
  }

  async begin(id: string, owner: string): Promise<void> {
    await this.#enter('begin')
    const one = this.#entries.get(id)
    if (one?.entry.lease?.owner === owner) one.isBegun = true
  }

  async settle(settlement: Settlement): Promise<boolean> {
    await this.#enter('settle')
    const one = this.#entries.get(settlement.id)
    if (one === undefined || one.entry.lease?.owner !== settlement.owner) return false
    for (const report of settlement.reports ?? []) this.#insert(report, await kept(report.message))
    this.#allowProbe(one.entry.site)
    if (settlement.kind === 'delivered' || (settlement.kind === 'failed' && !settlement.keep)) {
      this.#remove(one.entry)
    } else {
      const { attempt, last } = settlement
      if (attempt !== null) record(one, attempt)
      one.entry = { ...one.entry, last: last ?? one.entry.last }
      if (settlement.kind === 'failed') one.entry = { ...one.entry, state: 'dead', lease: null }
      else this.#defer(one, settlement)
    }
    if (settlement.reports?.length) this.#change()
    return true
  }

  #defer(one: Kept, settlement: Extract<Settlement, { kind: 'deferred' }>): void {
    if (settlement.isDelayWarned) one.warnAt = null
    one.entry = {
      ...one.entry,
      uncertain: one.entry.uncertain || settlement.uncertain,
      sourceAddress: settlement.sourceAddress ?? one.entry.sourceAddress,
      isDelayWarned: one.warnAt === null,
    }
    this.#endLease(one, settlement)
  }

  async giveBack(ids: readonly string[], owner: string): Promise<void> {
    await this.#enter('giveBack')
    for (const id of ids) {
      const one = this.#entries.get(id)
      if (one?.entry.lease?.owner !== owner) continue
      this.#allowProbe(one.entry.site)
      this.#endLease(one, { dueAt: one.entry.dueAt, hold: false })
    }
  }

  async extend(owner: string, until: number): Promise<void> {
    await this.#enter('extend')
    for (const one of this.#entries.values()) {
      if (one.entry.lease?.owner === owner) one.entry = { ...one.entry, lease: { owner, until } }
    }
  }

  async reclaim({ now, survivor, dueAt, hold }: Parameters<QueueStore['reclaim']>[0]): Promise<number> {
    await this.#enter('reclaim')
    let reclaimed = 0
    for (const one of this.#entries.values()) {
      const { lease } = one.entry
      if (lease === null || (lease.until > now && (survivor === undefined || lease.owner === survivor)))
        continue
      reclaimed++
      this.#allowProbe(one.entry.site)
      if (!one.isBegun) {
        this.#endLease(one, { dueAt: one.entry.dueAt, hold: false })
        continue
      }
      const lost = { stage: 'end-of-data', status: '4.4.2', diagnostic: 'lost' } as const
      record(one, {
        ...lost,
        startedAt: now,
        durationMs: 0,
        outcome: 'lost',
        uncertain: true,
        reply: null,
        targets: [],
      })
      const last: LastTrouble = { ...lost, at: now, isReply: false, exchanger: null, ip: null }
      one.entry = { ...one.entry, uncertain: true, last }
      this.#endLease(one, { dueAt, hold })
    }
    return reclaimed
  }

  async catchUp({ now, graceUntil, latestDueAt }: Parameters<QueueStore['catchUp']>[0]): Promise<void> {
    await this.#enter('catchUp')
    for (const one of this.#ready()) {
      if (one.entry.expiresAt <= now) one.entry = { ...one.entry, expiresAt: graceUntil }
      if (one.entry.dueAt > latestDueAt) one.entry = { ...one.entry, dueAt: now }
    }
    for (const site of this.#sites.values()) {
      if (Math.max(site.notBefore, site.trouble?.until ?? 0) <= latestDueAt) continue
      site.notBefore = 0
      site.trouble = null
    }
  }

  async place(domain: string, site: string): Promise<void> {
    await this.#enter('place')
    this.#places.set(domain, site)
    for (const one of this.#ready()) {
      if (one.entry.recipient.address.domain === domain && isUnrouted(one.entry.site)) {
        one.entry = { ...one.entry, site }
      }
    }
  }

  async siteFailed(site: string, trouble: SiteTrouble): Promise<void> {
    await this.#enter('siteFailed')
    this.#sites.set(site, { trouble, notBefore: trouble.until })
  }

  async siteWorks(site: string): Promise<void> {
    await this.#enter('siteWorks')
    this.#sites.delete(site)
  }

  async nextDue(room: ReadonlyMap<string, number>): Promise<number | null> {
    await this.#enter('nextDue')
    const ready = this.#ready()
    const times = ready
      .filter(({ entry }) => (room.get(entry.site) ?? 1) > 0)
      .map(({ entry }) => Math.max(entry.dueAt, this.#stateOf(entry.site).notBefore))
    const earliest = Math.min(...times, ...ready.map(noticeAt))
    return Number.isFinite(earliest) ? earliest : null
  }

  changed(signal?: AbortSignal): Promise<void> {
    if (this.#hasChanged) {
      this.#hasChanged = false
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#onChange = resolve
    })
  }

  async content(submissionId: string): Promise<Message> {
    await this.#enter('content')
    const content = this.#contents.get(submissionId)
    if (content === undefined) throw new QueueDamagedError('memory', `There is no content ${submissionId}`)
    return content
  }

  async get(id: string): Promise<QueueEntry | null> {
    await this.#enter('get')
    return this.#entries.get(id)?.entry ?? null
  }

  async history(id: string): Promise<readonly AttemptRecord[]> {
    await this.#enter('history')
    return this.#entries.get(id)?.history ?? []
  }

  async list({ selector, states, after, limit }: Parameters<QueueStore['list']>[0]): Promise<EntryPage> {
    await this.#enter('list')
    const all = this.#select(selector)
      .map(({ entry }) => entry)
      .filter(({ state }) => states?.includes(state) ?? true)
    const begin = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
    const entries = all.slice(begin, begin + limit)
    return { entries, next: begin + limit < all.length ? (entries.at(-1)?.id ?? null) : null }
  }

  async counts(): Promise<QueueCounts> {
    await this.#enter('counts')
    const counts = { ready: 0, leased: 0, held: 0, dead: 0 }
    for (const { entry } of this.#entries.values()) counts[entry.state]++
    return counts
  }

  async stats(): Promise<QueueStats> {
    const bySite = Map.groupBy(this.#ready(), ({ entry }) => entry.site)
    return {
      counts: await this.counts(),
      submissions: this.#contents.size,
      oldestReadyAt: this.#ready()[0]?.entry.createdAt ?? null,
      nextDueAt: await this.nextDue(new Map()),
      sites: [...bySite]
        .map(([site, ready]) => ({ site, ready: ready.length, trouble: this.#stateOf(site).trouble }))
        .sort((one, other) => other.ready - one.ready)
        .slice(0, 20),
    }
  }

  hold(selector: Selector): Promise<Steered> {
    return this.#steer(selector, (one) => {
      if (one.entry.state !== 'ready') return false
      one.entry = { ...one.entry, state: 'held' }
      return true
    })
  }

  release(selector: Selector, now: number): Promise<Steered> {
    return this.#steer(selector, (one) => one.entry.state === 'held' && this.#makeDue(one, now))
  }

  cancel(selector: Selector): Promise<Steered> {
    return this.#steer(selector, (one) => {
      this.#remove(one.entry)
      return true
    })
  }

  retryNow(selector: Selector, now: number): Promise<Steered> {
    return this.#steer(selector, (one) => {
      if (one.entry.state === 'held') return false
      this.#stateOf(one.entry.site).notBefore = 0
      return this.#makeDue(one, now)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #enter(name: string): Promise<void> {
    if (this.#isClosed) throw new QueueClosedError('memory', 'The queue in memory is closed')
    await this.beforeCall(name)
  }

  async #steer(selector: Selector, act: (one: Kept) => boolean): Promise<Steered> {
    await this.#enter('steer')
    let changed = 0
    let leased = 0
    for (const one of this.#select(selector)) {
      if (one.entry.state === 'leased') leased++
      else if (act(one)) changed++
    }
    this.#change()
    return { changed, leased }
  }

  #makeDue(one: Kept, now: number): true {
    const { expiresAt } = one.entry
    one.entry = { ...one.entry, expiresAt: expiresAt <= now ? now + 3_600_000 : expiresAt }
    this.#endLease(one, { dueAt: now, hold: false })
    return true
  }

  #endLease(one: Kept, { dueAt, hold }: { readonly dueAt: number; readonly hold: boolean }): void {
    const site = this.#siteOf(one.entry.recipient.address.domain)
    one.entry = { ...one.entry, state: hold ? 'held' : 'ready', dueAt, site, lease: null }
  }

  #allowProbe(site: string): void {
    const state = this.#stateOf(site)
    if (state.trouble !== null) state.notBefore = state.trouble.until
  }

  #remove({ id, submissionId }: QueueEntry): void {
    this.#entries.delete(id)
    const isNeeded = [...this.#entries.values()].some(({ entry }) => entry.submissionId === submissionId)
    if (!isNeeded) this.#contents.delete(submissionId)
  }

  #siteOf(domain: string): string {
    return this.#places.get(domain) ?? unroutedSite(domain)
  }

  #stateOf(site: string): SiteState {
    let state = this.#sites.get(site)
    if (state === undefined) {
      state = { trouble: null, notBefore: 0 }
      this.#sites.set(site, state)
    }
    return state
  }

  #ready(): Kept[] {
    return [...this.#entries.values()].filter(({ entry }) => entry.state === 'ready')
  }

  #select(selector: Selector): Kept[] {
    return [...this.#entries.values()].filter(({ entry }) => isSelected(entry, selector))
  }

  #change(): void {
    const onChange = this.#onChange
    this.#onChange = null
    if (onChange === null) this.#hasChanged = true
    else onChange()
  }
}

function claim(
  one: Kept,
  lease: { readonly owner: string; readonly until: number },
  trouble: SiteTrouble | null,
): LeasedEntry {
  one.entry = { ...one.entry, state: 'leased', lease }
  one.isBegun = false
  return { entry: one.entry, trouble }
}

function noticeAt({ entry, warnAt }: Kept): number {
  return Math.min(entry.expiresAt, warnAt ?? entry.expiresAt)
}

function record(one: Kept, attempt: Omit<AttemptRecord, 'number'>): void {
  one.history.push({ number: one.history.length + 1, ...attempt })
  one.entry = { ...one.entry, attempts: one.history.length }
}

/** A stream can be read once more only if it is kept. */
async function kept(message: Message): Promise<Message> {
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  const content = Buffer.concat(chunks)
  const { messageId, size, requires } = message
  return {
    messageId,
    size,
    requires,
    content,
    async *open() {
      yield content
    },
  }
}

function isSelected(entry: QueueEntry, selector: Selector): boolean {
  switch (selector.kind) {
    case 'all':
      return true
    case 'id':
      return entry.id === selector.id || entry.submissionId === selector.id
    case 'domain':
      return entry.recipient.address.domain === selector.domain
    case 'to':
      return isSame(entry.recipient.address, selector.address)
    case 'from':
      return isSame(entry.reversePath, selector.reversePath)
    default:
      return selector satisfies never
  }
}

function isSame(one: QueueEntry['reversePath'], other: QueueEntry['reversePath']): boolean {
  return one?.localPart === other?.localPart && one?.domain === other?.domain
}
