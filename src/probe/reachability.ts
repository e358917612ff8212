/**
 * What a run has learnt about port 25 as such. "Their server is down" and "the port is blocked from here" look the same
 * from one failure; they are told apart by what others do.
 *
 * One rule: the port seems blocked only while nobody has ever answered and several unrelated sites have not.
 */
import { ConnectError } from '../smtp/errors.ts'

/** Sites that fail before it is the port and not they. */
export const ENOUGH_SITES = 3
/** How long an address that did not answer is not dialled again in the same run. */
const REMEMBER_MS = 5 * 60_000
/** Addresses remembered; the oldest goes. */
const MAX_ADDRESSES = 10_000

/** One per run. */
export class Reachability {
  #hasConnected = false
  readonly #silentSites = new Set<string>()
  readonly #failures = new Map<string, { readonly error: ConnectError; readonly until: number }>()
  readonly #now: () => number

  /** `now`: milliseconds on a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Nothing anywhere has answered, and enough was tried to say so. */
  get seemsBlocked(): boolean {
    return !this.#hasConnected && this.#silentSites.size >= ENOUGH_SITES
  }

  connected(): void {
    this.#hasConnected = true
    this.#silentSites.clear()
  }

  failed(site: string, place: string, error: ConnectError): void {
    if (!this.#hasConnected && this.#silentSites.size < ENOUGH_SITES) this.#silentSites.add(site)
    this.#failures.delete(place)
    this.#failures.set(place, { error, until: this.#now() + REMEMBER_MS })
    if (this.#failures.size <= MAX_ADDRESSES) return
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest)
      return
    }
  }

  /** Why an address (`ip port`) need not be dialled again: it failed a moment ago, and has no time to be for each mailbox. */
  knownFailure(place: string): ConnectError | null {
    const known = this.#failures.get(place)
    if (known === undefined) return null
    if (known.until > this.#now()) {
      return new ConnectError(`${known.error.message}, a moment ago`, { cause: known.error.cause })
    }
    this.#failures.delete(place)
    return null
  }

  /** One sentence on a target none of whose addresses could be connected to. */
  meaning(errors: readonly ConnectError[], port: number): string {
    if (this.seemsBlocked) {
      return `Nothing answers on port ${port} anywhere, so it is probably blocked from here: ask your provider, or mxpress doctor.`
    }
    if (errors.length > 0 && errors.every(isRefused)) {
      return `The host answers and refuses port ${port}: their mail server is down.`
    }
    if (this.#hasConnected) {
      return `Others answer on port ${port}, so it is theirs that is down, or keeps us out.`
    }
    return `No answer on port ${port}: their server is down, or the port is blocked from here; mxpress doctor tells which.`
  }
}

function isRefused({ cause }: ConnectError): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'
}
