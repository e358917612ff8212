/**
 * Where an entry comes from when it is tried again. One rule: only a refusal that looks like greylisting binds it to an
 * address; after anything else another address may do better.
 */
import { decisiveAttempt, type Outcome, type Stage } from '../delivery/outcome.ts'
import type { QueueEntry } from './entry.ts'

/** Greylists answer RCPT, or wait for the content to spare those who test an address (RFC 6647 §2). */
const GREYLISTING_STAGES: ReadonlySet<Stage> = new Set(['rcpt', 'data', 'end-of-data'])

/** Our address in the attempt that decided; `null` when unknown. */
export function sourceOf(outcome: Outcome): string | null {
  return decisiveAttempt(outcome)?.localAddress ?? null
}

/** The address of ours that a greylist knows the entry by; `null`: none, any will do. */
export function retrySourceOf({ last, sourceAddress }: QueueEntry): string | null {
  if (last === null || !last.isReply || !GREYLISTING_STAGES.has(last.stage)) return null
  return last.diagnostic.startsWith('4') ? sourceAddress : null
}
