/**
 * A recipient on the way to its outcome. One rule: `conclude` is called exactly once, by whoever has the verdict; a second
 * call is our defect and throws.
 */

import type { Session } from '../client/session.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import type { Target } from '../route/targets.ts'
import type { ActiveSessions } from './active-sessions.ts'
import type { Attempt, Cause, Outcome, Via } from './outcome.ts'
import type { OutcomeStream } from './outcome-stream.ts'

/** One envelope being delivered: what its jobs share. */
export interface Delivery {
  /** Names the delivery in the log. */
  readonly id: string
  readonly message: Message
  readonly envelope: Envelope
  readonly signal: AbortSignal
  readonly outcomes: OutcomeStream
  /** Monotonic milliseconds at which it was handed over. */
  readonly startedAt: number
  /** Sessions in the middle of a transaction of this delivery. */
  readonly activeSessions: ActiveSessions
  /** The one of our addresses that its sessions are to come from; `null`: any. */
  readonly preferredSource: string | null
  /** Awaited before a recipient's content goes out. */
  readonly beforeContent: ((recipient: Recipient) => Promise<void>) | null
}

/** A verdict, before the job's own particulars are added. */
export type Conclusion =
  | Pick<Extract<Outcome, { kind: 'delivered' }>, 'kind' | 'reply' | 'isDsnPassedOn'>
  | Pick<Extract<Outcome, { kind: 'deferred' }>, 'kind' | 'cause' | 'uncertain'>
  | Pick<Extract<Outcome, { kind: 'failed' }>, 'kind' | 'cause'>

/** One recipient of one delivery. */
export class Job {
  readonly delivery: Delivery
  readonly recipient: Recipient
  readonly attempts: Attempt[] = []
  /** Why each target so far did not take it. */
  readonly causes: Cause[] = []
  /** Temporary refusals by a host that let the transaction begin. */
  refusals = 0
  /** Times it was sent back to the same target without anybody's fault. */
  repetitions = 0
  /** As its delivery prefers, unless the site had no room for a session from there. */
  preferredSource: string | null
  /** Where its present road begins: the attempts and causes before are those of the road that could not be gone. */
  #road: { readonly attempts: number; readonly causes: number } | null = null
  #tried: Set<string> | null = null
  #isConcluded = false

  constructor(delivery: Delivery, recipient: Recipient) {
    this.delivery = delivery
    this.recipient = recipient
    this.preferredSource = delivery.preferredSource
  }

  /** Whether an open session will do: to a target it has not tried, from where it wants to come. */
  suits(session: Session): boolean {
    if (this.hasTried(session.target)) return false
    return this.preferredSource === null || this.preferredSource === session.localAddress
  }

  /** It goes by the fallback relay now; what it has gone through stays told. */
  takeFallback(): void {
    this.#road = { attempts: this.attempts.length, causes: this.causes.length }
    this.refusals = 0
    this.repetitions = 0
    this.preferredSource = null
  }

  /** The same recipient, as if nothing had been tried on its present road. */
  afresh(): Job {
    const job = new Job(this.delivery, this.recipient)
    if (this.#road === null) return job
    job.attempts.push(...this.attempts.slice(0, this.#road.attempts))
    job.causes.push(...this.causes.slice(0, this.#road.causes))
    job.takeFallback()
    return job
  }

  /** The attempts on the road that it goes now. */
  get attemptsOnRoad(): readonly Attempt[] {
    return this.#road === null ? this.attempts : this.attempts.slice(this.#road.attempts)
  }

  /** And why none of them was enough. */
  get causesOnRoad(): readonly Cause[] {
    return this.#road === null ? this.causes : this.causes.slice(this.#road.causes)
  }

  /** It ends as another one of its site, and has that one's attempts too, but for those that they made together. */
  shareFate(job: Job): void {
    const isOwn = ({ ip, port, startedAt }: Attempt): boolean =>
      this.attempts.some((own) => own.startedAt === startedAt && own.ip === ip && own.port === port)
    this.attempts.push(...job.attemptsOnRoad.filter((attempt) => !isOwn(attempt)))
    this.causes.push(...job.causesOnRoad)
  }

  /** Which relay a target is, for attempts. */
  viaOf({ exchanger }: Target): { readonly via?: Via } {
    if (exchanger.relay === undefined) return {}
    return { via: this.#road === null ? 'relay' : 'fallbackRelay' }
  }

  hasTried(target: Target): boolean {
    return this.#tried?.has(targetKey(target)) ?? false
  }

  rememberTried(target: Target): void {
    this.#tried ??= new Set()
    this.#tried.add(targetKey(target))
  }

  get isConcluded(): boolean {
    return this.#isConcluded
  }

  /** Hands the outcome to whoever iterates. */
  conclude(conclusion: Conclusion, now: number): Outcome {
    if (this.#isConcluded) throw new Error('a recipient was given a second outcome')
    this.#isConcluded = true
    const outcome: Outcome = {
      ...conclusion,
      recipient: this.recipient,
      attempts: this.attempts,
      durationMs: now - this.delivery.startedAt,
    }
    this.delivery.outcomes.push(outcome)
    return outcome
  }
}

/** Tells targets apart. */
export function targetKey(target: Target): string {
  return `${target.ip}:${target.exchanger.port}`
}
