/**
 * A site's worker: serves one recipient after the other, with one session as long as it lasts. One rule: it holds a global
 * slot only while it has a session, so that waiting for a host that does not answer costs no other site anything.
 */
import type { Session } from '../client/session.ts'
import { nextTurn } from '../client/turn.ts'
import type { Exchanger } from '../route/exchangers.ts'
import { classifyDefect } from './classify.ts'
import type { Job } from './job.ts'
import type { ReleaseSlot } from './limits.ts'
import type { Opened } from './open-session.ts'
import { conclude, concludeExhausted, type Served, type SessionSource, serve } from './serve.ts'
import type { SiteSessions } from './site-sessions.ts'
import type { Surroundings } from './surroundings.ts'

/** After this many recipients in a row a worker lets other sites have its slot, if any wait. */
const TURN_LENGTH = 50

/** What a worker needs of its site. */
export interface Workplace {
  around(): Surroundings
  /** The recipient whose turn it is, or `null`. */
  next(): Job | null
  hasWaiting(): boolean
  /** Others of the job's delivery who may share its transaction. */
  companions(lead: Job, most: number, mayCome: (job: Job) => boolean): readonly Job[]
  /** Lets a job wait for another turn. */
  requeue(job: Job): void
  sessions(): SiteSessions
  /** The latest answer of the DNS. */
  exchangers(): readonly Exchanger[]
  /** A session stands for the job: the site can be reached. */
  reached(job: Job): void
  /** No session was to be had. @returns whether the worker may go on */
  giveUp(job: Job): boolean
}

/** Runs once. */
export class Worker implements SessionSource {
  readonly #place: Workplace
  #slot: ReleaseSlot | null = null

  constructor(place: Workplace) {
    this.#place = place
  }

  /** Serves recipients until none waits or it is others' turn. */
  async run(): Promise<void> {
    const { limits } = this.#place.around()
    let session: Session | null = null
    for (let served = 0; served < TURN_LENGTH || !limits.isContended; served++) {
      const job = this.#place.next()
      if (job === null) break
      const result: Served = await this.#serve(job, session)
      session = result.session
      if (result.kind === 'unreachable' && !this.#place.giveUp(job)) break
      session = await this.#readyForNext(session)
    }
    if (session !== null) this.release(session)
    this.#giveBackSlot()
  }

  /** A session for a job: one that idles, or a new one; none when its delivery is aborted. */
  async obtain(job: Job): Promise<Opened> {
    const idle = this.#place.sessions().takeIdle(job)
    const opened =
      idle === null ? await this.#open(job) : { session: idle, attempts: [], triedTargets: [], causes: [] }
    if (opened.session === null) return opened
    this.#place.reached(job)
    try {
      this.#slot ??= await this.#place.around().limits.slot(job.delivery.signal)
    } catch (error) {
      this.release(opened.session)
      if (job.delivery.signal.aborted) return { ...opened, session: null }
      throw error
    }
    return opened
  }

  companions(lead: Job, session: Session, mayCome: (job: Job) => boolean): readonly Job[] {
    const { settings } = this.#place.around().limits
    const { relay } = session.target.exchanger
    const most = relay?.recipientsPerTransaction ?? settings.recipientsPerTransaction
    const allowed = Math.min(most, session.mostRecipients ?? most) - 1
    return allowed < 1 ? [] : this.#place.companions(lead, allowed, mayCome)
  }

  requeue(job: Job): void {
    this.#place.requeue(job)
  }

  /** Lets the session idle for whoever comes next. */
  release(session: Session): void {
    this.#place.sessions().park(session)
  }

  /** Ends a session that nobody can use. */
  end(session: Session): Promise<void> {
    return this.#place.sessions().end(session)
  }

  #open(job: Job): Promise<Opened> {
    this.#giveBackSlot()
    const { limits } = this.#place.around()
    return limits.opening(() => this.#place.sessions().open(job, this.#place.exchangers()))
  }

  #giveBackSlot(): void {
    this.#slot?.()
    this.#slot = null
  }

  /** A defect of ours while serving a recipient must not cost the others their outcomes. */
  async #serve(job: Job, session: Session | null): Promise<Served> {
    const around = this.#place.around()
    try {
      return await serve(job, session, this, around)
    } catch (error) {
      if (!job.isConcluded) conclude(job, concludeExhausted([classifyDefect(error as Error)]), around)
      return { kind: 'concluded', session: null }
    }
  }

  async #readyForNext(session: Session | null): Promise<Session | null> {
    if (session === null || !this.#place.hasWaiting()) return session
    const sessions = this.#place.sessions()
    if (sessions.isWorn(session)) {
      await sessions.end(session)
      return null
    }
    // What the peer sent right behind its reply is seen before the session is used again.
    await nextTurn()
    return session
  }
}
