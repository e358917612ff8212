/**
 * The queue on SQLite: a thread owns the database; contents above a limit are files; a file wakes other processes.
 * One rule: nothing is done here that the contract (../store.ts) does not say; what it costs is decided in the parts.
 */
import type { Message } from '../../mail/message.ts'
import type { AttemptRecord, QueueEntry } from '../entry.ts'
import { QueueDamagedError } from '../errors.ts'
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
} from '../store.ts'
import type { Addition, PreparedSubmission } from './adding.ts'
import { Begun } from './begun.ts'
import { Changes } from './changes.ts'
import { Contents } from './contents.ts'
import { errorOf, failureOf } from './failures.ts'
import type { OpenRequest } from './open-database.ts'
import { filesOf, memoryOf, prepare } from './preparing.ts'
import type { PreparedSettlement } from './settling.ts'
import type { SteeredPage, Steering } from './steering.ts'
import { DatabaseThread } from './thread.ts'

/** How a queue directory is used. */
export interface SqliteQueueOptions {
  /** `daemon`: leases and delivers, one for each directory. `visitor` (default): adds, looks and steers. */
  readonly role?: 'daemon' | 'visitor'
  /** Make the directory if there is none. Default true. */
  readonly create?: boolean
  /**
   * Octets of the disk that submissions leave free, so that what the queue holds can still be worked off. Default
   * 32 MiB: the log of the database grows to 8 MiB before it is folded in, and the tables by as much, and twice that.
   */
  readonly reserveOctets?: number
}

const DEFAULT_RESERVE_OCTETS = 32 * 1024 * 1024

/** Entries that a command changes in one transaction; about ten milliseconds. */
const STEERED_AT_ONCE = 1_000

/** RFC 5321 §4.5.4.1 lets mail wait five days; a key is remembered longer than anything can wait. */
const KEY_LIFE_MS = 7 * 24 * 3_600_000

/** Lanes tidied up in one transaction. */
const TIDIED_AT_ONCE = 500

/**
 * Opens a queue directory, which must be on a local disk. Times are taken from the calls; `now` is for housekeeping.
 * @throws {QueueError} unwritable, locked by another daemon, damaged, full
 */
export async function openSqliteQueue(dir: string, options: SqliteQueueOptions = {}): Promise<SqliteQueue> {
  const request: OpenRequest = { dir, role: options.role ?? 'visitor', create: options.create ?? true }
  const thread = await DatabaseThread.open(request)
  return new SqliteQueue(thread, {
    dir,
    isDaemon: request.role === 'daemon',
    reserveOctets: options.reserveOctets ?? DEFAULT_RESERVE_OCTETS,
  })
}

/** A queue directory. Close it. */
export class SqliteQueue implements QueueStore {
  readonly #thread: DatabaseThread
  readonly #contents: Contents
  readonly #begun: Begun
  readonly #changes: Changes
  readonly #dir: string

  /** Use `openSqliteQueue`. */
  constructor(
    thread: DatabaseThread,
    {
      dir,
      isDaemon,
      reserveOctets,
    }: { readonly dir: string; readonly isDaemon: boolean; readonly reserveOctets: number },
  ) {
    this.#thread = thread
    this.#dir = dir
    this.#contents = new Contents(dir, reserveOctets)
    this.#begun = new Begun(dir)
    this.#changes = new Changes(dir, { isDaemon })
  }

  async add(submission: Submission): Promise<Added> {
    const prepared = await prepare(submission, this.#contents)
    let addition: Addition
    try {
      addition = await this.#thread.ask('add', prepared, memoryOf([prepared]))
    } catch (error) {
      await this.#contents.remove(filesOf([prepared]))
      throw error
    }
    if (addition.added.isRepeated) await this.#contents.remove(filesOf([prepared]))
    if (addition.isSooner) await this.#changes.tell()
    return addition.added
  }

  async lease(request: LeaseRequest): Promise<readonly LeasedEntry[]> {
    this.#note(() => this.#begun.open(request.owner))
    return this.#thread.ask('lease', request)
  }

  async leaseNotices(
    request: Pick<LeaseRequest, 'owner' | 'now' | 'until' | 'max'>,
  ): Promise<readonly LeasedEntry[]> {
    this.#note(() => this.#begun.open(request.owner))
    return this.#thread.ask('leaseNotices', request)
  }

  async begin(id: string, owner: string): Promise<void> {
    this.#note(() => this.#begun.begin(id, owner))
  }

  async settle(settlement: Settlement): Promise<boolean> {
    const reports: PreparedSubmission[] = []
    let isSettled = false
    try {
      for (const report of settlement.reports ?? []) reports.push(await prepare(report, this.#contents))
      const settled = await this.#thread.ask(
        'settle',
        { ...settlement, reports } as PreparedSettlement,
        memoryOf(reports),
      )
      isSettled = settled.isSettled
      this.#begun.end(settlement.id, settlement.owner, { isGone: settlement.kind === 'delivered' })
      if (settled.isSooner) this.#changes.note()
      await this.#contents.remove(settled.unneededFiles)
    } finally {
      if (!isSettled) await this.#contents.remove(filesOf(reports))
    }
    return isSettled
  }

  async giveBack(ids: readonly string[], owner: string): Promise<void> {
    await this.#thread.ask('giveBack', { ids, owner })
    for (const id of ids) this.#begun.end(id, owner, { isGone: false })
  }

  extend(owner: string, until: number): Promise<void> {
    return this.#thread.ask('extend', { owner, until })
  }

  async reclaim(options: Parameters<QueueStore['reclaim']>[0]): Promise<number> {
    const begun = this.#note(() => this.#begun.read())
    let reclaimed = 0
    for (let some = -1; some !== 0; reclaimed += some) {
      some = await this.#thread.ask('reclaim', { ...options, begun })
    }
    const { survivor } = options
    if (survivor !== undefined) this.#note(() => this.#begun.removeOthers(survivor))
    return reclaimed
  }

  async catchUp(times: Parameters<QueueStore['catchUp']>[0]): Promise<void> {
    while ((await this.#thread.ask('catchUp', times)) > 0) {
      // A page at a time, so that nobody waits for long.
    }
  }

  place(domain: string, site: string): Promise<void> {
    return this.#thread.ask('place', { domain, site })
  }

  siteFailed(site: string, trouble: SiteTrouble): Promise<void> {
    return this.#thread.ask('siteFailed', { site, trouble })
  }

  siteWorks(site: string): Promise<void> {
    return this.#thread.ask('siteWorks', { site })
  }

  nextDue(room: ReadonlyMap<string, number>): Promise<number | null> {
    return this.#thread.ask('nextDue', { full: [...room].flatMap(([site, left]) => (left <= 0 ? site : [])) })
  }

  changed(signal?: AbortSignal): Promise<void> {
    return this.#changes.next(signal)
  }

  async content(submissionId: string): Promise<Message> {
    const stored = await this.#thread.ask('content', { submissionId })
    if (stored === null) {
      throw new QueueDamagedError(
        this.#dir,
        `There is no content ${submissionId} in the queue in ${this.#dir}`,
      )
    }
    return this.#contents.read(stored)
  }

  get(id: string): Promise<QueueEntry | null> {
    return this.#thread.ask('get', { id })
  }

  history(id: string): Promise<readonly AttemptRecord[]> {
    return this.#thread.ask('history', { id })
  }

  list(query: Parameters<QueueStore['list']>[0]): Promise<EntryPage> {
    return this.#thread.ask('list', query)
  }

  counts(): Promise<QueueCounts> {
    return this.#thread.ask('counts', undefined)
  }

  stats(): Promise<QueueStats> {
    return this.#thread.ask('stats', undefined)
  }

  hold(selector: Selector): Promise<Steered> {
    return this.#steer({ act: 'hold', selector, now: 0 })
  }

  release(selector: Selector, now: number): Promise<Steered> {
    return this.#steer({ act: 'release', selector, now })
  }

  cancel(selector: Selector): Promise<Steered> {
    return this.#steer({ act: 'cancel', selector, now: 0 })
  }

  retryNow(selector: Selector, now: number): Promise<Steered> {
    return this.#steer({ act: 'retry', selector, now })
  }

  /** Removes what is of no more use: files that a crash has left, old idempotency keys, sites nothing waits for. */
  async tidy(now: number): Promise<void> {
    await this.#contents.removeRubbish(now, (files) => this.#thread.ask('orphans', { files }))
    await this.#thread.ask('forgetKeys', { before: now - KEY_LIFE_MS })
    while (await this.#thread.ask('tidyLanes', { limit: TIDIED_AT_ONCE })) {
      // A page at a time, so that nobody waits for long.
    }
  }

  async close(): Promise<void> {
    this.#changes.close()
    await this.#thread.close()
    this.#begun.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @throws {QueueError} */
  #note<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw errorOf(failureOf(error), this.#dir)
    }
  }

  async #steer(steering: Omit<Steering, 'limit'>): Promise<Steered> {
    let changed = 0
    let leased = 0
    let after: string | null = null
    do {
      const page: SteeredPage = await this.#thread.ask('steer', {
        ...steering,
        limit: STEERED_AT_ONCE,
        ...(after === null ? {} : { after }),
      })
      changed += page.changed
      leased += page.leased
      after = page.next
      await this.#contents.remove(page.unneededFiles)
    } while (after !== null)
    if (changed > 0) await this.#changes.tell()
    return { changed, leased }
  }
}
