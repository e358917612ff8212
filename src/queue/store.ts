/**
 * The contract of a store: the seam behind which the queue's engine can be changed. `sqlite/` is the one there is;
 * `test/support/queue-store/conformance.ts` is what each must pass.
 *
 * One rule: when a promise resolves, what it says is on disk and survives SIGKILL and loss of power; when it rejects,
 * nothing of it happened. Every method rejects with a `QueueError`: full, unwritable, locked, damaged or closed.
 * Calls made together may share one commit; those of one caller take effect in the order made.
 */
import type { Address } from '../mail/address.ts'
import type { Message } from '../mail/message.ts'
import type { AttemptRecord, EntryState, LastTrouble, QueuedRecipient, QueueEntry } from './entry.ts'

/** A message to be queued for its recipients; all of it is accepted, or nothing. */
export interface Submission {
  /** Opened once if `content` is absent; read before `add` resolves. */
  readonly message: Message
  readonly reversePath: Address | null
  /** One entry each, in this order; 1 to 1,000,000, each mailbox once. */
  readonly recipients: readonly QueuedRecipient[]
  readonly envid?: string | null
  readonly ret?: 'FULL' | 'HDRS' | null
  readonly createdAt: number
  /** Default: `createdAt`, at once. */
  readonly dueAt?: number
  readonly expiresAt: number
  /** When a report of delay is due; `null` or absent: never. */
  readonly warnAt?: number | null
  /** A second submission with the same key is not queued again. Remembered for a week at least. */
  readonly idempotencyKey?: string
}

/** What became of a submission. */
export interface Added {
  readonly submissionId: string
  /** In the order of the recipients. */
  readonly entryIds: readonly string[]
  /** The idempotency key was known: these are the ids of the first time, and nothing was added. */
  readonly isRepeated: boolean
}

/** A claim on due entries. */
export interface LeaseRequest {
  readonly owner: string
  readonly now: number
  /** When the lease runs out unless it is extended. */
  readonly until: number
  /** Most entries altogether. */
  readonly max: number
  /** Most entries of a site that `room` does not name. */
  readonly perSite: number
  /** Most entries of these sites; 0 skips the site, at no cost that grows with what waits there. */
  readonly room: ReadonlyMap<string, number>
}

/** A site that could not be reached, told for all that waits for it. */
export interface SiteTrouble {
  /** No entry of the site is leased before. */
  readonly until: number
  /** Since when, and how many probes in a row have failed. */
  readonly since: number
  readonly failures: number
  readonly last: LastTrouble
}

/** A leased entry, with what is known of its site. */
export interface LeasedEntry {
  readonly entry: QueueEntry
  /** Not `null`: this is the probe, the only entry of the site that this lease gives. */
  readonly trouble: SiteTrouble | null
}

interface SettlementBase {
  readonly id: string
  /** Who leased it. */
  readonly owner: string
  /** What was tried; `null` when nothing was (a notice). */
  readonly attempt: Omit<AttemptRecord, 'number'> | null
  /** Reports to be queued in the same transaction: neither lost nor doubled by a crash. */
  readonly reports?: readonly Submission[]
}

/**
 * The end of a lease. `delivered` and `failed` without `keep`: the entry is gone, and its content with the last of a
 * submission; `keep`: dead. `deferred`: ready at `dueAt`, or held.
 */
export type Settlement =
  | (SettlementBase & { readonly kind: 'delivered' })
  | (SettlementBase & { readonly kind: 'failed'; readonly keep: boolean; readonly last: LastTrouble })
  | (SettlementBase & {
      readonly kind: 'deferred'
      readonly dueAt: number
      /** Adds to what the entry says; `false` does not take it back. */
      readonly uncertain: boolean
      readonly hold: boolean
      /** `null` leaves what is there. */
      readonly last: LastTrouble | null
      readonly sourceAddress: string | null
      /** No (further) report of delay is to be made. */
      readonly isDelayWarned: boolean
    })

/** Which entries. An id may be an entry's or a submission's (all its entries). Domains are lower-case A-labels. */
export type Selector =
  | { readonly kind: 'all' }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'from'; readonly reversePath: Address | null }
  | { readonly kind: 'to'; readonly address: Address }

/** What an operator's command did; commands take effect in parts of about a thousand entries. */
export interface Steered {
  readonly changed: number
  /** Selected, but leased just now and therefore left alone. */
  readonly leased: number
}

/** One page of entries, in the order in which they were added. */
export interface EntryPage {
  readonly entries: readonly QueueEntry[]
  /** For `after` of the next page; `null` when this is the last. */
  readonly next: string | null
}

/** Entries by state. */
export type QueueCounts = Readonly<Record<EntryState, number>>

/** The queue at a glance. */
export interface QueueStats {
  readonly counts: QueueCounts
  readonly submissions: number
  /** Creation of the oldest entry that is ready; `null` when there is none. */
  readonly oldestReadyAt: number | null
  readonly nextDueAt: number | null
  /** The sites for which most is ready, most first, at most 20. */
  readonly sites: readonly {
    readonly site: string
    readonly ready: number
    readonly trouble: SiteTrouble | null
  }[]
}

/** A durable queue. Close it. */
export interface QueueStore extends AsyncDisposable {
  /** Accepts a submission: content and entries are durable when it resolves (SMTP may say 250). */
  add(submission: Submission): Promise<Added>

  /**
   * Claims entries that are ready and due, those of the longest-waiting sites first, oldest due first within a site. A
   * site in trouble gives nothing before `until`, and then one entry. No entry is ever leased to two.
   */
  lease(request: LeaseRequest): Promise<readonly LeasedEntry[]>
  /** Claims ready entries that expire, or are to be reported late, by `now`, whatever the state of their site. */
  leaseNotices(
    request: Pick<LeaseRequest, 'owner' | 'now' | 'until' | 'max'>,
  ): Promise<readonly LeasedEntry[]>
  /**
   * Notes that the peer is about to be given the content of a leased entry, so that `reclaim` can tell it from those that
   * only waited. Called for every one of them, so it must cost next to nothing; many times for one does no harm.
   */
  begin(id: string, owner: string): Promise<void>
  /** Records the verdict. `false`, and nothing is changed or added, unless `owner` has a lease on the entry. */
  settle(settlement: Settlement): Promise<boolean>
  /** Entries that were leased and not brought to a verdict: ready again as before, no attempt counted. Those of others are left. */
  giveBack(ids: readonly string[], owner: string): Promise<void>
  /** Prolongs all leases of an owner. */
  extend(owner: string, until: number): Promise<void>
  /**
   * Ends the leases that have run out by `now`, and all those of owners other than `survivor` (`null`: none survives;
   * absent: owners are not looked at). What has been begun may have been past the final dot: it is marked uncertain, its
   * attempt recorded as lost, and it is ready at `dueAt`, or held. The rest is ready again as before. Where it is not
   * known what has been begun (the power was lost), all has. @returns how many leases
   */
  reclaim(options: {
    readonly now: number
    readonly survivor?: string | null
    readonly dueAt: number
    readonly hold: boolean
  }): Promise<number>

  /**
   * For when nobody has worked on the queue for a while, or the host's clock has been set: ready entries whose time is over
   * by `now` live until `graceUntil`, those that would be due after `latestDueAt` are due `now`, and trouble of sites that
   * would last longer is forgotten.
   */
  catchUp(times: {
    readonly now: number
    readonly graceUntil: number
    readonly latestDueAt: number
  }): Promise<void>

  /** Mail for the domain goes to this site: its waiting and coming entries count there. */
  place(domain: string, site: string): Promise<void>
  /** Remembers trouble of a site for all its entries; replaces what was remembered. */
  siteFailed(site: string, trouble: SiteTrouble): Promise<void>
  /** Forgets trouble of a site: its entries are due at once if their own time has come. */
  siteWorks(site: string): Promise<void>
  /**
   * The earliest time at which `lease` or `leaseNotices` may find something, sites with no room left out; `null` when
   * nothing is ready there. May be past.
   */
  nextDue(room: ReadonlyMap<string, number>): Promise<number | null>
  /**
   * Resolves when entries may have become due in another way than by time passing or this store's `settle`: added,
   * released or retried, here or by another process. May resolve for nothing; says nothing of an entry added behind
   * others of its site, for `nextDue` has told of those. Rejects with `signal.reason`.
   */
  changed(signal?: AbortSignal): Promise<void>

  /** The content of a submission that has entries; can be opened until the last of them is gone. */
  content(submissionId: string): Promise<Message>
  /** `null` when it is gone or never was. */
  get(id: string): Promise<QueueEntry | null>
  /** Every attempt, oldest first; empty for an entry that is gone. */
  history(id: string): Promise<readonly AttemptRecord[]>
  /** A page of at most `limit` (1 to 1,000) entries after the entry named by `after`; costs what the page costs. */
  list(query: {
    readonly selector: Selector
    readonly states?: readonly EntryState[]
    readonly after?: string
    readonly limit: number
  }): Promise<EntryPage>
  counts(): Promise<QueueCounts>
  stats(): Promise<QueueStats>

  /** Ready to held. */
  hold(selector: Selector): Promise<Steered>
  /** Held to ready, due at `now`. */
  release(selector: Selector, now: number): Promise<Steered>
  /** Removes entries that are not leased; no report is sent. */
  cancel(selector: Selector): Promise<Steered>
  /** Makes ready and dead entries due at `now`, trouble of their sites or not. An expired one lives an hour longer. */
  retryNow(selector: Selector, now: number): Promise<Steered>

  /** Waits for what was asked, then lets go of files and locks. Leases stay: give them back first. */
  close(): Promise<void>
}
