/**
 * What an outcome means for its entry: gone, again later, held, or dead, and who is told.
 * One rule: an entry ends only by being delivered, or together with the report that says it was not; where there is nobody
 * to tell it is kept as dead.
 */
import type { Outcome } from '../delivery/outcome.ts'
import type { Message } from '../mail/message.ts'
import { lastOf, recordOf } from './attempt-record.ts'
import { isRelayReportWanted } from './bounce-policy.ts'
import type { Bouncer, ReportDecision, ReportKind } from './bouncer.ts'
import type { LastTrouble, QueueEntry } from './entry.ts'
import { nextAttemptAt, type RetrySettings } from './retry.ts'
import { sourceOf } from './retry-source.ts'
import type { LeasedEntry, Settlement, Submission } from './store.ts'

/** How entries are judged. */
export interface VerdictSettings {
  readonly retry: RetrySettings
  /** What becomes of an entry that may have been delivered already: tried again as any other, or held. */
  readonly onUncertain: 'retry' | 'hold'
}

/** Who judges. */
export interface Judge {
  readonly settings: VerdictSettings
  readonly bouncer: Bouncer
  readonly owner: string
  readonly random: () => number
}

/** What is judged with. */
export interface Case {
  readonly entry: QueueEntry
  readonly message: Message
  readonly now: number
}

/** The settlement of an outcome. `begunAt`: when the entry was handed over. */
export async function judgeOutcome(
  outcome: Outcome,
  { entry, message, now, begunAt }: Case & { readonly begunAt: number },
  judge: Judge,
): Promise<Settlement> {
  const attempt = recordOf(outcome, begunAt)
  const last = lastOf(outcome, now)
  const base = { id: entry.id, owner: judge.owner, attempt }
  if (outcome.kind === 'delivered') {
    const wishes = { reversePath: entry.reversePath, notify: entry.recipient.notify }
    const isOurs = isRelayReportWanted(wishes, { isDsnPassedOn: outcome.isDsnPassedOn ?? false })
    const decision = isOurs ? await report('relayed', last, { entry, message, now }, judge) : null
    return { ...base, kind: 'delivered', reports: reportsOf(decision) }
  }
  if (outcome.kind === 'failed') return giveUp(base, last, { entry, message, now }, judge)
  const dueAt = nextAttemptAt(
    { attempts: entry.attempts + 1, now, expiresAt: entry.expiresAt, last },
    judge.settings.retry,
    judge.random(),
  )
  const hold = outcome.uncertain && judge.settings.onUncertain === 'hold'
  if (dueAt === null && !hold) {
    const uncertain = entry.uncertain || outcome.uncertain
    return giveUp(base, last, { entry: { ...entry, uncertain }, message, now }, judge)
  }
  return {
    ...base,
    kind: 'deferred',
    dueAt: dueAt ?? now,
    uncertain: outcome.uncertain,
    hold,
    last,
    sourceAddress: sourceOf(outcome),
    isDelayWarned: false,
  }
}

/** The settlement of an entry whose time is over, or of which it is time to say that it is late. */
export async function judgeNotice(
  { entry, trouble }: LeasedEntry,
  circumstances: Omit<Case, 'entry'>,
  judge: Judge,
): Promise<Settlement> {
  const base = { id: entry.id, owner: judge.owner, attempt: null }
  const { now } = circumstances
  const last = entry.last ?? trouble?.last ?? neverTried(now)
  if (entry.expiresAt <= now) return giveUp(base, last, { entry, ...circumstances }, judge)
  const decision = await report('delayed', last, { entry, ...circumstances }, judge)
  return {
    ...base,
    kind: 'deferred',
    ...quietly,
    dueAt: entry.dueAt,
    last: null,
    isDelayWarned: true,
    reports: reportsOf(decision),
  }
}

/** The settlement of an entry that cannot be read (`isLost`), or that met a defect of ours. */
export function judgeDefect(
  error: Error,
  { entry, now, isLost }: { readonly entry: QueueEntry; readonly now: number; readonly isLost: boolean },
  { owner, settings, random }: Judge,
): Settlement {
  const base = { id: entry.id, owner, attempt: null }
  const { expiresAt } = entry
  // RFC 3463 §3.4: 4.3.0, other or undefined mail system status: the fault is here.
  const last = { ...neverTried(now), status: '4.3.0' as const, diagnostic: error.message }
  const dueAt = nextAttemptAt({ attempts: 1, now, expiresAt, last }, settings.retry, random())
  if (isLost || dueAt === null) return { ...base, kind: 'failed', keep: true, last }
  return { ...base, kind: 'deferred', dueAt, last, ...quietly }
}

/** A deferral that changes nothing but the time. */
const quietly = { uncertain: false, hold: false, sourceAddress: null, isDelayWarned: false } as const

async function giveUp(
  base: Pick<Settlement, 'id' | 'owner' | 'attempt'>,
  last: LastTrouble,
  circumstances: Case,
  judge: Judge,
): Promise<Settlement> {
  const decision = await report('failed', last, circumstances, judge)
  return {
    ...base,
    kind: 'failed',
    keep: decision.kind === 'undeliverable',
    last,
    reports: reportsOf(decision),
  }
}

function report(
  kind: ReportKind,
  last: LastTrouble,
  { entry, message, now }: Case,
  { bouncer }: Judge,
): Promise<ReportDecision> {
  return bouncer.bounce({ kind, entry, last, uncertain: entry.uncertain, message, now })
}

function reportsOf(decision: ReportDecision | null): readonly Submission[] {
  return decision?.kind === 'send' ? [decision.report] : []
}

/** RFC 3463 §3.5: 4.4.7, delivery time expired. */
function neverTried(at: number): LastTrouble {
  return {
    at,
    stage: 'policy',
    status: '4.4.7',
    diagnostic: 'there was no occasion to deliver it',
    isReply: false,
    exchanger: null,
    ip: null,
  }
}
