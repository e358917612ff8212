/** From a way in to the queue: when an entry is given up and when it is late is reckoned from now. */
import type { Signer } from '../mail/signer.ts'
import { queuedFrom } from '../queue/bounce-wishes.ts'
import type { QueueStore } from '../queue/store.ts'
import type { Clock } from '../time/clock.ts'
import type { Accept } from './acceptance.ts'

/** How long mail may wait. */
export interface EnqueueOptions {
  /** Given up after so many milliseconds. */
  readonly expireMs: number
  /** Reported as late after so many milliseconds; `null`: never. */
  readonly delayWarningMs: number | null
  readonly clock: Clock
  /** Default: nothing is signed. */
  readonly signer?: Signer | null
}

/** Puts mail into a store; the store's `add` is durable when it resolves, and so is this. */
export function acceptInto(store: Pick<QueueStore, 'add'>, options: EnqueueOptions): Accept {
  const { expireMs, delayWarningMs, clock, signer = null } = options
  return async ({ message, envelope }) => {
    const createdAt = clock.now()
    const { submissionId } = await store.add({
      message: signer === null ? message : await signer.sign(message),
      ...queuedFrom(envelope),
      createdAt,
      expiresAt: createdAt + expireMs,
      warnAt: delayWarningMs === null ? null : createdAt + delayWarningMs,
    })
    return { queueId: submissionId }
  }
}
