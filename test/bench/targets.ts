/**
 * What mxpress promises, as ratios within one run. One rule: the bench prints whether they are met and never fails for
 * them, because a shared machine must not turn a slow minute into a broken build.
 */
import { yardstick } from './contender.ts'
import type { Summary } from './summary.ts'

/** A figure of one contender over the same figure of another, in one workload. */
export interface Target {
  readonly text: string
  readonly octets: number
  readonly sessions: number
  readonly contender: string
  readonly over: string
  readonly figure: 'messagesPerSecond' | 'cpuMsPerThousand'
  readonly isMet: (ratio: number) => boolean
}

/** A target and what was found. */
export interface Finding {
  readonly target: Target
  readonly ratio: number
  readonly isMet: boolean
}

const tenSessions = { sessions: 10, over: yardstick, figure: 'messagesPerSecond' } as const
const small = { ...tenSessions, octets: 2048 } as const
const large = { ...tenSessions, octets: 65536 } as const
const atLeast = (least: number) => (ratio: number) => ratio >= least

/** Half of what a bare prototype of the dialogue does in Node: 14, 7.6, 25 and 18 times nodemailer. */
const targets: readonly Target[] = [
  { ...small, contender: 'mxpress BDAT', text: 'at least 7 times the rate of', isMet: atLeast(7) },
  { ...small, contender: 'mxpress DATA', text: 'at least 4 times the rate of', isMet: atLeast(4) },
  { ...large, contender: 'mxpress BDAT', text: 'at least 10 times the rate of', isMet: atLeast(10) },
  { ...large, contender: 'mxpress DATA', text: 'at least 6 times the rate of', isMet: atLeast(6) },
  {
    ...small,
    contender: 'mxpress BDAT',
    over: 'smtp-source -d',
    text: 'not slower than',
    isMet: atLeast(1),
  },
  {
    ...small,
    contender: 'mxpress BDAT',
    figure: 'cpuMsPerThousand',
    text: 'at most a fifth of the CPU time of',
    isMet: (ratio) => ratio <= 1 / 5,
  },
]

/** Targets that can be told from what was measured. */
export function findings(summaries: readonly Summary[]): readonly Finding[] {
  return targets.flatMap((target) => {
    const figureOf = (name: string): number | undefined =>
      summaries.find(
        ({ contender, workload }) =>
          contender === name && workload.octets === target.octets && workload.sessions === target.sessions,
      )?.[target.figure]
    const figure = figureOf(target.contender)
    const other = figureOf(target.over)
    if (figure === undefined || other === undefined) return []
    const ratio = figure / other
    return [{ target, ratio, isMet: target.isMet(ratio) }]
  })
}
