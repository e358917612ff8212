/**
 * What is known of sites in trouble. One rule: what fails at the same time has failed once; only an entry that was begun
 * after the last failure counts as another probe.
 */
import type { Outcome, Stage } from '../delivery/outcome.ts'
import { isUnrouted, type LastTrouble } from './entry.ts'
import { type RetrySettings, siteWaitMs } from './retry.ts'
import type { SiteTrouble } from './store.ts'

/** Sites remembered here; the store remembers all of them, and says so with each lease. */
const REMEMBERED = 10_000

const SESSION_STAGES: ReadonlySet<Stage> = new Set(['connect', 'greeting', 'ehlo', 'starttls', 'auth'])

/** One runner's. */
export class SiteTroubles {
  readonly #settings: RetrySettings
  readonly #random: () => number
  readonly #known = new Map<string, SiteTrouble>()

  constructor(settings: RetrySettings, random: () => number) {
    this.#settings = settings
    this.#random = random
  }

  /** What the store has said. */
  learn(site: string, trouble: SiteTrouble): void {
    this.#known.delete(site)
    this.#known.set(site, trouble)
    if (this.#known.size <= REMEMBERED) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }

  /** An entry begun at `begunAt` has failed. @returns the trouble to be told to the store; `null` when it is known */
  fail(site: string, last: LastTrouble, begunAt: number): SiteTrouble | null {
    const known = this.#known.get(site)
    if (known !== undefined && known.last.at >= begunAt) return null
    const failures = (known?.failures ?? 0) + 1
    const trouble: SiteTrouble = {
      until: last.at + siteWaitMs(failures, this.#settings, this.#random()),
      since: known?.since ?? last.at,
      failures,
      last,
    }
    this.learn(site, trouble)
    return trouble
  }

  /** The clock by which they were known was wrong; the store says what is left of them. */
  forget(): void {
    this.#known.clear()
  }

  /** Whether the site is to be left alone but for probes. */
  has(site: string): boolean {
    return this.#known.has(site)
  }

  /** @returns whether there was trouble */
  clear(site: string): boolean {
    return this.#known.delete(site)
  }
}

/**
 * Whether the outcome says that nobody at the site can be reached, and not only that this recipient was refused. A domain
 * whose DNS does not answer is in trouble by itself, not together with its former neighbours.
 */
export function isSiteTrouble(outcome: Outcome, site: string): boolean {
  if (outcome.kind !== 'deferred' || outcome.uncertain) return false
  const { stage } = outcome.cause
  if (stage === 'route') return isUnrouted(site)
  return SESSION_STAGES.has(stage) && outcome.attempts.every((attempt) => SESSION_STAGES.has(attempt.stage))
}

/** Whether the outcome says that somebody at the site takes part in transactions. */
export function isSiteProof({ kind, attempts }: Outcome): boolean {
  return (
    kind === 'delivered' || attempts.some(({ stage }) => !SESSION_STAGES.has(stage) && stage !== 'policy')
  )
}
