/** The report as people read it: one table per workload, ratios beside the figures, then targets and memory. */
import { type Cell, tableLines } from '../../src/cli/table.ts'
import { yardstick } from './contender.ts'
import type { MemoryCourse } from './memory.ts'
import type { Summary } from './summary.ts'
import type { Finding } from './targets.ts'
import { workloadName } from './workload.ts'

const plain = (_: unknown, text: string): string => text
const whole = (value: number): string => Math.round(value).toLocaleString('en')
const short = (value: number): string => value.toFixed(value < 10 ? 1 : 0)
const exact = (value: number): string => value.toFixed(2)

const heading = [
  'contender',
  'messages/s',
  'x nodemailer',
  'x smtp-source',
  'CPU ms/1,000',
  'of nodemailer',
  'sink CPU',
  'peak RSS MiB',
  'round trips',
  'connections',
  'without QUIT',
]

/** The table of one workload. */
export function workloadText(summaries: readonly Summary[]): string {
  const [first] = summaries
  if (first === undefined) return ''
  const { workload, runs } = first
  const title = `${workloadName(workload)} sessions: ${whole(workload.messages)} messages, median of ${runs}`
  return [
    title,
    ...tableLines(
      heading,
      summaries.map((summary) => row(summary, summaries)),
      plain,
    ),
    '',
  ].join('\n')
}

function row(summary: Summary, all: readonly Summary[]): readonly Cell[] {
  const named = (name: string): Summary | undefined => all.find(({ contender }) => contender === name)
  const ratio = (name: string, figure: 'messagesPerSecond' | 'cpuMsPerThousand'): string => {
    const other = named(name)
    return other === undefined ? '-' : exact(summary[figure] / other[figure])
  }
  const isSinkDearer = summary.sinkCpuMsPerThousand > summary.cpuMsPerThousand
  return [
    summary.contender,
    whole(summary.messagesPerSecond),
    ratio(yardstick, 'messagesPerSecond'),
    ratio('smtp-source -d', 'messagesPerSecond'),
    short(summary.cpuMsPerThousand),
    ratio(yardstick, 'cpuMsPerThousand'),
    // The rate of such a row is held down by the sink.
    short(summary.sinkCpuMsPerThousand) + (isSinkDearer ? ' !' : ''),
    whole(summary.peakRssMiB),
    exact(summary.roundTripsPerMessage),
    whole(summary.connections),
    whole(summary.dropped),
  ]
}

/** One line for each target that could be told. */
export function targetsText(found: readonly Finding[]): string {
  return found
    .map(({ target, ratio, isMet }) => {
      const name = workloadName(target)
      const verdict = isMet ? 'met   ' : 'MISSED'
      return `${verdict}  ${name}, ${target.contender}: ${target.text} ${target.over}; found ${exact(ratio)}\n`
    })
    .join('')
}

/** Peak and course of resident memory. */
export function memoryText({
  nodeOptions,
  recipients,
  peakRssMiB,
  rssMiBByTenth,
  growthMiB,
}: MemoryCourse): string {
  const options = nodeOptions.length === 0 ? '' : ` with ${nodeOptions.join(' ')}`
  const course = rssMiBByTenth.map(whole).join(' ')
  return (
    `One 2 KB message to ${whole(recipients)} recipients${options}: peak RSS ${whole(peakRssMiB)} MiB; ` +
    `at each tenth ${course}; growth ${exact(growthMiB)} MiB\n`
  )
}
