/**
 * One transaction and what it means for each of its recipients: the one whose turn it is, and those of the same delivery
 * who come along where that is allowed. One rule: each has its own verdict, and the peer's word on one is never that on
 * another.
 */
import type { Session } from '../client/session.ts'
import { endFor, runTransaction, type TransactionEnd } from '../client/transaction.ts'
import { needsSmtpUtf8 } from '../mail/address.ts'
import { rcptCommand } from '../smtp/command.ts'
import { formatReply } from '../smtp/reply.ts'
import { classifyTransaction, isTooMany, statusOf, type Verdict } from './classify.ts'
import type { Job } from './job.ts'
import type { Attempt } from './outcome.ts'
import { diagnosticOf } from './report-events.ts'
import { fitFor } from './suitability.ts'
import type { Surroundings } from './surroundings.ts'

/** Times the same target may lose a session in reuse under one recipient before it counts as a failure of the target. */
const MAX_REPETITIONS = 3

/** A recipient and what the transaction means for it. */
export interface Judged {
  readonly job: Job
  readonly verdict: Verdict
}

/** Takes out of the line those who may come along. */
export type Companions = (mayCome: (job: Job) => boolean) => readonly Job[]

interface When {
  readonly startedAt: number
  readonly begun: number
  readonly isReused: boolean
}

/** Runs it. @returns the verdicts, that on `lead` first */
export async function transact(
  lead: Job,
  session: Session,
  { around, companions }: { readonly around: Surroundings; readonly companions: Companions },
): Promise<readonly [Judged, ...Judged[]]> {
  const { clock, signer } = around
  const when: When = {
    startedAt: clock.now(),
    begun: clock.monotonic(),
    isReused: session.transactions > 0,
  }
  const { message, envelope } = lead.delivery
  const paths = { reversePath: envelope.reversePath, forwardPath: lead.recipient.address }
  const fitted = await fitFor(session, message, paths, signer)
  if (fitted.kind === 'unsuitable') {
    const verdict: Verdict = { kind: 'next-target', cause: fitted.cause }
    return [{ job: lead, verdict: recorded(lead, verdict, session, { when, around }) }]
  }
  const isSayable = ({ recipient }: Job): boolean => canBeSaid(recipient, session, fitted.smtpUtf8)
  let isLeadSayable: boolean | null = null
  const mayCome = (job: Job): boolean => {
    isLeadSayable ??= isSayable(lead)
    const mayShare = isLeadSayable && isAlike(job, lead) && isSayable(job)
    return mayShare && job.suits(session) && !isToGoAlone(job)
  }
  const others = isToGoAlone(lead) ? [] : companions(mayCome)
  const end = await run([lead, ...others], session, { fitted, around })
  const judge = (job: Job, place: number): Judged => {
    const verdict = verdictOn(job, endFor(end, place), session, {
      isReused: when.isReused || hasAnsweredForSome(end),
      isRelay: session.target.exchanger.relay !== undefined,
      isTlsSpurned: session.tls === null && session.extensions.startTls,
      isFollower: isBehindAnother(end, place),
    })
    return { job, verdict: recorded(job, verdict, session, { when, around }) }
  }
  const judged = others.map((job, at) => judge(job, at + 1))
  learnLimit(session, judged)
  return [judge(lead, 0), ...judged]
}

async function run(
  jobs: readonly [Job, ...Job[]],
  session: Session,
  {
    fitted,
    around,
  }: {
    readonly fitted: Pick<Parameters<typeof runTransaction>[1], 'message' | 'smtpUtf8'>
    readonly around: Surroundings
  },
): Promise<TransactionEnd> {
  const [lead, ...others] = jobs
  const { delivery, recipient } = lead
  const { beforeContent } = delivery
  delivery.activeSessions.add(session)
  const end = await runTransaction(session, {
    reversePath: delivery.envelope.reversePath,
    forwardPath: recipient.address,
    message: fitted.message,
    smtpUtf8: fitted.smtpUtf8,
    envelopeDsn: delivery.envelope.dsn,
    recipientDsn: recipient.dsn,
    ...(others.length === 0 ? {} : { others: others.map(({ recipient }) => pathOf(recipient)) }),
    useChunking: !around.memory.hasBrokenChunking(session.target),
    beforeContent: beforeContent === null ? null : () => beforeAll(jobs, beforeContent),
  })
  delivery.activeSessions.delete(session)
  return end
}

function pathOf({ address, dsn }: Job['recipient']) {
  return { forwardPath: address, recipientDsn: dsn }
}

function beforeAll(
  jobs: readonly [Job, ...Job[]],
  beforeContent: (recipient: Job['recipient']) => Promise<void>,
): Promise<void> {
  if (jobs.length === 1) return beforeContent(jobs[0].recipient)
  return Promise.all(jobs.map(({ recipient }) => beforeContent(recipient))).then(() => {})
}

function verdictOn(
  { recipient, repetitions }: Job,
  end: TransactionEnd,
  session: Session,
  context: Parameters<typeof classifyTransaction>[1],
): Verdict {
  const verdict = classifyTransaction(end, context)
  // Told only where somebody may ask: for most mail there is nothing to add.
  if (recipient.dsn !== undefined && verdict.kind === 'delivered') {
    return { ...verdict, isDsnPassedOn: session.extensions.dsn }
  }
  if (verdict.kind === 'again' && repetitions >= MAX_REPETITIONS) return { ...verdict, kind: 'next-target' }
  return verdict
}

/** Servers end a session, with 421, in which there were too many refusals, or recipients; the rest may be asked in another one. */
function hasAnsweredForSome({ refusals, stage, repliesSeen }: TransactionEnd): boolean {
  if (!refusals) return false
  // Beside the replies to MAIL and to whom the session ended with.
  return [...refusals.values()].some(({ code }) => code >= 500) || (stage === 'rcpt' && repliesSeen > 2)
}

/** An address that needs SMTPUTF8 would ask it of the way of all the others too. */
function isAlike(one: Job, other: Job): boolean {
  return needsSmtpUtf8(one.recipient.address) === needsSmtpUtf8(other.recipient.address)
}

/** A program may have asked for a RCPT that cannot be written. It fails alone, and takes nobody's transaction along. */
function canBeSaid({ address, dsn }: Job['recipient'], { extensions }: Session, smtpUtf8: boolean): boolean {
  try {
    rcptCommand(address, { smtpUtf8, dsn: extensions.dsn ? dsn : undefined })
    return true
  } catch {
    return false
  }
}

/** It was sent back twice, with others; with fewer it would be again, and in the queue for ever. */
function isToGoAlone({ repetitions }: Job): boolean {
  return repetitions > 1
}

/** An earlier one was accepted, or refused for a reason of its own. Some servers count the refused too (Exim: `recipients_max`). */
function isBehindAnother({ refusals }: TransactionEnd, place: number): boolean {
  if (!refusals) return false
  for (let earlier = 0; earlier < place; earlier++) {
    const refusal = refusals.get(earlier)
    if (refusal === undefined || !isTooMany(refusal)) return true
  }
  return false
}

/** So many the peer heard before it said that there were too many; the next transaction of the session has no more. */
function learnLimit(session: Session, others: readonly Judged[]): void {
  const surplus = others.filter(({ verdict }) => verdict.kind === 'other-transaction').length
  if (surplus > 0) session.mostRecipients = 1 + others.length - surplus
}

/** The verdict, entered among the job's attempts unless it says nothing of the target. */
function recorded(
  job: Job,
  verdict: Verdict,
  session: Session,
  { when, around }: { readonly when: When; readonly around: Surroundings },
): Verdict {
  if (verdict.kind === 'again' || verdict.kind === 'other-transaction') return verdict
  const durationMs = around.clock.monotonic() - when.begun
  const attempt = attemptOf(verdict, session, { startedAt: when.startedAt, durationMs })
  job.attempts.push(
    session.target.exchanger.relay === undefined ? attempt : { ...attempt, ...job.viaOf(session.target) },
  )
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
