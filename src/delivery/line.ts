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

  add(delivery: Delivery, recipients: readonly Recipient[]): void {
    if (recipients.length === 0) return
    this.#batches.push({ delivery, recipients, next: 0 })
    this.#length += recipients.length
  }

  /** The recipient of a job that could not be served now is next, as if nothing had been tried, in any session. */
  putBack({ delivery, recipient }: Job): void {
    const job = new Job(delivery, recipient)
    // No more sessions are to be had: one that idles, from another address of ours, must not be passed over for ever.
    job.preferredSource = null
    this.#returned.push(job)
    this.#length++
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

  /** Takes out all that wait for this delivery. */
  withdraw(delivery: Delivery): readonly Recipient[] {
    const isWithdrawn = (waiting: { readonly delivery: Delivery }): boolean => waiting.delivery === delivery
    const withdrawn = [
      ...this.#returned.filter(isWithdrawn).map(({ recipient }) => recipient),
      ...this.#batches.filter(isWithdrawn).flatMap(({ recipients, next }) => recipients.slice(next)),
    ]
    this.#returned = this.#returned.filter((waiting) => !isWithdrawn(waiting))
    this.#batches = this.#batches.filter((waiting) => !isWithdrawn(waiting))
    this.#length -= withdrawn.length
    return withdrawn
  }
}
