/** Memory over one long delivery: does it grow with the number of recipients? */
import type { RssSample } from './usage.ts'

/** What the samples of a run say. */
export interface MemoryCourse {
  readonly recipients: number
  readonly peakRssMiB: number
  /** Resident memory at each tenth of the recipients. */
  readonly rssMiBByTenth: readonly number[]
  /** The last half's mean less the mean of the second fifth to the middle, so without the start; flat is about 0. */
  readonly growthMiB: number
}

const MIB = 1024 ** 2

export function memoryCourse(peakRssOctets: number, samples: readonly RssSample[]): MemoryCourse {
  const { length } = samples
  const tenths = Array.from({ length: 10 }, (_, tenth) => samples[Math.ceil(((tenth + 1) * length) / 10) - 1])
  return {
    recipients: samples.at(-1)?.delivered ?? 0,
    peakRssMiB: peakRssOctets / MIB,
    rssMiBByTenth: tenths.map((sample) => (sample?.rssOctets ?? Number.NaN) / MIB),
    growthMiB: meanMiB(samples.slice(length / 2)) - meanMiB(samples.slice(length / 5, length / 2)),
  }
}

function meanMiB(samples: readonly RssSample[]): number {
  return samples.reduce((sum, { rssOctets }) => sum + rssOctets, 0) / samples.length / MIB
}
