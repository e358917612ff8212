/**
 * The open sessions of one site: those at work, and those that idle for the next recipient. One rule: every session that is
 * opened ends here, with QUIT if it is in order.
 */
import type { Session } from '../client/session.ts'
import type { Exchanger } from '../route/exchangers.ts'
import type { Job } from './job.ts'
import { type Opened, openSessionAt } from './open-session.ts'
import { logTarget } from './report-events.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * How long a session may idle. A server waits five minutes (RFC 5321 §4.5.3.2.7) but has few slots to spare; Postfix keeps
 * cached connections two seconds, which is too short for a program that sends a message now and then.
 */
const IDLE_MS = 10_000

interface OpenSession {
  /** The delivery that it was opened for, for the log. */
  readonly id: string
  readonly openedAt: number
  idleTimer: NodeJS.Timeout | null
}

/** Opens, keeps and ends the sessions of a site. */
export class SiteSessions {
  readonly #around: Surroundings
  readonly #open = new Map<Session, OpenSession>()
  readonly #idle: Session[] = []
  readonly #ending = new Set<Promise<void>>()
  #opening = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Open sessions, idle ones included. */
  get count(): number {
    return this.#open.size
  }

  /** Sessions that serve someone now, and those being opened. */
  get atWork(): number {
    return this.#open.size - this.#idle.length + this.#opening
  }

  /**
   * A session that idles, is usable and suits the job; `null` when there is none. None, too, for a job that a session in
   * reuse has failed before, because the others that idle may be as stale.
   */
  takeIdle(job: Job): Session | null {
    return job.repetitions === 0 ? this.#takeIdle(job) : null
  }

  /** A new session to a target that the job has not tried; none when its delivery is aborted. */
  async open(job: Job, exchangers: readonly Exchanger[]): Promise<Opened> {
    const place = this.#placeForOneMore()
    this.#opening++
    try {
      await place
      const opened = await this.#openFor(job, exchangers)
      if (opened.session !== null) {
        const openedAt = this.#around.clock.monotonic()
        this.#open.set(opened.session, { id: job.delivery.id, openedAt, idleTimer: null })
      }
      return opened
    } finally {
      this.#opening--
    }
  }

  /** An idle session that does not suit a job must not take up the place of one that does. */
  async #placeForOneMore(): Promise<void> {
    const { perSite } = this.#around.limits.settings
    if (this.#open.size + this.#opening + this.#ending.size < perSite) return
    const surplus = this.#idle.shift()
    if (surplus !== undefined) void this.end(surplus)
    await Promise.all(this.#ending)
  }

  #openFor(job: Job, exchangers: readonly Exchanger[]): Promise<Opened> {
    return openSessionAt(
      {
        exchangers,
        delivery: job.delivery,
        mayTry: (target) => !job.hasTried(target),
        preferredSource: job.preferredSource,
        viaOf: (target) => job.viaOf(target),
        budget: this.#around.limits.settings.maxTargets - job.attemptsOnRoad.length,
      },
      this.#around,
    )
  }

  /** Whether the session has done its share of transactions. */
  isWorn(session: Session): boolean {
    const { messagesPerSession } = this.#around.limits.settings
    // RFC 9422 §4.1: MAILMAX is what the peer allows.
    return (
      session.transactions >= Math.min(messagesPerSession, session.extensions.mailMax ?? messagesPerSession)
    )
  }

  /** Keeps a session for whoever comes next; ends it when nobody does, or when it is of no more use. */
  park(session: Session): void {
    const open = this.#open.get(session)
    if (open === undefined || !session.isUsable || this.isWorn(session)) {
      void this.end(session)
      return
    }
    this.#idle.push(session)
    open.idleTimer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(session), 1)
      void this.end(session)
    }, IDLE_MS)
  }

  /** QUIT, if there is still someone to say it to. */
  end(session: Session): Promise<void> {
    const open = this.#open.get(session)
    if (open === undefined) return Promise.resolve()
    this.#open.delete(session)
    if (open.idleTimer !== null) clearTimeout(open.idleTimer)
    const ending = this.#end(session, open).finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
    return ending
  }

  /** Ends all that idle, and waits for those that are about to end. */
  async close(): Promise<void> {
    for (const session of this.#idle.splice(0)) void this.end(session)
    await Promise.all(this.#ending)
  }

  async #end(session: Session, open: OpenSession): Promise<void> {
    const reason = session.isUsable ? 'quit' : (session.connection.failure?.message ?? 'ended by the peer')
    const { log, clock } = this.#around
    await session.quit()
    log.write({
      kind: 'session-end',
      id: open.id,
      target: logTarget(session.target),
      transactions: session.transactions,
      durationMs: clock.monotonic() - open.openedAt,
      reason,
    })
  }

  #takeIdle(job: Job): Session | null {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const session = this.#idle[at]
      if (session === undefined || !job.suits(session)) continue
      this.#idle.splice(at, 1)
      const open = this.#open.get(session)
      if (open?.idleTimer) clearTimeout(open.idleTimer)
      if (session.isUsable) return session
      void this.end(session)
    }
    return null
  }
}
