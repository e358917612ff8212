/** The queue as other programs read it. One rule: what stands here is the contract; times are ISO 8601 in UTC. */
import { formatAddress } from '../../mail/address.ts'
import type { AttemptRecord, QueueEntry } from '../../queue/entry.ts'
import type { QueueStats } from '../../queue/store.ts'

/** An entry of `queue list --json`. */
export function entryDocument(entry: QueueEntry): object {
  const { id, messageId, recipient, reversePath, state, uncertain, attempts } = entry
  return {
    id,
    messageId,
    recipient: formatAddress(recipient.address),
    reversePath: reversePath === null ? '' : formatAddress(reversePath),
    state,
    uncertain,
    attempts,
    dueAt: time(entry.dueAt),
    expiresAt: time(entry.expiresAt),
    diagnostic: entry.last?.diagnostic ?? null,
  }
}

/** The document of `queue show --json`. */
export function historyDocument(entry: QueueEntry, history: readonly AttemptRecord[]): object {
  const { createdAt, size, site } = entry
  return {
    ...entryDocument(entry),
    createdAt: time(createdAt),
    size,
    site,
    history: history.map(attemptDocument),
  }
}

/** One delivery tried; `attempts` are the targets asked, in the form of the send report. */
function attemptDocument({ startedAt, targets, ...attempt }: AttemptRecord): object {
  return { ...attempt, startedAt: time(startedAt), attempts: targets }
}

/** The document of `queue stats --json`. */
export function statsDocument({ counts, submissions, oldestReadyAt, nextDueAt, sites }: QueueStats): object {
  return {
    counts,
    submissions,
    oldestReadyAt: timeOrNull(oldestReadyAt),
    nextDueAt: timeOrNull(nextDueAt),
    sites: sites.map(({ site, ready, trouble }) => ({
      site,
      ready,
      trouble:
        trouble === null
          ? null
          : {
              since: time(trouble.since),
              until: time(trouble.until),
              failures: trouble.failures,
              diagnostic: trouble.last.diagnostic,
            },
    })),
  }
}

function time(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

function timeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : time(epochMs)
}
