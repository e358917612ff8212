/**
 * What is in flight, by site: how much may be leased more.
 *
 * One rule: a site that has not shown lately that it takes mail gets little, so that many dead ones together cannot take
 * all there is; one that has shown it gets enough to keep its sessions busy.
 */

/** How much is in flight at most. */
export interface SlotSettings {
  /** Entries altogether; each costs its row and a share of its message in memory. */
  readonly total: number
  /** Entries of one site that takes mail. */
  readonly perSite: number
}

/** Entries of a site that has shown nothing yet. */
export const UNPROVEN_PER_SITE = 2
/** Sites remembered as taking mail; the oldest goes, and begins anew. */
const PROVEN_SITES = 1_000

/** Counts entries in flight. */
export class Slots {
  readonly #settings: SlotSettings
  readonly #counts = new Map<string, number>()
  readonly #proven = new Set<string>()
  #total = 0

  constructor(settings: SlotSettings) {
    this.#settings = settings
  }

  /** Entries in flight. */
  get inFlight(): number {
    return this.#total
  }

  /** Entries that may be leased altogether. */
  get free(): number {
    return this.#settings.total - this.#total
  }

  take(site: string): void {
    this.#counts.set(site, (this.#counts.get(site) ?? 0) + 1)
    this.#total++
  }

  release(site: string): void {
    const left = (this.#counts.get(site) ?? 0) - 1
    if (left > 0) this.#counts.set(site, left)
    else this.#counts.delete(site)
    this.#total--
  }

  /** Whether more has been taken for the site than it may have; its name was not known when it was taken. */
  isOver(site: string): boolean {
    return (this.#counts.get(site) ?? 0) > this.#limitOf(site)
  }

  /** For `QueueStore.lease`: every site whose room is not that of an unproven one. */
  room(): ReadonlyMap<string, number> {
    const room = new Map<string, number>()
    for (const site of this.#proven) room.set(site, this.#roomOf(site))
    for (const site of this.#counts.keys()) room.set(site, this.#roomOf(site))
    return room
  }

  /** The site takes mail. */
  prove(site: string): void {
    this.#proven.delete(site)
    this.#proven.add(site)
    if (this.#proven.size <= PROVEN_SITES) return
    for (const oldest of this.#proven) {
      this.#proven.delete(oldest)
      return
    }
  }

  /** It does not any more. */
  disprove(site: string): void {
    this.#proven.delete(site)
  }

  #roomOf(site: string): number {
    return Math.max(0, this.#limitOf(site) - (this.#counts.get(site) ?? 0))
  }

  #limitOf(site: string): number {
    const { perSite } = this.#settings
    return this.#proven.has(site) ? perSite : Math.min(perSite, UNPROVEN_PER_SITE)
  }
}
