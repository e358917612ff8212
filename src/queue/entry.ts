/**
 * What the queue holds: one entry for each recipient of each submission, and every attempt that was made for it.
 *
 * One rule: an entry is a plain value and a snapshot; only a `QueueStore` changes what is kept. Times are milliseconds
 * since the epoch, text of peers is as it came: escape it before showing it.
 */

import type { Stage } from '../delivery/outcome.ts'
import type { AttemptReport } from '../delivery/report.ts'
import type { Address } from '../mail/address.ts'
import type { NotifyKeyword } from '../mail/dsn-parameters.ts'
import type { RecipientField } from '../mail/envelope.ts'
import type { EnhancedStatus } from '../smtp/enhanced-status.ts'

/**
 * Waits for its due time; the runner takes it. In: `add`; `settle` (deferred); `giveBack` and `reclaim` (from leased);
 * `release` (from held); `retryNow` (from ready and dead). Out: `lease`, `leaseNotices` (to leased), `hold` (to held),
 * `cancel` (gone).
 */
export const READY = 'ready'
/**
 * One runner has it, until its lease runs out. In: `lease`, `leaseNotices` (from ready). Out, by its owner: `settle`
 * (to ready, held, dead or gone), `giveBack` (to ready); by others: `reclaim` (to ready; what was begun is marked
 * uncertain, and may be held) once the owner is dead or the lease has run out. Operators move nothing out of it: a transaction cannot be called back.
 */
export const LEASED = 'leased'
/**
 * Waits for an operator; never due, and it does not expire. In: `hold` (from ready); `settle` and `reclaim` when
 * uncertain entries are to be held. Out: `release` (to ready), `cancel` (gone).
 */
export const HELD = 'held'
/**
 * Failed, and nobody could be told: a bounce that cannot be delivered itself, kept for an operator to see. In: `settle`
 * (failed, to be kept). Out: `retryNow` (to ready), `cancel` (gone).
 */
export const DEAD = 'dead'

/** Where an entry stands; the constants say who moves it. Delivered and bounced entries are gone. */
export type EntryState = typeof READY | typeof LEASED | typeof HELD | typeof DEAD

/** A forward-path with what the submitter asked for it. */
export interface QueuedRecipient {
  readonly address: Address
  readonly field: RecipientField
  /** `null` when NOTIFY was not given: failures are reported, delays may be (RFC 3461 §4.1). */
  readonly notify: readonly NotifyKeyword[] | null
  /** ORCPT (RFC 3461 §4.2) as `addr-type;address`, xtext decoded; `null` when not given. */
  readonly orcpt: string | null
}

/** What was wrong when the entry was last tried, or last could have been. */
export interface LastTrouble {
  readonly at: number
  readonly stage: Stage
  readonly status: EnhancedStatus
  /** The peer's reply on one line, or our own words; for Diagnostic-Code. */
  readonly diagnostic: string
  /** Whether `diagnostic` is a peer's SMTP reply (RFC 3464 §2.3.6 `smtp;`) and not our own words. */
  readonly isReply: boolean
  /** Who said so; `null` when nobody was reached. For Remote-MTA. */
  readonly exchanger: string | null
  readonly ip: string | null
}

/** Who has a leased entry, and until when nobody else may. */
export interface Lease {
  readonly owner: string
  readonly until: number
}

/** One recipient of one submission. */
export interface QueueEntry {
  /** `SUBMISSION-N`: the submission's id and the recipient's number in it, from 1. */
  readonly id: string
  /** The submission, which is also the content: `QueueStore.content(submissionId)`. */
  readonly submissionId: string
  /** The Message-ID field's value with its angle brackets. */
  readonly messageId: string
  /** Octets of the content. */
  readonly size: number
  readonly recipient: QueuedRecipient
  /** `null` is the null reverse-path: never bounced (RFC 5321 §6.1). */
  readonly reversePath: Address | null
  /** ENVID (RFC 3461 §4.4), xtext decoded. */
  readonly envid: string | null
  /** RET (RFC 3461 §4.3): how much of the message a failure report returns. */
  readonly ret: 'FULL' | 'HDRS' | null
  readonly state: EntryState
  /** Some attempt, or a lost lease, may have delivered it already. Once true it stays true. */
  readonly uncertain: boolean
  /** Deliveries tried, each at one or more targets. */
  readonly attempts: number
  readonly createdAt: number
  /** When it may be tried; its site may have it wait longer. */
  readonly dueAt: number
  /** When it is given up. */
  readonly expiresAt: number
  /** The report that it is late has been sent, or nobody wants one. */
  readonly isDelayWarned: boolean
  readonly last: LastTrouble | null
  /** Where its domain is served: the router's site key, or `unroutedSite(domain)` while nobody has looked. */
  readonly site: string
  /** Our address in the last attempt that reached somebody, for the retry after greylisting; `null` when unknown. */
  readonly sourceAddress: string | null
  /** Set while it is leased. */
  readonly lease: Lease | null
}

/** One delivery tried for an entry: what it came to, and each target asked, with its full reply. */
export interface AttemptRecord {
  /** From 1. */
  readonly number: number
  readonly startedAt: number
  readonly durationMs: number
  readonly outcome: 'delivered' | 'deferred' | 'failed' | 'lost'
  /** `lost`: the lease was never settled; nothing is known of what happened (stage and status of a lost connection). */
  readonly uncertain: boolean
  readonly stage: Stage
  readonly status: string
  readonly diagnostic: string
  readonly reply: {
    readonly code: number
    readonly status: string | null
    readonly lines: readonly string[]
  } | null
  /** In the form of the send report; empty when no target was reached for. */
  readonly targets: readonly AttemptReport[]
}

/** The site of a domain whose exchangers nobody has looked up yet. No site key of a router begins with `@`. */
export function unroutedSite(domain: string): string {
  return `@${domain}`
}

/** Whether the key stands for a domain that is to be looked up first. */
export function isUnrouted(site: string): boolean {
  return site.startsWith('@')
}
