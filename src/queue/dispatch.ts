/**
 * Leased entries on the way to their verdicts: placed, delivered, judged, settled.
 *
 * One rule: every entry that is taken is settled or given back, whatever goes wrong with it; one that cannot be read, or
 * meets a defect of ours, is deferred or kept as dead and never holds up the others.
 */
import type { Deliverer } from '../delivery/deliver.ts'
import type { Outcome } from '../delivery/outcome.ts'
import type { Recipient } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import type { Router } from '../route/route.ts'
import type { Clock } from '../time/clock.ts'
import { lastOf } from './attempt-record.ts'
import { envelopeOf } from './bounce-wishes.ts'
import type { QueueEntry } from './entry.ts'
import { QueueDamagedError } from './errors.ts'
import { type Firmness, firmly } from './firmly.ts'
import { retrySourceOf } from './retry-source.ts'
import { SharedContents } from './shared-contents.ts'
import { isSiteProof, isSiteTrouble, type SiteTroubles } from './site-troubles.ts'
import type { Slots } from './slots.ts'
import type { LeasedEntry, QueueStore, Settlement } from './store.ts'
import { type Judge, judgeDefect, judgeNotice, judgeOutcome } from './verdict.ts'

/** What dispatching works with. */
export interface DispatchParts {
  readonly store: QueueStore
  readonly deliverer: Pick<Deliverer, 'deliver'>
  /** The deliverer's own, so that a site means the same to both. */
  readonly router: Pick<Router, 'route'>
  readonly clock: Clock
  readonly judge: Judge
  readonly slots: Slots
  readonly troubles: SiteTroubles
  readonly firmness: Firmness
  readonly onSettled: (settled: SettledEntry) => void
  /** A slot has become free. */
  readonly onFree: () => void
}

/** An entry that has been settled. */
export interface SettledEntry {
  /** As it stood when it was leased. */
  readonly entry: QueueEntry
  readonly settlement: Settlement
  /** `null` for notices, and for entries that could not be read. */
  readonly outcome: Outcome | null
}

/** One runner's. */
export class Dispatch {
  readonly #parts: DispatchParts
  readonly #contents: SharedContents

  constructor(parts: DispatchParts) {
    this.#parts = parts
    this.#contents = new SharedContents(parts.store)
  }

  /**
   * Entries of one submission, of any sites, that may come from one address of ours. Their slots are taken; they are free
   * when it resolves.
   */
  async deliver(leased: readonly LeasedEntry[]): Promise<void> {
    const placed = await Promise.all(leased.map(({ entry }) => this.#place(entry)))
    const entries = placed.filter((entry) => entry !== null)
    const [first] = entries
    if (first === undefined) return
    const open = new Set(entries)
    try {
      await this.#contents.use(first.submissionId, (message) => this.#deliverAll(message, entries, open))
    } catch (error) {
      await Promise.all([...open].map((entry) => this.#setAside(entry, error as Error)))
      for (const entry of open) this.#free(entry)
    }
  }

  /** An entry whose time is over, or that is late. */
  async notify(notice: LeasedEntry, now: number): Promise<void> {
    const { entry } = notice
    try {
      await this.#contents.use(entry.submissionId, async (message) =>
        this.#settle(entry, await judgeNotice(notice, { message, now }, this.#parts.judge), null),
      )
    } catch (error) {
      await this.#setAside(entry, error as Error)
    }
  }

  /** The entry under the site that serves its domain now; `null` when that has no room, or is in trouble, and it was given back. */
  async #place(entry: QueueEntry): Promise<QueueEntry | null> {
    const { store, router, slots, judge, firmness, troubles } = this.#parts
    const { domain } = entry.recipient.address
    let site: string
    try {
      site = (await router.route(domain, { signal: firmness.signal })).site
    } catch {
      // What is wrong with the domain is in the outcome, later.
      return entry
    }
    if (site === entry.site) return entry
    // A probe that has gone elsewhere says nothing of the site that it was let through for, and would not again for hours:
    // whoever waits there finds out for himself, this domain's others too.
    if (troubles.clear(entry.site)) await firmly(() => store.siteWorks(entry.site), firmness)
    // Before the store moves the others: a lease right behind that has to know how much is in flight there.
    slots.release(entry.site)
    slots.take(site)
    await firmly(() => store.place(domain, site), firmness)
    const moved = { ...entry, site }
    if (!slots.isOver(site) && !troubles.has(site)) return moved
    await firmly(() => store.giveBack([entry.id], judge.owner), firmness)
    this.#free(moved)
    return null
  }

  async #deliverAll(message: Message, entries: readonly QueueEntry[], open: Set<QueueEntry>): Promise<void> {
    const { store, deliverer, clock, judge, firmness } = this.#parts
    const begunAt = clock.now()
    const [first, ...others] = entries
    if (first === undefined) return
    const envelope = envelopeOf([first, ...others])
    const byRecipient = new Map<Recipient, QueueEntry | undefined>(
      envelope.recipients.map((recipient, index) => [recipient, entries[index]]),
    )
    const preferredSource = retrySourceOf(first)
    const outcomes = deliverer.deliver(message, envelope, {
      id: first.submissionId,
      signal: firmness.signal,
      beforeContent: async (recipient) => {
        const entry = byRecipient.get(recipient)
        if (entry !== undefined) await store.begin(entry.id, judge.owner)
      },
      ...(preferredSource === null ? {} : { preferredSource }),
    })
    const settling: Promise<void>[] = []
    try {
      for await (const outcome of outcomes) {
        const entry = byRecipient.get(outcome.recipient)
        if (entry === undefined) continue
        open.delete(entry)
        settling.push(this.#conclude(outcome, { entry, message, begunAt }))
      }
    } catch (error) {
      // After the last outcome, and only because the runner is being stopped.
      if (!firmness.signal.aborted) throw error
    } finally {
      await Promise.all(settling)
    }
  }

  async #conclude(
    outcome: Outcome,
    about: { readonly entry: QueueEntry; readonly message: Message; readonly begunAt: number },
  ): Promise<void> {
    const { store, clock, judge, firmness } = this.#parts
    const { entry, begunAt } = about
    const now = clock.now()
    try {
      if (firmness.signal.aborted && isBrokenOff(outcome)) {
        await firmly(() => store.giveBack([entry.id], judge.owner), firmness)
        return
      }
      const [settlement] = await Promise.all([
        judgeOutcome(outcome, { ...about, now }, judge),
        // Asked before the settlement, so that no second probe slips in between.
        this.#tellSite(entry.site, outcome, { now, begunAt }),
      ])
      await this.#settle(entry, settlement, outcome)
    } catch (error) {
      await this.#setAside(entry, error as Error)
    } finally {
      this.#free(entry)
    }
  }

  async #tellSite(
    site: string,
    outcome: Outcome,
    { now, begunAt }: { readonly now: number; readonly begunAt: number },
  ): Promise<void> {
    const { store, slots, troubles, firmness } = this.#parts
    if (isSiteTrouble(outcome, site)) {
      slots.disprove(site)
      const trouble = troubles.fail(site, lastOf(outcome, now), begunAt)
      if (trouble !== null) await firmly(() => store.siteFailed(site, trouble), firmness)
    } else if (isSiteProof(outcome)) {
      slots.prove(site)
      if (troubles.clear(site)) await firmly(() => store.siteWorks(site), firmness)
    }
  }

  async #settle(entry: QueueEntry, settlement: Settlement, outcome: Outcome | null): Promise<void> {
    const { store, firmness, onSettled } = this.#parts
    const isSettled = await firmly(() => store.settle(settlement), firmness)
    if (isSettled === true) onSettled({ entry, settlement, outcome })
  }

  /** What cannot be read is kept as dead, for somebody to see; anything else is tried again later. */
  async #setAside(entry: QueueEntry, error: Error): Promise<void> {
    const { clock, judge, firmness } = this.#parts
    firmness.onTrouble(error)
    const isLost = error instanceof QueueDamagedError
    await this.#settle(entry, judgeDefect(error, { entry, now: clock.now(), isLost }, judge), null)
  }

  #free({ site }: QueueEntry): void {
    this.#parts.slots.release(site)
    this.#parts.onFree()
  }
}

/** Nobody has had a word on it, so the stop may well be the reason. */
function isBrokenOff(outcome: Outcome): boolean {
  return outcome.kind === 'deferred' && !outcome.uncertain && outcome.cause.reply === undefined
}
