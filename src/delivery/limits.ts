/**
 * How much runs at once. A worker holds a slot of its site as long as it works, and a global one while it has a session:
 * a site that is only being dialled, or that does not greet, has no transaction and takes up nobody's place.
 */
import pLimit, { type LimitFunction } from 'p-limit'

/** The numbers of the `delivery` section. */
export interface DeliverySettings {
  /** Transactions open at once, all sites together. */
  readonly concurrency: number
  /** Sessions open at once to one site. */
  readonly perSite: number
  /** Addresses dialled for one recipient in one attempt. */
  readonly maxTargets: number
  /** Transactions in one session, after which it is ended and another one opened. */
  readonly messagesPerSession: number
  /** Recipients of a message that share one transaction; a relay has its own. */
  readonly recipientsPerTransaction: number
}

/**
 * Sessions being opened at once, for each transaction that may be open. Sites that never answer hold one each until a
 * time limit ends it, so there are more than there are slots; few enough for a process's file descriptors.
 */
const OPENINGS_PER_SLOT = 4

/** Gives a global slot back; call it once. */
export type ReleaseSlot = () => void

/** The slots of all sites together. */
export class Limits {
  readonly settings: DeliverySettings
  readonly #overall: LimitFunction
  readonly #openings: LimitFunction

  constructor(settings: DeliverySettings) {
    this.settings = settings
    this.#overall = pLimit(settings.concurrency)
    this.#openings = pLimit(settings.concurrency * OPENINGS_PER_SLOT)
  }

  /** Whether others wait for a global slot, so that a worker with much to do should let them. */
  get isContended(): boolean {
    return this.#overall.pendingCount > 0
  }

  /** A global slot, when one is free. @throws `signal.reason` when aborted before */
  slot(signal: AbortSignal): Promise<ReleaseSlot> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      void this.#overall(async () => {
        signal.removeEventListener('abort', onAbort)
        if (!signal.aborted) await new Promise<void>(resolve)
      })
    })
  }

  /** Opens a session when there is room for one more being opened. */
  opening<T>(work: () => Promise<T>): Promise<T> {
    return this.#openings(work)
  }

  /** The slots of one site. */
  forSite(): SiteSlots {
    return pLimit(this.settings.perSite)
  }
}

/** Runs the work when a slot is free. */
export type SiteSlots = (work: () => Promise<void>) => Promise<void>
