/** Runs a sender module in a process of its own, so that no contender warms up or burdens another. */
import { Child } from './child.ts'
import type { SenderJob } from './senders/job.ts'
import type { SenderReport } from './usage.ts'

/** A folder for V8 CPU profiles of the senders; unset: none are made. */
const profileDirectory = process.env.BENCH_PROFILE_DIR

/** @throws {Error} when the sender fails or exceeds `deadlineMs`. */
export async function runSender(module: URL, job: SenderJob, deadlineMs: number): Promise<SenderReport> {
  const profiling = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const execArgv = [...profiling, ...(job.nodeOptions ?? [])]
  await using child = new Child({ module, job, deadlineMs, execArgv })
  return await child.receive<SenderReport>()
}
