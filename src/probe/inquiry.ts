/** What is asked of one address about one mailbox, and what comes of it. */

import { SessionOpenError } from '../client/session-open-error.ts'
import { causeOfDialling, causeOfOpening, classifyTransaction } from '../delivery/classify.ts'
import type { Cause } from '../delivery/outcome.ts'
import type { Target } from '../route/targets.ts'
import { ConnectError } from '../smtp/errors.ts'
import { formatReply } from '../smtp/reply.ts'
import { InterruptedError } from './interrupted.ts'
import type { ProbeRecord } from './record.ts'
import { type ProbeStage, probeStages } from './report.ts'
import type { Stopping } from './stopping.ts'
import type { ProbeTarget } from './target.ts'

/** What is asked, and where. */
export interface AddressInquiry {
  readonly target: Target
  readonly site: string
  readonly about: ProbeTarget
  /** How many targets came before this one in the run. */
  readonly order: number
  readonly stopping: Stopping
}

/** What came of it. */
export interface AddressEnd {
  readonly record: ProbeRecord
  /** What ended it; `null` when it went as far as it was told to and no further. */
  readonly cause: Cause | null
}

/** Whether an inquiry is to end with this stage or before it. */
export function endsAfter(stage: ProbeStage, { stopAfter }: { readonly stopAfter: ProbeStage }): boolean {
  return probeStages.indexOf(stopAfter) <= probeStages.indexOf(stage)
}

/** The cause of what was thrown while an address was asked; `stage` counts once the session is open. */
export function causeOfError(error: Error, stage: 'mail' | 'rcpt', { signal }: Stopping): Cause {
  // A refusal that came in the last moment counts.
  const isRefused = error instanceof SessionOpenError && error.reply !== null
  if (signal.aborted && !isRefused) return interruption(signal)
  if (error instanceof ConnectError) return causeOfDialling(error)
  if (error instanceof SessionOpenError) return causeOfOpening(error)
  const end = { reply: null, error, isContentSent: false, repliesSeen: 1, isChunkingRefused: false }
  const verdict = classifyTransaction({ ...end, stage }, { isReused: false })
  return 'cause' in verdict ? verdict.cause : { stage, status: '4.3.0', error }
}

/** The run was stopped first. */
export function interruption({ reason }: AbortSignal): Cause {
  return { stage: 'policy', status: '4.3.2', error: new InterruptedError(reason) }
}

/** What ended an inquiry, in the server's words or ours. */
export function reasonOf({ reply, error }: Cause): string {
  return reply === undefined ? (error?.message ?? '') : formatReply(reply)
}
