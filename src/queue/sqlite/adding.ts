/** Taking submissions in. One rule: all rows of a submission are written in one transaction, or none. */
import type { Address } from '../../mail/address.ts'
import type { Requirement } from '../../mail/message.ts'
import type { QueuedRecipient } from '../entry.ts'
import type { Added } from '../store.ts'
import { entriesOf, entryIdOf, submissionIdOf } from './ids.ts'
import { expectAt, laneOfDomain } from './lanes.ts'
import { STATES, writeAddress } from './rows.ts'
import { numberOf, type Sql } from './sql.ts'

/** A submission whose content has been read: a plain value that can be handed to another thread. */
export interface PreparedSubmission {
  readonly messageId: string
  readonly size: number
  readonly requires: readonly Requirement[]
  readonly content: { readonly octets: Uint8Array } | { readonly file: string }
  readonly reversePath: Address | null
  readonly recipients: readonly QueuedRecipient[]
  readonly envid: string | null
  readonly ret: 'FULL' | 'HDRS' | null
  readonly createdAt: number
  readonly dueAt: number
  readonly expiresAt: number
  readonly warnAt: number | null
  readonly idempotencyKey: string | null
}

/** What was added, and whether the runner has to hear of it. */
export interface Addition {
  readonly added: Added
  /**
   * Some lane has something due sooner than it had. Entries behind others are found when the lane is looked at, and that
   * has been arranged already: a word for each would have the runner look for nothing, once a message.
   */
  readonly isSooner: boolean
}

export function add(sql: Sql, submission: PreparedSubmission): Addition {
  const { idempotencyKey, recipients } = submission
  if (idempotencyKey !== null) {
    const known = sql.get('SELECT submission, entries FROM idempotency WHERE key = ?', idempotencyKey)
    if (known !== undefined) {
      const added = addedAs(numberOf(known, 'submission'), numberOf(known, 'entries'), true)
      return { added, isSooner: false }
    }
  }
  const id = addSubmission(sql, submission)
  const lanes = new Map<string, number>()
  let entry = entriesOf(id).first
  for (const recipient of recipients) {
    const { domain } = recipient.address
    const lane = lanes.get(domain) ?? laneOfDomain(sql, domain)
    lanes.set(domain, lane)
    addEntry(sql, { id: entry++, lane, recipient, submission })
  }
  let isSooner = false
  for (const lane of new Set(lanes.values())) {
    if (expectAt(sql, lane, submission.dueAt)) isSooner = true
  }
  if (idempotencyKey !== null) {
    sql.run(
      'INSERT INTO idempotency (key, submission, entries, created_at) VALUES (?, ?, ?, ?)',
      idempotencyKey,
      id,
      recipients.length,
      submission.createdAt,
    )
  }
  return { added: addedAs(id, recipients.length, false), isSooner }
}

function addSubmission(sql: Sql, submission: PreparedSubmission): number {
  const { content } = submission
  const id = sql.insert(
    `INSERT INTO submission (message_id, size, requires, reverse_path, envid, ret, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    submission.messageId,
    submission.size,
    submission.requires.join(','),
    writeAddress(submission.reversePath),
    submission.envid,
    submission.ret,
    submission.createdAt,
  )
  sql.run(
    'INSERT INTO content (submission, octets, file) VALUES (?, ?, ?)',
    id,
    'octets' in content ? content.octets : null,
    'file' in content ? content.file : null,
  )
  return id
}

function addEntry(
  sql: Sql,
  {
    id,
    lane,
    recipient,
    submission,
  }: {
    readonly id: number
    readonly lane: number
    readonly recipient: QueuedRecipient
    readonly submission: PreparedSubmission
  },
): void {
  sql.run(
    `INSERT INTO entry (id, state, lane, due_at, expires_at, warn_at, domain, local_part, field, notify, orcpt)
     VALUES (?, ${STATES.ready}, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    lane,
    submission.dueAt,
    submission.expiresAt,
    submission.warnAt,
    recipient.address.domain,
    recipient.address.localPart,
    recipient.field,
    recipient.notify?.join(',') ?? null,
    recipient.orcpt,
  )
}

function addedAs(submission: number, entries: number, isRepeated: boolean): Added {
  const { first } = entriesOf(submission)
  return {
    submissionId: submissionIdOf(submission),
    entryIds: Array.from({ length: entries }, (_, index) => entryIdOf(first + index)),
    isRepeated,
  }
}

/** Forgets idempotency keys from before `before`. */
export function forgetKeys(sql: Sql, { before }: { readonly before: number }): void {
  sql.run('DELETE FROM idempotency WHERE created_at < ?', before)
}
