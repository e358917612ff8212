/**
 * The agent's queue: the store, and the runner where nobody else works on the directory.
 *
 * One rule: mail is accepted either way; but outcomes are known only to who delivers. Loaded when mail is first queued,
 * so that an agent that only sends costs nothing of it.
 */
import path from 'node:path'
import type { QueueSettings } from '../config/settings.ts'
import type { Deliverer } from '../delivery/deliver.ts'
import type { Log } from '../log/log.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import type { Signer } from '../mail/signer.ts'
import { createBouncer } from '../queue/bounce-entry.ts'
import { delayWarningAt } from '../queue/bounce-policy.ts'
import { queuedFrom } from '../queue/bounce-wishes.ts'
import { QueueLockedError } from '../queue/errors.ts'
import { Runner, type SettledEntry } from '../queue/runner.ts'
import type { SlotSettings } from '../queue/slots.ts'
import { openSqliteQueue, type SqliteQueue } from '../queue/sqlite/store.ts'
import type { Router } from '../route/route.ts'
import type { Clock } from '../time/clock.ts'
import { settledEvent } from './results.ts'

/** Mail that the queue has on disk. */
export interface Enqueued {
  /** The message's, as `mxpress queue` and the log show it. */
  readonly queueId: string
  /** One for each recipient, in the order of the envelope. */
  readonly entryIds: readonly string[]
  /** With its angle brackets; of a repeated key, that of the first time. */
  readonly messageId: string
  /** The idempotency key was known: nothing was queued again, and the ids are those of the first time. */
  readonly isRepeated: boolean
}

/** What the agent has. */
export interface MailQueueParts {
  readonly settings: QueueSettings
  /** Transactions at once, of one site and of all: `delivery`'s. */
  readonly concurrency: number
  readonly perSite: number
  /** The most that any road allows. */
  readonly recipientsPerTransaction: number
  readonly hostname: string
  readonly deliverer: Pick<Deliverer, 'deliver'>
  readonly router: Pick<Router, 'route'>
  /** Signs reports; `null`: nobody does. */
  readonly signer: Signer | null
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Told of every verdict that is on disk. */
  readonly onSettled: (settled: SettledEntry) => void
}

/**
 * Entries in flight for each transaction that may be open: while verdicts are being written to disk, the sessions have
 * something to do.
 */
const entriesPerTransaction = 8

/** As many, or those who share a transaction where that is more: else a relay's sessions would have one among them to do. */
function slotsFor({ concurrency, perSite, recipientsPerTransaction }: MailQueueParts): SlotSettings {
  const ofSite = perSite * Math.max(entriesPerTransaction, recipientsPerTransaction)
  return { total: Math.max(concurrency * entriesPerTransaction, ofSite), perSite: ofSite }
}

/** How often the store is tidied. */
const tidyEveryMs = 3_600_000

/** Queue and runner of one agent. Close it. */
export class MailQueue {
  readonly #parts: MailQueueParts
  readonly #store: SqliteQueue
  readonly #runner: Runner | null
  readonly #tidying: NodeJS.Timeout | null

  private constructor(parts: MailQueueParts, store: SqliteQueue, isOurs: boolean) {
    this.#parts = parts
    this.#store = store
    this.#runner = isOurs ? this.#makeRunner() : null
    this.#tidying = isOurs ? setInterval(() => this.#tidy(), tidyEveryMs).unref() : null
  }

  /**
   * Opens the queue directory and begins to work it off.
   * @param mayShare if another process works on it: only hand mail over, instead of rejecting
   * @throws {QueueError}
   */
  static async open(parts: MailQueueParts, { mayShare }: { readonly mayShare: boolean }): Promise<MailQueue> {
    const dir = path.resolve(parts.settings.dir)
    let queue: MailQueue
    try {
      queue = new MailQueue(parts, await openSqliteQueue(dir, { role: 'daemon' }), true)
    } catch (error) {
      if (!mayShare || !(error instanceof QueueLockedError)) throw error
      return new MailQueue(parts, await openSqliteQueue(dir), false)
    }
    try {
      await queue.#runner?.start()
    } catch (error) {
      await queue.close()
      throw error
    }
    queue.#tidy()
    return queue
  }

  /** The queue directory. */
  get dir(): string {
    return path.resolve(this.#parts.settings.dir)
  }

  /** Whether this agent delivers what is queued; another process does otherwise. */
  get isOurs(): boolean {
    return this.#runner !== null
  }

  /** Resolves when message and recipients are on disk. @throws {QueueError} */
  async add(
    { message, envelope }: { readonly message: Message; readonly envelope: Envelope },
    { idempotencyKey }: { readonly idempotencyKey?: string } = {},
  ): Promise<Enqueued> {
    const { clock, settings } = this.#parts
    const createdAt = clock.now()
    const queued = queuedFrom(envelope)
    const { expireMs, delayWarningMs } = settings
    const { submissionId, entryIds, isRepeated } = await this.#store.add({
      message,
      ...queued,
      createdAt,
      expiresAt: createdAt + expireMs,
      warnAt: delayWarningMs === null ? null : delayWarningAt({ ...queued, createdAt }, delayWarningMs),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
    return { queueId: submissionId, entryIds, messageId: message.messageId, isRepeated }
  }

  /** Breaks off what is not past its final dot, waits for the rest, and gives back what is left. */
  async close(): Promise<void> {
    if (this.#tidying !== null) clearInterval(this.#tidying)
    await this.#runner?.stop()
    await this.#store.close()
  }

  #makeRunner(): Runner {
    const { settings, log, signer, onSettled: _, ...parts } = this.#parts
    const { retryFirstMs, retryMaxMs, expireMs, onUncertain } = settings
    const slots = slotsFor(this.#parts)
    return new Runner(
      {
        ...parts,
        store: this.#store,
        bouncer: createBouncer({ hostname: parts.hostname, expireMs, signer }),
        onSettled: (settled) => this.#settled(settled),
        onTrouble: (error) => log.write({ kind: 'trouble', id: '-', error: error.message }),
      },
      { ...slots, retry: { firstMs: retryFirstMs, maxMs: retryMaxMs }, onUncertain },
    )
  }

  #settled(settled: SettledEntry): void {
    // A plain delivery stands in the log already.
    if (settled.settlement.kind !== 'delivered' || settled.entry.uncertain) {
      this.#parts.log.write(settledEvent(settled))
    }
    this.#parts.onSettled(settled)
  }

  /** Housekeeping: whatever keeps it from being done, nothing depends on it. */
  #tidy(): void {
    const { clock, log } = this.#parts
    this.#store.tidy(clock.now()).catch((error: Error) => {
      log.write({ kind: 'trouble', id: '-', error: error.message })
    })
  }
}
