/**
 * The runner: takes what is due, has it delivered, and sleeps until something is due again.
 *
 * One rule: it never looks for work that cannot be there: it sleeps until the store's next due time, a freed slot, or a
 * word that something was added.
 */
import { randomUUID } from 'node:crypto'
import type { Deliverer } from '../delivery/deliver.ts'
import type { Router } from '../route/route.ts'
import type { Clock } from '../time/clock.ts'
import { AlarmClock, type Wait, waitForTimer } from './alarm-clock.ts'
import type { Bouncer } from './bouncer.ts'
import { Dispatch, type SettledEntry } from './dispatch.ts'
import { QueueClosedError } from './errors.ts'
import { TROUBLE_WAIT_MS } from './firmly.ts'
import { retrySourceOf } from './retry-source.ts'
import { SiteTroubles } from './site-troubles.ts'
import { type SlotSettings, Slots, UNPROVEN_PER_SITE } from './slots.ts'
import type { LeasedEntry, QueueStore } from './store.ts'
import type { Judge, VerdictSettings } from './verdict.ts'

export type { SettledEntry } from './dispatch.ts'

/** What a runner works with. */
export interface RunnerParts {
  readonly store: QueueStore
  readonly deliverer: Pick<Deliverer, 'deliver'>
  /** The deliverer's own, so that a site means the same to both. */
  readonly router: Pick<Router, 'route'>
  readonly bouncer: Bouncer
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  /** Default: timers that do not keep the process alive. */
  readonly wait?: Wait
  /** Told of every entry that has been settled, after that is on disk. */
  readonly onSettled?: (settled: SettledEntry) => void
  /** Told when the store fails, or a defect is met; the runner goes on. */
  readonly onTrouble?: (error: Error) => void
}

/** How a runner works. */
export type RunnerSettings = VerdictSettings & SlotSettings

/** Longer than a transaction may take by its time limits; prolonged in time in any case. */
const LEASE_MS = 3_600_000
/** A sleep is cut into pieces, because the host's clock may be set meanwhile. */
const LONGEST_SLEEP_MS = 60_000
/** Something is said to be due and was not to be had: a moment, so that it cannot become a busy loop. */
const BREATH_MS = 20
/** The host's clock and the one that only counts have moved apart by so much: it was set, or the host has slept. */
const CLOCK_JUMP_MS = 600_000
/** What ran out while nobody could try it is tried for so long: a greylisting server has its time too. */
const GRACE_MS = 3_600_000
/** Notices taken at once: each may compose a report. */
const NOTICES_AT_ONCE = 50

/** Works a queue off. Start it, and stop it before the store is closed. */
export class Runner {
  readonly #store: QueueStore
  readonly #clock: Clock
  readonly #random: () => number
  readonly #slots: Slots
  readonly #troubles: SiteTroubles
  readonly #judge: Judge
  readonly #dispatch: Dispatch
  readonly #alarm: AlarmClock
  readonly #onTrouble: (error: Error) => void
  readonly #stopping = new AbortController()
  readonly #atWork = new Set<Promise<void>>()
  #running: Promise<void> | null = null
  #leasedUntil = 0
  #clockOffset = 0

  constructor(parts: RunnerParts, settings: RunnerSettings) {
    const { store, deliverer, router, bouncer, clock, random, wait = waitForTimer } = parts
    this.#store = store
    this.#clock = clock
    this.#random = random
    this.#alarm = new AlarmClock(wait)
    this.#onTrouble = parts.onTrouble ?? (() => {})
    this.#slots = new Slots(settings)
    this.#troubles = new SiteTroubles(settings.retry, random)
    this.#judge = { settings, bouncer, owner: randomUUID(), random }
    this.#dispatch = new Dispatch({
      store,
      deliverer,
      router,
      clock,
      judge: this.#judge,
      slots: this.#slots,
      troubles: this.#troubles,
      firmness: { wait, signal: this.#stopping.signal, onTrouble: this.#onTrouble },
      onSettled: parts.onSettled ?? (() => {}),
      onFree: () => this.#alarm.ring(),
    })
  }

  /** Takes over what a crash has left, and begins. @throws {QueueError} when the store cannot be worked with */
  async start(): Promise<void> {
    const { retry, onUncertain } = this.#judge.settings
    const now = this.#clock.now()
    await this.#store.reclaim({
      now,
      survivor: this.#judge.owner,
      // As after any attempt that failed: the peer may be busy with the first copy still.
      dueAt: now + Math.round(retry.firstMs * (1 + this.#random() / 5)),
      hold: onUncertain === 'hold',
    })
    await this.#catchUp()
    this.#running = this.#run()
    void this.#listen()
  }

  /**
   * Takes nothing more, has transactions past the final dot finished and the others broken off, records what is known
   * and gives the rest back. As long as a peer may take for its last reply; the caller sets the limit.
   */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the queue is being stopped'))
    this.#alarm.ring()
    await this.#running
    while (this.#atWork.size > 0) await Promise.all(this.#atWork)
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const { taken, nextDueAt } = await this.#take()
        if (taken === 0) await this.#sleepUntil(nextDueAt)
      } catch (error) {
        this.#onTrouble(error as Error)
        if (error instanceof QueueClosedError) return
        await this.#alarm.sleep(TROUBLE_WAIT_MS)
      }
    }
  }

  /** Mail is not given up because this host was switched off, nor kept waiting because its clock was wrong. */
  async #catchUp(): Promise<void> {
    const now = this.#clock.now()
    const clockOffset = this.#offset()
    const { firstMs, maxMs } = this.#judge.settings.retry
    // Nothing is ever made to wait so long, jitter and probes included.
    const longestWaitMs = 2 * Math.max(firstMs, maxMs, LEASE_MS)
    await this.#store.catchUp({ now, graceUntil: now + GRACE_MS, latestDueAt: now + longestWaitMs })
    this.#troubles.forget()
    this.#clockOffset = clockOffset
  }

  #offset(): number {
    return this.#clock.now() - this.#clock.monotonic()
  }

  /** All is asked of the store at once: one transaction, and one way there and back. */
  async #take(): Promise<{ readonly taken: number; readonly nextDueAt: number | null }> {
    if (Math.abs(this.#offset() - this.#clockOffset) > CLOCK_JUMP_MS) await this.#catchUp()
    const claim = await this.#claim()
    const room = this.#slots.room()
    const max = this.#slots.free
    const [notices, leased, nextDueAt] = await Promise.all([
      this.#store.leaseNotices({ ...claim, max: NOTICES_AT_ONCE }),
      max > 0 ? this.#store.lease({ ...claim, max, perSite: UNPROVEN_PER_SITE, room }) : [],
      max > 0 ? this.#store.nextDue(room) : null,
    ])
    this.#deliver(leased)
    // Waited for: composing reports is work of this thread, and deliveries go on meanwhile.
    await Promise.all(notices.map((notice) => this.#dispatch.notify(notice, claim.now)))
    return { taken: leased.length + notices.length, nextDueAt }
  }

  #deliver(leased: readonly LeasedEntry[]): void {
    for (const { entry, trouble } of leased) {
      this.#slots.take(entry.site)
      if (trouble !== null) this.#troubles.learn(entry.site, trouble)
    }
    for (const group of byDelivery(leased)) this.#employ(this.#dispatch.deliver(group))
  }

  /** Who claims, and until when; what is claimed already is prolonged with it. */
  async #claim(): Promise<{ readonly owner: string; readonly now: number; readonly until: number }> {
    const now = this.#clock.now()
    const { owner } = this.#judge
    if (this.#leasedUntil - now < LEASE_MS / 2) {
      this.#leasedUntil = now + LEASE_MS
      if (this.#slots.inFlight > 0) await this.#store.extend(owner, this.#leasedUntil)
    }
    return { owner, now, until: this.#leasedUntil }
  }

  /** `null`: until woken. */
  async #sleepUntil(dueAt: number | null): Promise<void> {
    const waitMs = dueAt === null ? LONGEST_SLEEP_MS : dueAt - this.#clock.now()
    await this.#alarm.sleep(Math.min(Math.max(waitMs, BREATH_MS), LONGEST_SLEEP_MS))
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        await this.#store.changed(this.#stopping.signal)
        this.#alarm.ring()
      }
    } catch {
      // Stopped, or closed.
    }
  }

  #employ(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => this.#onTrouble(error as Error))
      .finally(() => this.#atWork.delete(done))
    this.#atWork.add(done)
  }
}

/** What can be delivered together: entries of one submission that come from one address. */
function byDelivery(leased: readonly LeasedEntry[]): Iterable<readonly LeasedEntry[]> {
  return Map.groupBy(leased, ({ entry }) => `${entry.submissionId} ${retrySourceOf(entry) ?? ''}`).values()
}
