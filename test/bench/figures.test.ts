import { expect, test } from 'vitest'
import { memoryCourse } from './memory.ts'
import { median, type Summary } from './summary.ts'
import { findings } from './targets.ts'

const MIB = 1024 ** 2

test('the median is the middle value by size, not by text', () => {
  expect(median([100, 9, 20])).toBe(20)
})

test('memory that grows with the recipients shows as growth, the start left out', () => {
  const samples = (rss: (step: number) => number) =>
    Array.from({ length: 50 }, (_, step) => ({ delivered: (step + 1) * 10, rssOctets: rss(step) * MIB }))
  expect(
    memoryCourse({ peakRssOctets: 90 * MIB, rssSamples: samples((step) => (step < 10 ? 60 : 80)) }),
  ).toEqual({
    nodeOptions: [],
    recipients: 500,
    peakRssMiB: 90,
    rssMiBByTenth: [60, 60, 80, 80, 80, 80, 80, 80, 80, 80],
    growthMiB: 0,
  })
  expect(
    memoryCourse({ peakRssOctets: 150 * MIB, rssSamples: samples((step) => 100 + step) }).growthMiB,
  ).toBe(20)
})

test('a target is judged by the ratio within one workload, and not at all where a side was not measured', () => {
  const summary = (contender: string, messagesPerSecond: number, cpuMsPerThousand: number): Summary => ({
    contender,
    workload: { octets: 2048, sessions: 10, messages: 1 },
    runs: 1,
    messagesPerSecond,
    cpuMsPerThousand,
    sinkCpuMsPerThousand: 1,
    peakRssMiB: 1,
    roundTripsPerMessage: 1,
    connections: 1,
    dropped: 0,
  })
  const found = findings([summary('mxpress BDAT', 6_900, 30), summary('nodemailer', 1_000, 150)])
  expect(found.map(({ target, ratio, isMet }) => [target.figure, ratio, isMet])).toEqual([
    ['messagesPerSecond', 6.9, false],
    ['cpuMsPerThousand', 0.2, true],
  ])
})
