/** An outcome as the queue keeps it. */
import { decisiveAttempt, type Outcome } from '../delivery/outcome.ts'
import { reportOutcome } from '../delivery/report.ts'
import type { EnhancedStatus } from '../smtp/enhanced-status.ts'
import type { AttemptRecord, LastTrouble } from './entry.ts'

/** For the history of the entry. `begunAt`: when the entry was handed over. */
export function recordOf(outcome: Outcome, begunAt: number): Omit<AttemptRecord, 'number'> {
  const report = reportOutcome(outcome)
  return {
    startedAt: begunAt,
    durationMs: report.durationMs,
    outcome: report.outcome,
    uncertain: report.uncertain,
    stage: report.stage,
    status: report.status,
    diagnostic: report.diagnostic,
    reply: report.reply,
    targets: report.attempts,
  }
}

/** For whoever is told of it later. */
export function lastOf(outcome: Outcome, at: number): LastTrouble {
  const report = reportOutcome(outcome)
  const attempt = decisiveAttempt(outcome)
  return {
    at,
    stage: report.stage,
    status: report.status as EnhancedStatus,
    diagnostic: report.diagnostic,
    isReply: report.reply !== null,
    exchanger: attempt?.exchanger ?? null,
    ip: attempt?.ip ?? null,
  }
}
