/**
 * The recipients that wait for one set of exchangers, and the sessions that serve them. Domains hosted at one provider
 * share a site, so ten thousand of them use no more sessions than one.
 *
 * One rule: a site first proves with one session that it can be reached, and only then takes the slots it may have; so a
 * dead site costs the others one slot.
 */
import type { Session } from '../client/session.ts'
import { nextTurn } from '../client/turn.ts'
import type { Recipient } from '../mail/envelope.ts'
import type { Exchanger } from '../route/exchangers.ts'
import { classifyDefect } from './classify.ts'
import { type Conclusion, type Delivery, Job } from './job.ts'
import type { SiteSlots } from './limits.ts'
import { Line } from './line.ts'
import type { Opened } from './open-session.ts'
import type { Cause } from './outcome.ts'
import { conclude, concludeExhausted, type Served, type SessionSource, serve } from './serve.ts'
import { SiteCeiling } from './site-ceiling.ts'
import { SiteSessions } from './site-sessions.ts'
import type { Surroundings } from './surroundings.ts'

/** After this many recipients in a row a worker lets other sites have its slot, if any wait. */
const TURN_LENGTH = 50

/** One site; lives as long as its agent. */
export class Site {
  readonly #around: Surroundings
  readonly #slots: SiteSlots
  readonly #line = new Line()
  readonly #sessions: SiteSessions
  readonly #ceiling: SiteCeiling
  readonly #workers = new Set<Promise<void>>()
  #exchangers: readonly Exchanger[] = []
  #isReachable = false

  constructor(around: Surroundings) {
    this.#around = around
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
    this.#exchangers = exchangers
    this.#line.add(delivery, recipients)
    this.#employ()
  }

  /** Gives up a delivery's recipients that still wait, with this conclusion. */
  withdraw(delivery: Delivery, conclusion: Conclusion): void {
    for (const recipient of this.#line.withdraw(delivery)) {
      conclude(new Job(delivery, recipient), conclusion, this.#around)
    }
  }

  /** As many workers as there is work for, one until the site has shown that it answers. */
  #employ(): void {
    const wanted = Math.min(
      this.#isReachable ? this.#ceiling.sessions : 1,
      this.#workers.size + this.#line.length,
    )
    while (this.#workers.size < wanted) {
      const worker = this.#slots(() => this.#work()).finally(() => {
        this.#workers.delete(worker)
        if (this.#line.length > 0) this.#employ()
      })
      this.#workers.add(worker)
    }
  }

  /** Serves recipients until none waits or it is others' turn. */
  async #work(): Promise<void> {
    let session: Session | null = null
    for (let served = 0; served < TURN_LENGTH || !this.#around.limits.isContended; served++) {
      const job = this.#line.next()
      if (job === null) break
      const result = await this.#serve(job, session)
      session = result.session
      if (result.kind === 'unreachable' && !this.#giveUp(job, result.causes)) break
      session = await this.#readyForNext(session)
    }
    if (session !== null) this.#sessions.park(session)
  }

  /** A defect of ours while serving a recipient must not cost the others their outcomes. */
  async #serve(job: Job, session: Session | null): Promise<Served> {
    try {
      return await serve(job, session, this.#source, this.#around)
    } catch (error) {
      if (!job.isConcluded) conclude(job, concludeExhausted([classifyDefect(error as Error)]), this.#around)
      return { kind: 'concluded', session: null }
    }
  }

  async #readyForNext(session: Session | null): Promise<Session | null> {
    if (session === null || this.#line.length === 0) return session
    if (this.#sessions.isWorn(session)) {
      await this.#sessions.end(session)
      return null
    }
    // What the peer sent right behind its reply is seen before the session is used again.
    await nextTurn()
    return session
  }

  readonly #source: SessionSource = {
    obtain: (job) => this.#obtain(job),
    release: (session) => this.#sessions.park(session),
  }

  async #obtain(job: Job): Promise<Opened> {
    const opened = await this.#sessions.obtain(job, this.#exchangers)
    if (opened.session !== null && !this.#isReachable) {
      this.#isReachable = true
      this.#employ()
    }
    return opened
  }

  /**
   * No session was to be had. While others are open, or about to be, the host has only enough of us, and the job goes
   * back to them.
   * @returns whether this worker may go on
   */
  #giveUp(job: Job, causes: readonly Cause[]): boolean {
    if (this.#sessions.atWork > 0 || this.#sessions.count > 0) {
      this.#ceiling.reduce(this.#sessions.atWork)
      this.#line.putBack(job)
      return false
    }
    this.#isReachable = false
    const conclusion = concludeExhausted(causes)
    conclude(job, conclusion, this.#around)
    // Whoever waits would be told the same after the same time-outs.
    for (let other = this.#line.next(); other !== null; other = this.#line.next()) {
      other.attempts.push(...job.attempts)
      conclude(other, conclusion, this.#around)
    }
    return true
  }
}
