/**
 * One run: a fresh sink, a fresh sender, and the books of both compared. One rule: a run in which anything was lost,
 * refused or sent twice is an error, not a figure.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { Contender } from './contender.ts'
import type { SinkJob, SinkReady, SinkReport } from './sink/sink.ts'
import type { SenderReport } from './usage.ts'
import type { Workload } from './workload.ts'

/** Guard against a hang; the slowest contender needs a tenth of it. */
const deadlineMs = 300_000

/** A run's two reports. */
export interface Run {
  readonly sender: SenderReport
  readonly sink: SinkReport
}

/** @throws {Error} when a process fails, or messages and books do not agree. */
export async function runOnce(
  contender: Contender,
  workload: Workload,
  nodeOptions: readonly string[] = [],
): Promise<Run> {
  const directory = await mkdtemp(join(tmpdir(), 'mxpress-bench-'))
  try {
    await using sinkProcess = new Child({
      module: new URL('sink/sink.ts', import.meta.url),
      job: sinkJob(contender, workload),
      deadlineMs: deadlineMs + 10_000,
    })
    const { port } = await sinkProcess.receive<SinkReady>()
    const sender = await contender.send({ ...workload, port, directory, nodeOptions }, deadlineMs)
    sinkProcess.send('report')
    const sink = await sinkProcess.receive<SinkReport>()
    compareBooks(contender.name, workload, { sender, sink })
    return { sender, sink }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function sinkJob({ keywords, sendsOurContent }: Contender, { octets }: Workload): SinkJob {
  return { keywords, octets: sendsOurContent ? octets : null }
}

function compareBooks(name: string, { messages }: Workload, { sender, sink }: Run): void {
  if (sender.delivered === messages && sink.messages === messages && sink.refused === 0) return
  throw new Error(
    `${name}: expected ${messages} messages delivered, found ${sender.delivered} in the sender's books, ` +
      `${sink.messages} in the sink's and ${sink.refused} refused for wrong content`,
  )
}
