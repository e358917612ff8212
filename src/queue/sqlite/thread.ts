/**
 * This side of the database's thread. One rule: one batch is under way at a time; what is asked meanwhile is the next
 * batch. So the busier it is, the more share a flush.
 */
import { Worker } from 'node:worker_threads'
import { errorOf } from './failures.ts'
import type { OpenRequest } from './open-database.ts'
import type { Argument, OperationName, Result } from './operations.ts'
import type { Answer, Order, Request } from './worker.ts'

/** Operations in one transaction: more would save no flush worth having, and make everybody wait for the last. */
const BATCH_LIMIT = 500

interface Asked {
  readonly request: Request
  readonly transfer: readonly ArrayBuffer[]
  resolve(value: unknown): void
  reject(error: Error): void
}

/** The thread. Close it. */
export class DatabaseThread {
  readonly #worker: Worker
  readonly #dir: string
  readonly #ended: Promise<void>
  #waiting: Asked[] = []
  #underWay: readonly Asked[] = []
  #isScheduled = false
  #end: Error | null = null

  private constructor(request: OpenRequest) {
    this.#dir = request.dir
    // In a checkout this file and the worker are TypeScript, in the package JavaScript.
    const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    this.#worker = new Worker(new URL(name, import.meta.url), { workerData: request })
    this.#worker.on('message', (answers: readonly Answer[]) => this.#take(answers))
    this.#worker.on('error', (error: Error) => this.#fail(error))
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('the thread of the database has ended'))
        resolve()
      })
    })
  }

  /** @throws {QueueError} when the directory cannot be opened */
  static async open(request: OpenRequest): Promise<DatabaseThread> {
    const thread = new DatabaseThread(request)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    // The thread's first word is whether the database is open.
    thread.#underWay = [{ request: { name: 'counts', argument: null }, transfer: [], resolve, reject }]
    try {
      await promise
    } catch (error) {
      await thread.#worker.terminate()
      throw error
    }
    return thread
  }

  /** `transfer`: memory that the thread may take over. */
  ask<Name extends OperationName>(
    name: Name,
    argument: Argument<Name>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Result<Name>> {
    if (this.#end !== null) return Promise.reject(this.#end)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.push({ request: { name, argument }, transfer, resolve, reject })
    this.#schedule()
    return promise as Promise<Result<Name>>
  }

  /** After what was asked. */
  async close(): Promise<void> {
    if (this.#end === null) {
      // Answered last, because everything asked before it is.
      await this.ask('nextDue', { full: [] }).catch(() => {})
      this.#worker.postMessage('close' satisfies Order)
    }
    await this.#ended
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay.length > 0) return
    this.#isScheduled = true
    // Whatever the events of this turn of the loop ask for goes together.
    setImmediate(() => {
      this.#isScheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#underWay.length > 0 || this.#waiting.length === 0 || this.#end !== null) return
    this.#underWay = this.#waiting.splice(0, BATCH_LIMIT)
    this.#worker.postMessage(this.#underWay.map(({ request }) => request) satisfies Order, [
      ...new Set(this.#underWay.flatMap(({ transfer }) => transfer)),
    ])
  }

  #take(answers: readonly Answer[]): void {
    const asked = this.#underWay
    this.#underWay = []
    this.#send()
    asked.forEach(({ resolve, reject }, index) => {
      const answer = answers[index]
      if (answer === undefined) reject(errorOf({ kind: 'defect', message: 'no answer' }, this.#dir))
      else if ('failure' in answer) reject(errorOf(answer.failure, this.#dir))
      else resolve(answer.value)
    })
  }

  #fail(cause: Error): void {
    this.#end ??= errorOf(
      { kind: 'closed', message: `The queue in ${this.#dir} is closed: ${cause.message}` },
      this.#dir,
    )
    const left = [...this.#underWay, ...this.#waiting]
    this.#underWay = []
    this.#waiting = []
    for (const { reject } of left) reject(this.#end)
  }
}
