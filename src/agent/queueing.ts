/**
 * The agent's way to its queue. One rule: nothing of the queue is loaded or opened before it is asked for.
 */
import { QueueLockedError } from '../queue/errors.ts'
import type { Enqueued, MailQueue, MailQueueParts } from './mail-queue.ts'
import { type QueueResult, Results } from './results.ts'

/** Opens the queue when it is first needed. Close it. */
export class Queueing {
  readonly #getParts: () => Promise<Omit<MailQueueParts, 'onSettled'>>
  readonly #results = new Results()
  #queue: Promise<MailQueue> | null = null

  constructor(getParts: () => Promise<Omit<MailQueueParts, 'onSettled'>>) {
    this.#getParts = getParts
  }

  /** @throws {QueueError} */
  async add(...mail: Parameters<MailQueue['add']>): Promise<Enqueued> {
    const queue = await this.#open({ mayShare: true })
    return queue.add(...mail)
  }

  /** Begins to deliver what waits. @throws {QueueLockedError} another process does that; other {QueueError} */
  async start(): Promise<void> {
    const { isOurs, dir } = await this.#open({ mayShare: false })
    if (!isOurs) throw new QueueLockedError(dir, `Another process delivers what waits in the queue in ${dir}`)
  }

  results(signal?: AbortSignal): AsyncGenerator<QueueResult, undefined, undefined> {
    return this.#results.listen(this.start(), signal)
  }

  async close(): Promise<void> {
    const queue = await this.#queue?.catch(() => null)
    await queue?.close()
    this.#results.close()
  }

  #open(how: { readonly mayShare: boolean }): Promise<MailQueue> {
    this.#queue ??= this.#openAnew(how).catch((error: unknown) => {
      // What was wrong may be put right.
      this.#queue = null
      throw error
    })
    return this.#queue
  }

  async #openAnew(how: { readonly mayShare: boolean }): Promise<MailQueue> {
    const parts = await this.#getParts()
    // A thread, SQLite and the writing of reports: an agent that only sends pays for none of it.
    const { MailQueue } = await import('./mail-queue.ts')
    return MailQueue.open({ ...parts, onSettled: (settled) => this.#results.push(settled) }, how)
  }
}
