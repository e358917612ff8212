/**
 * One recipient from its turn to its outcome: a session, a transaction, the verdict; then, if the verdict says so, the same
 * again with the next target. One rule: a recipient that may have the message already is offered to nobody else.
 */
import type { Session } from '../client/session.ts'
import { runTransaction } from '../client/transaction.ts'
import { formatReply } from '../smtp/reply.ts'
import { classifyExhausted, classifyTransaction, statusOf, type Verdict } from './classify.ts'
import type { Conclusion, Job } from './job.ts'
import type { Opened } from './open-session.ts'
import type { Attempt, Cause } from './outcome.ts'
import { diagnosticOf, logOutcome, logRetrying } from './report-events.ts'
import { fitFor } from './suitability.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Hosts that may refuse one recipient for now before it is deferred; Postfix too asks two (`smtp_mx_session_limit`).
 * More would only show the same greylist the same recipient again.
 */
const MAX_REFUSALS = 2
/** Times the same target may lose a session in reuse under one recipient before it counts as a failure of the target. */
const MAX_REPETITIONS = 3

/** What serving needs of its site. */
export interface SessionSource {
  /** A usable session to a target the job has not tried. @throws `signal.reason` */
  obtain(job: Job): Promise<Opened>
  /** Takes back a session that is not used on. */
  release(session: Session): void
}

/** The job has its outcome, and `session` may serve the next one; or no session was to be had, and it has none yet. */
export type Served =
  | { readonly kind: 'concluded'; readonly session: Session | null }
  | { readonly kind: 'unreachable'; readonly session: null; readonly causes: readonly Cause[] }

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
        const opened = await obtainOrAbort(job, source)
        if (opened === null) break
        session = opened.session
        if (session === null) return exhausted(job, around)
      }
      const verdict = await transact(job, session, around)
      // Given up before the peer had a final word: what the abort did to the session is no verdict.
      if (signal.aborted && !isFinal(verdict)) break
      const conclusion = conclusionOf(verdict, job, around)
      if (conclusion !== null) {
        conclude(job, conclusion, around)
        return { kind: 'concluded', session }
      }
      prepareNextTry(job, session, verdict, around)
    }
  } catch (error) {
    // A defect of ours: nobody knows where the dialogue stands.
    session?.drop(error as Error)
    if (session !== null) source.release(session)
    throw error
  }
  conclude(job, { kind: 'deferred', cause: abortCause(signal), uncertain: false }, around)
  return { kind: 'concluded', session }
}

async function obtainOrAbort(job: Job, source: SessionSource): Promise<Opened | null> {
  try {
    const opened = await source.obtain(job)
    job.attempts.push(...opened.attempts)
    job.causes.push(...opened.causes)
    for (const target of opened.triedTargets) job.rememberTried(target)
    return opened
  } catch (error) {
    if (job.delivery.signal.aborted) return null
    throw error
  }
}

function exhausted(job: Job, around: Surroundings): Served {
  // Nobody has let a transaction begin: that is the site's trouble, not this recipient's.
  if (job.attempts.every(({ stage }) => SESSION_STAGES.has(stage))) {
    return { kind: 'unreachable', session: null, causes: job.causes }
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

async function transact(job: Job, session: Session, around: Surroundings): Promise<Verdict> {
  const { delivery, recipient } = job
  const { reversePath } = delivery.envelope
  const startedAt = around.clock.now()
  const begun = around.clock.monotonic()
  const forwardPath = recipient.address
  const fitted = await fitFor(session, delivery.message, { reversePath, forwardPath }, around.signer)
  const isReused = session.transactions > 0
  let verdict: Verdict
  if (fitted.kind === 'unsuitable') verdict = { kind: 'next-target', cause: fitted.cause }
  else {
    const { message, smtpUtf8 } = fitted
    delivery.activeSessions.add(session)
    const end = await runTransaction(session, {
      reversePath,
      forwardPath,
      message,
      smtpUtf8,
      envelopeDsn: delivery.envelope.dsn,
      recipientDsn: recipient.dsn,
      useChunking: !around.memory.hasBrokenChunking(session.target),
      beforeContent: delivery.beforeContent === null ? null : () => delivery.beforeContent?.(recipient),
    })
    delivery.activeSessions.delete(session)
    verdict = classifyTransaction(end, { isReused, isRelay: session.target.exchanger.relay !== undefined })
    // Told only where somebody may ask: for most mail there is nothing to add.
    if (recipient.dsn !== undefined && verdict.kind === 'delivered') {
      verdict = { ...verdict, isDsnPassedOn: session.extensions.dsn }
    }
  }
  if (verdict.kind === 'again' && job.repetitions >= MAX_REPETITIONS)
    verdict = { ...verdict, kind: 'next-target' }
  if (verdict.kind !== 'again') {
    job.attempts.push(
      attemptOf(verdict, session, { startedAt, durationMs: around.clock.monotonic() - begun }),
    )
  }
  return verdict
}

function attemptOf(
  verdict: Verdict,
  { target, tls, localAddress }: Session,
  when: { readonly startedAt: number; readonly durationMs: number },
): Attempt {
  const isDelivered = verdict.kind === 'delivered'
  return {
    exchanger: target.exchanger.host,
    ip: target.ip,
    port: target.exchanger.port,
    stage: isDelivered ? 'end-of-data' : verdict.cause.stage,
    status: isDelivered ? statusOf(verdict.reply) : verdict.cause.status,
    diagnostic: isDelivered ? formatReply(verdict.reply) : diagnosticOf(verdict.cause),
    startedAt: when.startedAt,
    durationMs: when.durationMs,
    tls,
    localAddress,
  }
}

/** The outcome, or `null` when there is a next try. */
function conclusionOf(verdict: Verdict, job: Job, around: Surroundings): Conclusion | null {
  switch (verdict.kind) {
    case 'delivered':
    case 'failed':
    case 'deferred':
      return verdict
    case 'again':
      return null
    case 'next-target': {
      job.causes.push(verdict.cause)
      if (verdict.cause.reply !== undefined) job.refusals++
      const { maxTargets } = around.limits.settings
      if (job.refusals < MAX_REFUSALS && job.attempts.length < maxTargets) return null
      return concludeExhausted(job.causes)
    }
    default:
      return verdict satisfies never
  }
}

function prepareNextTry(job: Job, session: Session, verdict: Verdict, around: Surroundings): void {
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

/** Why recipients that were not begun, or not finished, are deferred when the caller gives up. */
export function abortCause(signal: AbortSignal): Cause {
  const reason: unknown = signal.reason
  const error = reason instanceof Error ? reason : new Error(String(reason))
  // RFC 3463 §3.4: 4.3.2, the system is not accepting messages: ours has been told to stop.
  return { stage: 'policy', status: '4.3.2', error }
}
