/** What a sender or the sink has used of the machine. */

/** What every contender reports of a run. */
export interface SenderReport {
  readonly delivered: number
  readonly elapsedMs: number
  /** User and system time of the whole process, from the first connection to the last outcome. */
  readonly cpuMs: number
  readonly peakRssOctets: number
  /** Resident memory while it sent, at even steps of the count; empty when not sampled. */
  readonly rssSamples: readonly RssSample[]
}

export interface RssSample {
  readonly delivered: number
  readonly rssOctets: number
}

/** Samples per run: enough to see a slope. */
const sampleCount = 50

/** Measures this process from its construction on. */
export class UsageMeter {
  readonly #messages: number
  readonly #startedAt = performance.now()
  readonly #cpuBefore = process.cpuUsage()
  readonly #rssSamples: RssSample[] = []
  #delivered = 0

  /** @param messages how many are expected */
  constructor(messages: number) {
    this.#messages = messages
  }

  /** Counts a delivered message. */
  delivered(): void {
    this.#delivered++
    if (this.#delivered % Math.ceil(this.#messages / sampleCount) > 0) return
    this.#rssSamples.push({ delivered: this.#delivered, rssOctets: process.memoryUsage.rss() })
  }

  report(): SenderReport {
    return {
      delivered: this.#delivered,
      elapsedMs: performance.now() - this.#startedAt,
      cpuMs: cpuMsSince(this.#cpuBefore),
      // maxRSS is in KiB.
      peakRssOctets: process.resourceUsage().maxRSS * 1024,
      rssSamples: this.#rssSamples,
    }
  }
}

/** This process's user and system time since an earlier reading. */
export function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
