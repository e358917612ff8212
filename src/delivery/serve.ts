/**
 * One recipient from its turn to its outcome: a session, a transaction, the verdict; then, if the verdict says so, the same
 * again with the next target. One rule: a recipient that may have the message already is offered to nobody else.
 */
import type { Session } from '../client/session.ts'
import { classifyDefect, classifyExhausted, isLoginRefused, type Verdict } from './classify.ts'
import type { Conclusion, Job } from './job.ts'
import type { Opened } from './open-session.ts'
import type { Attempt, Cause } from './outcome.ts'
import { logOutcome, logRetrying } from './report-events.ts'
import type { Surroundings } from './surroundings.ts'
import { type Judged, transact } from './transact.ts'

/**
 * Hosts that may refuse one recipient for now before it is deferred; Postfix too asks two (`smtp_mx_session_limit`).
 * More would only show the same greylist the same recipient again.
 */
const MAX_REFUSALS = 2
/** What serving needs of its site. */
export interface SessionSource {
  /** A usable session to a target the job has not tried; none when its delivery is aborted. */
  obtain(job: Job): Promise<Opened>
  /** Others of the job's delivery who may share its transaction; they are the caller's to settle. */
  companions(lead: Job, session: Session, mayCome: (job: Job) => boolean): readonly Job[]
  /** Lets a job wait for another turn. */
  requeue(job: Job): void
  /** Takes back a session that is not used on. */
  release(session: Session): void
  /** Takes back a session that nobody can use. Resolves when it is over. */
  end(session: Session): Promise<void>
}

/** The job has its outcome, and `session` may serve the next one; or no session was to be had, and it has none yet. */
export type Served =
  | { readonly kind: 'concluded'; readonly session: Session | null }
  | { readonly kind: 'unreachable'; readonly session: null }

/** Serves one job, beginning with the session at hand. Never rejects for what the network does. */
export async function serve(
  job: Job,
  atHand: Session | null,
  source: SessionSource,
  around: Surroundings,
): Promise<Served> {
  const { signal } = job.delivery
  let session = atHand
  try {
    while (!signal.aborted) {
      if (session !== null && (!session.isUsable || !job.suits(session))) {
        source.release(session)
        session = null
      }
      if (session === null) {
        session = await obtain(job, source)
        if (signal.aborted) break
        if (session === null) return exhausted(job, around)
      }
      const serving: Session = session
      const [lead, ...others] = await transact(job, serving, {
        around,
        companions: (mayCome) => source.companions(job, serving, mayCome),
      })
      const barrier = signal.aborted ? null : barrierIn(lead.verdict)
      const conclusion = barrier === null ? conclusionNow(lead.verdict, job, around) : null
      try {
        if (conclusion !== null) conclude(job, conclusion, around)
      } finally {
        settleCompanions(others, serving, { source, around })
      }
      if (conclusion !== null) return { kind: 'concluded', session }
      if (barrier !== null) {
        noteBarrier(barrier, job, serving, around)
        session = null
        await source.end(serving)
        if (isLoginRefused(barrier)) return exhausted(job, around)
      }
      prepareNextTry(job, serving, lead.verdict, around)
    }
  } catch (error) {
    // A defect of ours: nobody knows where the dialogue stands.
    session?.drop(error as Error)
    if (session !== null) source.release(session)
    throw error
  }
  conclude(job, abortConclusion(signal), around)
  return { kind: 'concluded', session }
}

/** Whoever came along and has no outcome yet gets a turn of its own. */
function settleCompanions(
  others: readonly Judged[],
  session: Session,
  { source, around }: { readonly source: SessionSource; readonly around: Surroundings },
): void {
  const waiting = others.filter((other) => !isSettled(other, session, around))
  // Back to front, so that the first of them is the next.
  for (const { job } of waiting.toReversed()) source.requeue(job)
}

/** Gives a companion its outcome, if it is due. A defect of ours must not cost the others theirs. */
function isSettled({ job, verdict }: Judged, session: Session, around: Surroundings): boolean {
  try {
    // Nobody takes out of the line who comes back to it after an abort.
    const conclusion = conclusionNow(verdict, job, around)
    if (conclusion === null) prepareNextTry(job, session, verdict, around)
    else conclude(job, conclusion, around)
    return conclusion !== null
  } catch (error) {
    if (!job.isConcluded) conclude(job, concludeExhausted([classifyDefect(error as Error)]), around)
    return true
  }
}

async function obtain(job: Job, source: SessionSource): Promise<Session | null> {
  const opened = await source.obtain(job)
  job.attempts.push(...opened.attempts)
  job.causes.push(...opened.causes)
  for (const target of opened.triedTargets) job.rememberTried(target)
  return opened.session
}

function exhausted(job: Job, around: Surroundings): Served {
  // Nobody has let a transaction begin: that is the site's trouble, not this recipient's.
  if (job.attempts.every(({ stage }) => SESSION_STAGES.has(stage))) {
    return { kind: 'unreachable', session: null }
  }
  conclude(job, concludeExhausted(job.causes), around)
  return { kind: 'concluded', session: null }
}

const SESSION_STAGES: ReadonlySet<Attempt['stage']> = new Set([
  'connect',
  'greeting',
  'ehlo',
  'starttls',
  'auth',
])

/** Why nobody can send anything in this session, though it could be opened; `null` where that is not so. */
function barrierIn(verdict: Verdict): Cause | null {
  return verdict.kind === 'next-target' && SESSION_STAGES.has(verdict.cause.stage) ? verdict.cause : null
}

function noteBarrier(barrier: Cause, job: Job, { target }: Session, { memory }: Surroundings): void {
  job.causes.push(barrier)
  // Whoever wants TLS may have mended his.
  memory.forgetBrokenTls(target)
}

/** The outcome, or `null` when there is a next try. */
function conclusionOf(verdict: Verdict, job: Job, around: Surroundings): Conclusion | null {
  switch (verdict.kind) {
    case 'delivered':
    case 'failed':
    case 'deferred':
      return verdict
    case 'again':
    case 'other-transaction':
      return null
    case 'next-target': {
      job.causes.push(verdict.cause)
      if (isLoginRefused(verdict.cause)) return concludeExhausted(job.causes)
      if (verdict.cause.reply !== undefined) job.refusals++
      const { maxTargets } = around.limits.settings
      if (job.refusals < MAX_REFUSALS && job.attemptsOnRoad.length < maxTargets) return null
      return concludeExhausted(job.causes)
    }
    default:
      return verdict satisfies never
  }
}

/** The same, but that there is no next try after an abort: what that did to the session is no verdict. */
function conclusionNow(verdict: Verdict, job: Job, around: Surroundings): Conclusion | null {
  const isGivenUp = job.delivery.signal.aborted && !isFinal(verdict)
  return isGivenUp ? givenUp(verdict, job) : conclusionOf(verdict, job, around)
}

function prepareNextTry(job: Job, session: Session, verdict: Verdict, around: Surroundings): void {
  if (verdict.kind === 'other-transaction') return
  if (verdict.kind === 'again') {
    job.repetitions++
    if (verdict.isChunkingBroken) around.memory.rememberBrokenChunking(session.target)
    session.retire()
    return
  }
  job.rememberTried(session.target)
  const attempt = job.attempts.at(-1)
  if (attempt !== undefined)
    logRetrying(attempt, job, around.clock.monotonic() - job.delivery.startedAt, around.log)
}

/** The deferral or failure that the causes amount to. */
export function concludeExhausted(causes: readonly Cause[]): Conclusion {
  const { kind, cause } = classifyExhausted(causes)
  return kind === 'failed' ? { kind, cause } : { kind, cause, uncertain: false }
}

function isFinal(verdict: Verdict): boolean {
  return (
    verdict.kind === 'delivered' ||
    verdict.kind === 'failed' ||
    (verdict.kind === 'deferred' && verdict.uncertain)
  )
}

/** Gives the job its outcome and writes the line that says so. */
export function conclude(job: Job, conclusion: Conclusion, around: Surroundings): void {
  logOutcome(job.conclude(conclusion, around.clock.monotonic()), job.delivery.id, around.log)
}

/** What the peer has said of the recipient stands, though nobody else is asked; else the abort is the cause. */
function givenUp(verdict: Verdict, job: Job): Conclusion {
  if (verdict.kind !== 'next-target' || verdict.cause.reply === undefined) {
    return abortConclusion(job.delivery.signal)
  }
  job.causes.push(verdict.cause)
  return concludeExhausted(job.causes)
}

function abortConclusion(signal: AbortSignal): Conclusion {
  return { kind: 'deferred', cause: abortCause(signal), uncertain: false }
}

/** Why recipients that were not begun, or not finished, are deferred when the caller gives up. */
export function abortCause(signal: AbortSignal): Cause {
  const reason: unknown = signal.reason
  const error = reason instanceof Error ? reason : new Error(String(reason))
  // RFC 3463 §3.4: 4.3.2, the system is not accepting messages: ours has been told to stop.
  return { stage: 'policy', status: '4.3.2', error }
}
