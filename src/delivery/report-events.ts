/** What happened, put into the log's words. */
import type { LogTarget, LogTls } from '../log/events.ts'
import type { Log } from '../log/log.ts'
import { formatAddress } from '../mail/address.ts'
import type { Target } from '../route/targets.ts'
import { formatReply } from '../smtp/reply.ts'
import { statusOf } from './classify.ts'
import type { Job } from './job.ts'
import { type Attempt, type Cause, decisiveAttempt, type Outcome } from './outcome.ts'

const targets = new WeakMap<Target, LogTarget>()

/** The peer as the log names it; made once for each target object. */
export function logTarget(target: Target): LogTarget {
  let named = targets.get(target)
  if (named === undefined) {
    named = { exchanger: target.exchanger.host, ip: target.ip, port: target.exchanger.port }
    targets.set(target, named)
  }
  return named
}

/** The words of the peer, or our own where it gave none; unescaped. */
export function diagnosticOf(cause: Cause): string {
  if (cause.reply !== undefined) return formatReply(cause.reply)
  return cause.error?.message ?? ''
}

// The JSON log writes every key of an event, so an attempt must not stand in for its own target.
function peerOf({ exchanger, ip, port }: Attempt): LogTarget {
  return { exchanger, ip, port }
}

function tlsOf(attempt: Attempt | null): LogTls | null {
  if (attempt === null || attempt.tls === null) return null
  const { protocol, cipher, verified, reason } = attempt.tls
  return { protocol, cipher, verified, reason }
}

/** The line that states a recipient's outcome. */
export function logOutcome(outcome: Outcome, id: string, log: Log): void {
  const isDelivered = outcome.kind === 'delivered'
  const attempt = decisiveAttempt(outcome)
  log.write({
    kind: 'verdict',
    id,
    to: formatAddress(outcome.recipient.address),
    field: outcome.recipient.field,
    outcome: outcome.kind,
    uncertain: outcome.kind === 'deferred' && outcome.uncertain,
    target: attempt === null ? null : peerOf(attempt),
    tls: tlsOf(attempt),
    stage: isDelivered ? 'end-of-data' : outcome.cause.stage,
    status: isDelivered ? statusOf(outcome.reply) : outcome.cause.status,
    delayMs: outcome.durationMs,
    ...(attempt?.via === undefined ? {} : { via: attempt.via }),
    reply: isDelivered ? formatReply(outcome.reply) : diagnosticOf(outcome.cause),
  })
}

/** The line of an attempt after which another target is asked. */
export function logRetrying(attempt: Attempt, job: Job, delayMs: number, log: Log): void {
  log.write({
    kind: 'verdict',
    id: job.delivery.id,
    to: formatAddress(job.recipient.address),
    field: job.recipient.field,
    outcome: 'retrying',
    uncertain: false,
    target: peerOf(attempt),
    tls: tlsOf(attempt),
    stage: attempt.stage,
    status: attempt.status,
    delayMs,
    ...(attempt.via === undefined ? {} : { via: attempt.via }),
    reply: attempt.diagnostic,
  })
}
