/** Signing in worker threads: what `node:crypto`'s own threads are measured against. */
import type { KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** Threads that sign in turn. Close them. */
export class Threads implements AsyncDisposable {
  readonly #workers: readonly Worker[]
  readonly #waiting = new Map<number, (signature: Uint8Array) => void>()
  #next = 0

  constructor(count: number, key: KeyObject) {
    this.#workers = Array.from({ length: count }, () => {
      const worker = new Worker(new URL('thread.ts', import.meta.url), { workerData: key })
      worker.on('message', ({ id, signature }: ThreadReply) => {
        this.#waiting.get(id)?.(signature)
        this.#waiting.delete(id)
      })
      return worker
    })
  }

  sign(octets: Uint8Array): Promise<Uint8Array> {
    const id = this.#next++
    this.#workers[id % this.#workers.length]?.postMessage({ id, octets } satisfies ThreadRequest)
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

/** What a thread is asked. */
export interface ThreadRequest {
  readonly id: number
  readonly octets: Uint8Array
}

/** What it answers. */
export interface ThreadReply {
  readonly id: number
  readonly signature: Uint8Array
}
