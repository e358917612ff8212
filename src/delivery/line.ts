/**
 * Recipients that wait, in the order in which they came. One rule: a waiting recipient costs nothing beside its place in the
 * caller's list; its job is made when its turn comes.
 */
import type { Recipient } from '../mail/envelope.ts'
import { type Delivery, Job } from './job.ts'

interface Batch {
  readonly delivery: Delivery
  readonly recipients: readonly Recipient[]
  next: number
}

/** A first-in, first-out line. */
export class Line {
  #batches: Batch[] = []
  #returned: Job[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /**
   * Transactions that those who wait amount to, with up to `perTransaction` recipients of one delivery in each; counted no
   * further than to `enough`.
   * @param served of this delivery as many as one transaction has room for beside its first are as good as gone
   */
  transactions(perTransaction: number, enough: number, served: Delivery | null): number {
    if (perTransaction === 1) return Math.min(this.#length, enough)
    const waiting = new Map<Delivery, number>()
    let transactions = 0
    const count = (delivery: Delivery, recipients: number): void => {
      const before = waiting.get(delivery) ?? (delivery === served ? 1 - perTransaction : 0)
      const after = before + recipients
      waiting.set(delivery, after)
      transactions += groups(after, perTransaction) - groups(before, perTransaction)
    }
    for (const { delivery } of this.#returned) {
      if (transactions >= enough) return enough
      count(delivery, 1)
    }
    for (const { delivery, recipients, next } of this.#batches) {
      if (transactions >= enough) break
      count(delivery, recipients.length - next)
    }
    return Math.min(transactions, enough)
  }

  add(delivery: Delivery, recipients: readonly Recipient[]): void {
    if (recipients.length === 0) return
    this.#batches.push({ delivery, recipients, next: 0 })
    this.#length += recipients.length
  }

  /** The recipient of a job that could not be served now is next, as if nothing had been tried, in any session. */
  putBack(given: Job): void {
    const job = given.afresh()
    // No more sessions are to be had: one that idles, from another address of ours, must not be passed over for ever.
    job.preferredSource = null
    this.#returned.push(job)
    this.#length++
  }

  /** A job that is to be tried again, with all that it has gone through, is next. */
  requeue(job: Job): void {
    this.#returned.push(job)
    this.#length++
  }

  /** Up to `most` others of the job's delivery, as far as they may come along, taken out of the line. */
  companions(lead: Job, most: number, mayCome: (job: Job) => boolean): readonly Job[] {
    const taken: Job[] = []
    const isAlike = (job: Job): boolean => job.delivery === lead.delivery && mayCome(job)
    for (let at = this.#returned.length - 1; at >= 0 && taken.length < most; at--) {
      const job = this.#returned[at]
      if (job === undefined || !isAlike(job)) continue
      this.#returned.splice(at, 1)
      taken.push(job)
    }
    for (const batch of this.#batches) {
      if (batch.delivery !== lead.delivery) continue
      while (taken.length < most) {
        const recipient = batch.recipients[batch.next]
        if (recipient === undefined) break
        const job = new Job(batch.delivery, recipient)
        if (!mayCome(job)) break
        batch.next++
        taken.push(job)
      }
    }
    this.#batches = this.#batches.filter(({ recipients, next }) => next < recipients.length)
    this.#length -= taken.length
    return taken
  }

  /** The next one, or `null`. */
  next(): Job | null {
    const returned = this.#returned.pop()
    if (returned !== undefined) {
      this.#length--
      return returned
    }
    const batch = this.#batches[0]
    const recipient = batch?.recipients[batch.next]
    if (batch === undefined || recipient === undefined) return null
    batch.next++
    if (batch.next === batch.recipients.length) this.#batches.shift()
    this.#length--
    return new Job(batch.delivery, recipient)
  }

  /** Takes out all that wait for this delivery, with all that they have gone through. */
  withdraw(delivery: Delivery): readonly Job[] {
    const isWithdrawn = (waiting: { readonly delivery: Delivery }): boolean => waiting.delivery === delivery
    const withdrawn = [
      ...this.#returned.filter(isWithdrawn),
      ...this.#batches
        .filter(isWithdrawn)
        .flatMap(({ recipients, next }) => recipients.slice(next))
        .map((recipient) => new Job(delivery, recipient)),
    ]
    this.#returned = this.#returned.filter((waiting) => !isWithdrawn(waiting))
    this.#batches = this.#batches.filter((waiting) => !isWithdrawn(waiting))
    this.#length -= withdrawn.length
    return withdrawn
  }
}

function groups(recipients: number, perTransaction: number): number {
  return Math.max(0, Math.ceil(recipients / perTransaction))
}
