/** What becomes of queued mail, told to whoever listens. One rule: a listener hears all that is settled while it listens. */
import { type RecipientReport, reportOutcome } from '../delivery/report.ts'
import type { SettledEvent } from '../log/events.ts'
import { formatAddress } from '../mail/address.ts'
import type { LastTrouble, QueueEntry } from '../queue/entry.ts'
import type { SettledEntry } from '../queue/runner.ts'
import type { Settlement } from '../queue/store.ts'

/** What became of one recipient of queued mail: for now, or for good. */
export interface QueueResult {
  /** `SUBMISSION-N`, as `mxpress queue` shows it. */
  readonly entryId: string
  /** The message's: `Enqueued.queueId`. */
  readonly queueId: string
  /** With its angle brackets. */
  readonly messageId: string
  /** The mailbox, its domain in lower-case A-labels. */
  readonly address: string
  /** `deferred`: it is tried again, or held for the operator. */
  readonly outcome: 'delivered' | 'deferred' | 'failed'
  /** Nothing more is tried: delivered, or failed and reported to the sender if there is one. */
  readonly isFinal: boolean
  /** Some attempt may have delivered it although nobody said so. */
  readonly uncertain: boolean
  /** RFC 3463. */
  readonly status: string
  /** The peer's reply on one line, or our own words; as it came: escape it before showing it. */
  readonly diagnostic: string
  /** Deliveries tried. */
  readonly attempts: number
  /** When it is tried again, ISO 8601 in UTC; `null` when it is not, or an operator decides. */
  readonly dueAt: string | null
  /** The last delivery in full; `null` when time ran out between two. */
  readonly report: RecipientReport | null
}

/** `null` for what is no outcome: a report of delay was sent. */
export function resultOf({ entry, settlement, outcome }: SettledEntry): QueueResult | null {
  if (settlement.kind === 'deferred' && outcome === null) return null
  const report = outcome === null ? null : reportOutcome(outcome)
  const last = lastOf(settlement, entry)
  const isDeferred = settlement.kind === 'deferred'
  return {
    entryId: entry.id,
    queueId: entry.submissionId,
    messageId: entry.messageId,
    address: formatAddress(entry.recipient.address),
    outcome: settlement.kind,
    isFinal: !isDeferred,
    uncertain: entry.uncertain || (isDeferred && settlement.uncertain),
    status: report?.status ?? last?.status ?? '',
    diagnostic: report?.diagnostic ?? last?.diagnostic ?? '',
    attempts: entry.attempts + (settlement.attempt === null ? 0 : 1),
    dueAt: dueText(settlement),
    report,
  }
}

function lastOf(settlement: Settlement, entry: QueueEntry): LastTrouble | null {
  return settlement.kind === 'delivered' ? null : (settlement.last ?? entry.last)
}

function dueText(settlement: Settlement): string | null {
  if (settlement.kind !== 'deferred' || settlement.hold) return null
  return new Date(settlement.dueAt).toISOString()
}

function stateAfter(settlement: Settlement): SettledEvent['state'] {
  if (settlement.kind === 'deferred') return settlement.hold ? 'held' : 'ready'
  return settlement.kind === 'failed' && settlement.keep ? 'dead' : 'gone'
}

/** For the log: that an entry ends, and how, can be proved from it. */
export function settledEvent({ entry, settlement }: SettledEntry): SettledEvent {
  const isDeferred = settlement.kind === 'deferred'
  return {
    kind: 'settled',
    id: entry.id,
    to: formatAddress(entry.recipient.address),
    outcome: settlement.kind,
    state: stateAfter(settlement),
    uncertain: entry.uncertain || (isDeferred && settlement.uncertain),
    attempts: entry.attempts + (settlement.attempt === null ? 0 : 1),
    dueAt: dueText(settlement),
    reports: settlement.reports?.length ?? 0,
    status: settlement.attempt?.status ?? lastOf(settlement, entry)?.status ?? '-',
  }
}

/** Hands every result to every listener; whoever does not read on lets them pile up. */
export class Results {
  readonly #listeners = new Set<Listener>()

  /**
   * Listens from this call on; ends when `close` is called.
   * @param ready throws what this rejects with, before anything else
   * @param signal throws its reason when it aborts
   */
  listen(ready: Promise<unknown>, signal?: AbortSignal): AsyncGenerator<QueueResult, undefined, undefined> {
    const listener = new Listener()
    this.#listeners.add(listener)
    // Said when somebody asks for the first result.
    ready.catch(() => {})
    return this.#iterate(listener, { ready, signal })
  }

  push(settled: SettledEntry): void {
    if (this.#listeners.size === 0) return
    const result = resultOf(settled)
    if (result === null) return
    for (const listener of this.#listeners) listener.push(result)
  }

  close(): void {
    for (const listener of this.#listeners) listener.close()
  }

  async *#iterate(
    listener: Listener,
    { ready, signal }: { readonly ready: Promise<unknown>; readonly signal: AbortSignal | undefined },
  ): AsyncGenerator<QueueResult, undefined, undefined> {
    const wake = (): void => listener.wake()
    signal?.addEventListener('abort', wake)
    try {
      await ready
      for (;;) {
        signal?.throwIfAborted()
        const result = listener.take()
        if (result !== undefined) yield result
        else if (listener.isClosed) return
        else await listener.changed()
      }
    } finally {
      signal?.removeEventListener('abort', wake)
      this.#listeners.delete(listener)
    }
  }
}

class Listener {
  #waiting: QueueResult[] = []
  #wake: (() => void) | null = null
  isClosed = false

  push(result: QueueResult): void {
    this.#waiting.push(result)
    this.wake()
  }

  take(): QueueResult | undefined {
    return this.#waiting.shift()
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  close(): void {
    this.isClosed = true
    this.wake()
  }

  wake(): void {
    this.#wake?.()
    this.#wake = null
  }
}
