/** From the runs of one contender to the figures of its row: medians, because the machine has other things to do. */
import type { Run } from './run.ts'
import type { Workload } from './workload.ts'

/** One contender's figures for one workload. */
export interface Summary {
  readonly contender: string
  readonly workload: Workload
  readonly runs: number
  readonly messagesPerSecond: number
  readonly cpuMsPerThousand: number
  /** The sink's CPU time in the same runs; above the sender's, the rate tells of the sink. */
  readonly sinkCpuMsPerThousand: number
  readonly peakRssMiB: number
  /** Times the client waited for the sink in a transaction, per message. */
  readonly roundTripsPerMessage: number
  readonly connections: number
  /** Connections that ended without QUIT. */
  readonly dropped: number
}

export function summarize(contender: string, workload: Workload, runs: readonly Run[]): Summary {
  const figure = (of: (run: Run) => number): number => median(runs.map(of))
  const thousands = workload.messages / 1000
  return {
    contender,
    workload,
    runs: runs.length,
    messagesPerSecond: figure(({ sender }) => (workload.messages / sender.elapsedMs) * 1000),
    cpuMsPerThousand: figure(({ sender }) => sender.cpuMs / thousands),
    sinkCpuMsPerThousand: figure(({ sink }) => sink.cpuMs / thousands),
    peakRssMiB: figure(({ sender }) => sender.peakRssOctets / 1024 ** 2),
    roundTripsPerMessage: figure(({ sink }) => sink.roundTrips / workload.messages),
    connections: figure(({ sink }) => sink.connections),
    dropped: figure(({ sink }) => sink.dropped),
  }
}

/** The middle value; of an even count, the lower middle. NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN
}
