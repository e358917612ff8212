/**
 * The recipients that wait for one set of exchangers, and the sessions that serve them. Domains hosted at one provider
 * share a site, so ten thousand of them use no more sessions than one.
 *
 * One rule: a site first proves with one session that it can be reached, and only then gets the workers it may have; so a
 * dead site dials with one.
 */
import type { Recipient } from '../mail/envelope.ts'
import type { Exchanger } from '../route/exchangers.ts'
import { isUnconnectable } from './classify.ts'
import { type Conclusion, type Delivery, Job } from './job.ts'
import type { SiteSlots } from './limits.ts'
import { Line } from './line.ts'
import { conclude, concludeExhausted } from './serve.ts'
import { SiteCeiling } from './site-ceiling.ts'
import { SiteSessions } from './site-sessions.ts'
import type { Surroundings } from './surroundings.ts'
import { Worker, type Workplace } from './worker.ts'

/** How long mail goes straight to the fallback relay after nobody of the site could be connected to: less than a greylist's wait. */
const BYPASS_MS = 60_000

/** The relay for whom nobody of a site can be connected to. */
export interface Fallback {
  readonly site: () => Site
  readonly exchangers: readonly Exchanger[]
}

/** One site; lives as long as its agent. */
export class Site {
  readonly #around: Surroundings
  readonly #slots: SiteSlots
  readonly #line = new Line()
  readonly #sessions: SiteSessions
  readonly #ceiling: SiteCeiling
  readonly #workers = new Set<Promise<void>>()
  #exchangers: readonly Exchanger[] = []
  readonly #fallback: Fallback | null
  #isReachable = false
  #bypassUntil = Number.NEGATIVE_INFINITY

  constructor(around: Surroundings, fallback: Fallback | null = null) {
    this.#around = around
    this.#fallback = fallback
    this.#slots = around.limits.forSite()
    this.#sessions = new SiteSessions(around)
    this.#ceiling = new SiteCeiling(around.limits.settings.perSite, around.clock)
  }

  /** Nothing waits, nothing runs, no session is open. */
  get isIdle(): boolean {
    return this.#workers.size === 0 && this.#sessions.count === 0
  }

  /** Ends the sessions; call it when nobody waits for an outcome any more. */
  async close(): Promise<void> {
    // A worker puts its session aside a moment after its last outcome is known.
    await Promise.all(this.#workers)
    await this.#sessions.close()
  }

  /** Lets recipients wait here. `exchangers` is the latest answer of the DNS. */
  add(delivery: Delivery, recipients: readonly Recipient[], exchangers: readonly Exchanger[]): void {
    if (this.#fallback !== null && this.#around.clock.monotonic() < this.#bypassUntil) {
      const jobs = recipients.map((recipient) => new Job(delivery, recipient))
      this.#fallback.site().take(jobs, this.#fallback.exchangers)
      return
    }
    this.#exchangers = exchangers
    this.#line.add(delivery, recipients)
    this.#employ()
  }

  /** Gives up a delivery's recipients that still wait, with this conclusion. */
  withdraw(delivery: Delivery, conclusion: Conclusion): void {
    for (const job of this.#line.withdraw(delivery)) conclude(job, conclusion, this.#around)
  }

  /** As many workers as there is work for, one until the site has shown that it answers. */
  #employ(served: Delivery | null = null): void {
    const most = this.#isReachable ? this.#ceiling.sessions : 1
    const wanted = Math.min(most, this.#workers.size + this.#work(most, served))
    while (this.#workers.size < wanted) {
      const worker = this.#slots(() => new Worker(this.#workplace).run()).finally(() => {
        this.#workers.delete(worker)
        if (this.#line.length > 0) this.#employ()
      })
      this.#workers.add(worker)
    }
  }

  /** Transactions that wait for a worker. `served`: a worker is about to begin one of this delivery. */
  #work(most: number, served: Delivery | null): number {
    const [exchanger] = this.#exchangers
    const { recipientsPerTransaction } = exchanger?.relay ?? this.#around.limits.settings
    return this.#line.transactions(recipientsPerTransaction, most, served)
  }

  readonly #workplace: Workplace = {
    around: () => this.#around,
    next: () => this.#line.next(),
    hasWaiting: () => this.#line.length > 0,
    companions: (lead, most, mayCome) => this.#line.companions(lead, most, mayCome),
    requeue: (job) => this.#line.requeue(job),
    sessions: () => this.#sessions,
    exchangers: () => this.#exchangers,
    reached: (job) => {
      if (this.#isReachable) return
      this.#isReachable = true
      this.#employ(job.delivery)
    },
    giveUp: (job) => this.#giveUp(job),
  }

  /**
   * No session was to be had. While others are open, or about to be, the host has only enough of us, and the job goes
   * back to them.
   * @returns whether this worker may go on
   */
  #giveUp(job: Job): boolean {
    if (this.#sessions.atWork > 0 || this.#sessions.count > 0) {
      this.#ceiling.reduce(this.#sessions.atWork)
      this.#line.putBack(job)
      return false
    }
    this.#isReachable = false
    // Whoever waits would be told the same after the same time-outs.
    const jobs = [job]
    for (let other = this.#line.next(); other !== null; other = this.#line.next()) {
      other.shareFate(job)
      jobs.push(other)
    }
    this.#handOver(jobs)
    return true
  }

  /** To the fallback relay, if there is one for whom nobody here could be connected to; else their outcomes are due. */
  #handOver(jobs: readonly Job[]): void {
    const fallback = this.#fallback
    const movable = new Set(fallback === null ? [] : jobs.filter(({ causes }) => isUnconnectable(causes)))
    for (const job of jobs) {
      if (!movable.has(job)) conclude(job, concludeExhausted(job.causes), this.#around)
    }
    if (fallback === null || movable.size === 0) return
    this.#bypassUntil = this.#around.clock.monotonic() + BYPASS_MS
    fallback.site().take([...movable], fallback.exchangers)
  }

  /** Goes on with jobs of a site that cannot be connected to. */
  take(jobs: readonly Job[], exchangers: readonly Exchanger[]): void {
    this.#exchangers = exchangers
    for (const job of jobs.toReversed()) {
      job.takeFallback()
      this.#line.requeue(job)
    }
    this.#employ()
  }
}
