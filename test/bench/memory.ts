/** Memory over one long delivery: does it grow with the number of recipients? */
import type { RssSample, SenderReport } from './usage.ts'

/**
 * Each is measured with these options of Node. By default V8 lets its young generation grow to 64 MiB whatever is
 * allocated; the second figure, with a quarter of it, tells what the program itself holds.
 */
export const memoryNodeOptions: readonly (readonly string[])[] = [[], ['--max-semi-space-size=8']]

/** What the samples of a run say. */
export interface MemoryCourse {
  readonly nodeOptions: readonly string[]
  readonly recipients: number
  readonly peakRssMiB: number
  /** Resident memory at each tenth of the recipients. */
  readonly rssMiBByTenth: readonly number[]
  /** The last half's mean less the mean of the second fifth to the middle, so without the start; flat is about 0. */
  readonly growthMiB: number
}

const MIB = 1024 ** 2

export function memoryCourse(
  { peakRssOctets, rssSamples: samples }: Pick<SenderReport, 'peakRssOctets' | 'rssSamples'>,
  nodeOptions: readonly string[] = [],
): MemoryCourse {
  const { length } = samples
  const tenths = Array.from({ length: 10 }, (_, tenth) => samples[Math.ceil(((tenth + 1) * length) / 10) - 1])
  return {
    nodeOptions,
    recipients: samples.at(-1)?.delivered ?? 0,
    peakRssMiB: peakRssOctets / MIB,
    rssMiBByTenth: tenths.map((sample) => (sample?.rssOctets ?? Number.NaN) / MIB),
    growthMiB: meanMiB(samples.slice(length / 2)) - meanMiB(samples.slice(length / 5, length / 2)),
  }
}

function meanMiB(samples: readonly RssSample[]): number {
  return samples.reduce((sum, { rssOctets }) => sum + rssOctets, 0) / samples.length / MIB
}
