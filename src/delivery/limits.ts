/**
 * How much runs at once. One slot is one session at work, not one recipient: a worker takes a slot of its site first and a
 * global one second, and serves recipient after recipient with it.
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
}

/** The slots of all sites together. */
export class Limits {
  readonly settings: DeliverySettings
  readonly #overall: LimitFunction

  constructor(settings: DeliverySettings) {
    this.settings = settings
    this.#overall = pLimit(settings.concurrency)
  }

  /** Whether others wait for a global slot, so that a worker with much to do should let them. */
  get isContended(): boolean {
    return this.#overall.pendingCount > 0
  }

  /** The slots of one site. */
  forSite(): SiteSlots {
    const own = pLimit(this.settings.perSite)
    // The site's own slot first: a site that is full must not hold global slots while it waits for itself.
    return (work) => own(() => this.#overall(work))
  }
}

/** Runs the work when both slots are free. */
export type SiteSlots = (work: () => Promise<void>) => Promise<void>
