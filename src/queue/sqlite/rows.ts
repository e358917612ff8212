/** Rows as entries. One rule: what a column means is decided here and nowhere else. */
import type { Address } from '../../mail/address.ts'
import { formatAddress } from '../../mail/address.ts'
import type { NotifyKeyword } from '../../mail/dsn-parameters.ts'
import type { EntryState, LastTrouble, QueuedRecipient, QueueEntry } from '../entry.ts'
import type { SiteTrouble } from '../store.ts'
import { entryIdOf, submissionIdOf, submissionOf } from './ids.ts'
import { numberOf, numberOrNull, type Row, textOrNull } from './sql.ts'

/** The numbers stand in partial indexes: see schema.ts. */
export const STATES = { ready: 0, leased: 1, held: 2, dead: 3 } as const satisfies Record<EntryState, number>

const stateNames: readonly EntryState[] = ['ready', 'leased', 'held', 'dead']

/** What `entryOf` wants to be selected. */
export const ENTRY_COLUMNS = `entry.*, lane.name AS site, lane.trouble AS trouble, submission.message_id, submission.size,
  submission.reverse_path, submission.envid, submission.ret, submission.created_at`

/** From where, when entries are found first. */
export const ENTRY_TABLES = `entry CROSS JOIN submission ON submission.id = entry.id >> 20
  CROSS JOIN lane ON lane.id = entry.lane`

export function entryOf(row: Row): QueueEntry {
  const id = numberOf(row, 'id')
  const owner = textOrNull(row, 'owner')
  const reversePath = textOrNull(row, 'reverse_path')
  return {
    id: entryIdOf(id),
    submissionId: submissionIdOf(submissionOf(id)),
    messageId: String(row.message_id),
    size: numberOf(row, 'size'),
    recipient: recipientOf(row),
    reversePath: reversePath === null ? null : readAddress(reversePath),
    envid: textOrNull(row, 'envid'),
    ret: textOrNull(row, 'ret') as QueueEntry['ret'],
    state: stateNames[numberOf(row, 'state')] ?? 'held',
    uncertain: row.uncertain === 1,
    attempts: numberOf(row, 'attempts'),
    createdAt: numberOf(row, 'created_at'),
    dueAt: numberOf(row, 'due_at'),
    expiresAt: numberOf(row, 'expires_at'),
    isDelayWarned: row.warn_at === null,
    last: fromJson<LastTrouble>(row.last),
    site: String(row.site),
    sourceAddress: textOrNull(row, 'source_address'),
    lease: owner === null ? null : { owner, until: numberOrNull(row, 'lease_until') ?? 0 },
  }
}

export function troubleOf(row: Row): SiteTrouble | null {
  return fromJson<SiteTrouble>(row.trouble)
}

function recipientOf(row: Row): QueuedRecipient {
  const notify = textOrNull(row, 'notify')
  return {
    address: { localPart: String(row.local_part), domain: String(row.domain) },
    field: String(row.field) as QueuedRecipient['field'],
    notify: notify === null ? null : (notify.split(',') as NotifyKeyword[]),
    orcpt: textOrNull(row, 'orcpt'),
  }
}

/** NULL is the null reverse-path. */
export function writeAddress(address: Address | null): string | null {
  return address === null ? null : formatAddress(address)
}

/** Not `parseAddress`: what was accepted once is not judged again. */
function readAddress(text: string): Address {
  const at = text.lastIndexOf('@')
  return { localPart: text.slice(0, at), domain: text.slice(at + 1) }
}

export function toJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}

/** `null` too for what is no JSON: SQLite has no checksums, and one damaged row must not hold up all that is leased with it. */
export function fromJson<T>(text: unknown): T | null {
  if (typeof text !== 'string') return null
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
