/** Contents in use. One rule: however many entries of a submission are in flight, its content is in memory once. */
import type { Message } from '../mail/message.ts'
import type { QueueStore } from './store.ts'

interface SharedContent {
  readonly message: Promise<Message>
  users: number
}

/** One runner's. */
export class SharedContents {
  readonly #store: Pick<QueueStore, 'content'>
  readonly #used = new Map<string, SharedContent>()

  constructor(store: Pick<QueueStore, 'content'>) {
    this.#store = store
  }

  /** Gives the content to `work`. @throws what reading it throws, or `work` */
  async use<T>(submissionId: string, work: (message: Message) => Promise<T>): Promise<T> {
    const shared = this.#used.get(submissionId) ?? { message: this.#store.content(submissionId), users: 0 }
    this.#used.set(submissionId, shared)
    shared.users++
    try {
      return await work(await shared.message)
    } finally {
      shared.users--
      if (shared.users === 0) this.#used.delete(submissionId)
    }
  }
}
