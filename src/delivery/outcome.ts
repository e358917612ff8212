/**
 * What became of a recipient. One recipient, exactly one outcome. Failure is a value here: nothing about mail is thrown
 * above this folder.
 */
import type { Recipient } from '../mail/envelope.ts'
import type { EnhancedStatus } from '../smtp/enhanced-status.ts'
import type { Reply } from '../smtp/reply.ts'

/** Where an attempt stopped. */
export type Stage =
  | 'route'
  | 'policy'
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'end-of-data'

/** Why a recipient was not delivered. */
export interface Cause {
  /** Where it stopped. */
  readonly stage: Stage
  /** The peer's status where its class agrees with the reply code, else ours. */
  readonly status: EnhancedStatus
  /** The peer's refusal; absent where none was given. */
  readonly reply?: Reply
  /** What went wrong on the way, without a reply or before one; absent otherwise. */
  readonly error?: Error
}

/** What protected a session; absent (`null`) in clear text. */
export interface SessionTls {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string
  /** The certificate chains to a trusted CA and names the exchanger. */
  readonly verified: boolean
  /** Why `verified` is false; `null` when it is true. */
  readonly reason: string | null
}

/** A relay's place in the options. */
export type Via = 'relay' | 'fallbackRelay'

/** One try at one target. */
export interface Attempt {
  /** Host name of the exchanger, or an address literal. */
  readonly exchanger: string
  /** The address dialled. */
  readonly ip: string
  readonly port: number
  /** Where it stopped; `end-of-data` where it went well. */
  readonly stage: Stage
  /** The peer's status where its class agrees with the reply code, else ours. */
  readonly status: EnhancedStatus
  /** The reply on one line, or our own words; unescaped. */
  readonly diagnostic: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
  /** `null` in clear, or where it stopped before TLS. */
  readonly tls: SessionTls | null
  /** Our address in it; `null` when there was no connection. Not part of the report. */
  readonly localAddress: string | null
  /** The exchanger is a relay: the one for these domains, or the one for what cannot be connected to. Absent otherwise. */
  readonly via?: Via
}

interface OutcomeBase {
  readonly recipient: Recipient
  /** In the order made; empty when no target was reached for. */
  readonly attempts: readonly Attempt[]
  /** Milliseconds from the moment the recipient was handed over to its verdict. */
  readonly durationMs: number
}

/** The exchanger took responsibility: 250 to end of data (RFC 5321 §4.2.5). */
export interface Delivered extends OutcomeBase {
  readonly kind: 'delivered'
  /** The 2xx to the end of data. */
  readonly reply: Reply
  /**
   * Whether the exchanger offers DSN, so that it was told the wishes about reports and fulfils them itself; if not, a report
   * of success is ours to write (RFC 3461 §5.2.2). Absent when the recipient has no `dsn`.
   */
  readonly isDsnPassedOn?: boolean
}

/** May succeed later. */
export interface Deferred extends OutcomeBase {
  readonly kind: 'deferred'
  /** The refusal or trouble that got furthest, of all targets. */
  readonly cause: Cause
  /** Lost after the final dot: the message may have arrived, and is not offered elsewhere in this attempt. */
  readonly uncertain: boolean
}

/** Will not succeed. */
export interface Failed extends OutcomeBase {
  readonly kind: 'failed'
  /** What decided. */
  readonly cause: Cause
}

/** The verdict on one recipient. */
export type Outcome = Delivered | Deferred | Failed

/** The attempt that decided: the one whose stage and status the outcome tells, else the last; `null` without attempts. */
export function decisiveAttempt(outcome: Outcome): Attempt | null {
  const { attempts } = outcome
  const last = attempts.at(-1) ?? null
  if (outcome.kind === 'delivered') return last
  const { stage, status } = outcome.cause
  return attempts.findLast((attempt) => attempt.stage === stage && attempt.status === status) ?? last
}
