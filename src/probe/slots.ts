/**
 * How much is asked at once. One rule: a session holds a slot of its site and one of all, the site's first, so that those
 * who wait for a busy site take up nobody's place.
 */
import pLimit, { type LimitFunction } from 'p-limit'

interface Site {
  readonly limit: LimitFunction
  /** Sessions that have a slot or wait for one; a site without any is forgotten. */
  users: number
}

/** The slots of one run. */
export class ProbeSlots {
  readonly #overall: LimitFunction
  readonly #perSite: number
  readonly #sites = new Map<string, Site>()

  constructor({ concurrency, perSite }: { readonly concurrency: number; readonly perSite: number }) {
    this.#overall = pLimit(concurrency)
    this.#perSite = perSite
  }

  /** Does the work when it has both slots. `site`: the key of `Route`. @throws `signal.reason` when aborted before */
  async run<T>(site: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { limit } = this.#enter(site)
    try {
      return await limit(() => {
        signal.throwIfAborted()
        return this.#overall(() => {
          signal.throwIfAborted()
          return work()
        })
      })
    } finally {
      this.#leave(site)
    }
  }

  #enter(name: string): Site {
    const site = this.#sites.get(name) ?? { limit: pLimit(this.#perSite), users: 0 }
    site.users++
    this.#sites.set(name, site)
    return site
  }

  #leave(name: string): void {
    const site = this.#sites.get(name)
    if (site === undefined) return
    site.users--
    if (site.users === 0) this.#sites.delete(name)
  }
}
