/** Outcomes as the report that people and other programs read: plain values, every field always there. */
import { formatAddress } from '../mail/address.ts'
import type { RecipientField } from '../mail/envelope.ts'
import { formatReply } from '../smtp/reply.ts'
import { statusOf } from './classify.ts'
import {
  type Attempt,
  decisiveAttempt,
  type Outcome,
  type SessionTls,
  type Stage,
  type Via,
} from './outcome.ts'
import { diagnosticOf } from './report-events.ts'

/** One try at one target. */
export interface AttemptReport {
  /** Host name of the exchanger, or an address literal. */
  readonly exchanger: string
  /** The address dialled. */
  readonly ip: string
  readonly port: number
  /** Where it stopped; `end-of-data` where it went well. */
  readonly stage: Stage
  /** RFC 3463: the peer's where its class agrees with the reply code, else ours. */
  readonly status: string
  /** The reply on one line, or our own words. */
  readonly diagnostic: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly durationMs: number
  /** `null` in clear, or where it stopped before TLS. */
  readonly tls: SessionTls | null
  /** The exchanger is a relay; absent otherwise. */
  readonly via?: Via
}

/** What became of one recipient. Text of the peer in it is as it came: escape it before showing it. */
export interface RecipientReport {
  /** The mailbox, its domain in lower-case A-labels. */
  readonly address: string
  /** The first field in which the address stood. */
  readonly field: RecipientField
  /** `delivered`, `deferred` (may succeed later) or `failed` (will not). */
  readonly outcome: Outcome['kind']
  /** The message may have arrived although nobody said so; always `deferred`. */
  readonly uncertain: boolean
  /** RFC 3463. */
  readonly status: string
  /** The reply that decided; `null` where no server spoke. */
  readonly reply: {
    readonly code: number
    readonly status: string | null
    readonly lines: readonly string[]
  } | null
  /** The reply on one line, or our own words. */
  readonly diagnostic: string
  /** Where it stopped; `end-of-data` for `delivered`. */
  readonly stage: Stage
  /** Of the attempt that decided; `null` when no target was reached for. */
  readonly exchanger: string | null
  readonly ip: string | null
  readonly port: number | null
  /** Of the attempt that decided; `null` in clear, or where there was no session. */
  readonly tls: SessionTls | null
  /** The exchanger is a relay: `fallbackRelay` when no exchanger of the domain could be connected to. Absent otherwise. */
  readonly via?: Via
  /** From the moment the recipient was handed over to its verdict. */
  readonly durationMs: number
  /** In the order made; empty when no target was reached for. */
  readonly attempts: readonly AttemptReport[]
}

/** What became of a message. */
export interface SendReport {
  /** With its angle brackets. */
  readonly messageId: string
  /** `''` for the null reverse-path. */
  readonly reversePath: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** Of the whole sending. */
  readonly durationMs: number
  /** Recipients by outcome; the uncertain ones are among the deferred. */
  readonly counts: { readonly delivered: number; readonly deferred: number; readonly failed: number }
  /** One for each recipient, in the order of the envelope. */
  readonly recipients: readonly RecipientReport[]
}

/** One outcome, told in full. */
export function reportOutcome(outcome: Outcome): RecipientReport {
  const decisive = decisiveAttempt(outcome)
  const cause = outcome.kind === 'delivered' ? null : outcome.cause
  const reply = outcome.kind === 'delivered' ? outcome.reply : (outcome.cause.reply ?? null)
  return {
    address: formatAddress(outcome.recipient.address),
    field: outcome.recipient.field,
    outcome: outcome.kind,
    uncertain: outcome.kind === 'deferred' && outcome.uncertain,
    status: outcome.kind === 'delivered' ? statusOf(outcome.reply) : outcome.cause.status,
    reply: reply === null ? null : { code: reply.code, status: reply.status, lines: reply.lines },
    diagnostic:
      cause === null
        ? formatReply((outcome as Extract<Outcome, { kind: 'delivered' }>).reply)
        : diagnosticOf(cause),
    stage: cause === null ? 'end-of-data' : cause.stage,
    exchanger: decisive?.exchanger ?? null,
    ip: decisive?.ip ?? null,
    port: decisive?.port ?? null,
    tls: reportTls(decisive?.tls ?? null),
    ...viaOf(decisive),
    durationMs: Math.round(outcome.durationMs),
    attempts: outcome.attempts.map(reportAttempt),
  }
}

function reportAttempt(attempt: Attempt): AttemptReport {
  return {
    exchanger: attempt.exchanger,
    ip: attempt.ip,
    port: attempt.port,
    stage: attempt.stage,
    status: attempt.status,
    diagnostic: attempt.diagnostic,
    startedAt: new Date(attempt.startedAt).toISOString(),
    durationMs: Math.round(attempt.durationMs),
    tls: reportTls(attempt.tls),
    ...viaOf(attempt),
  }
}

/** As `{ via }`, where there is one. */
function viaOf(attempt: Attempt | null): { via?: Via } {
  return attempt?.via === undefined ? {} : { via: attempt.via }
}

function reportTls(tls: SessionTls | null): SessionTls | null {
  if (tls === null) return null
  const { protocol, cipher, verified, reason } = tls
  return { protocol, cipher, verified, reason }
}
