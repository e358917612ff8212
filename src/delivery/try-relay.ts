/**
 * A relay tried without mail: connected to, encrypted, logged in, and left with QUIT. One rule: the way there is that of a
 * delivery, so what is found is what mail would find.
 */
import { setMaxListeners } from 'node:events'
import type { Exchanger } from '../route/exchangers.ts'
import { classifyExhausted } from './classify.ts'
import type { Delivery } from './job.ts'
import { openSessionAt } from './open-session.ts'
import type { Attempt, Cause } from './outcome.ts'
import { logTarget } from './report-events.ts'
import type { Surroundings } from './surroundings.ts'
import { TargetMemory } from './target-memory.ts'

/** Why there was no session. */
export interface RelayFailure {
  /** What the relay said, or what went wrong. */
  readonly cause: Cause
  /** In the order made; empty when no address was reached for. */
  readonly attempts: readonly Attempt[]
}

/** @returns `null` when a session stood @throws `signal.reason` */
export async function tryRelay(
  exchanger: Exchanger,
  { id, signal }: Pick<Delivery, 'id' | 'signal'>,
  around: Surroundings,
): Promise<RelayFailure | null> {
  signal.throwIfAborted()
  // One listener for every address dialled: many are no leak here.
  setMaxListeners(0, signal)
  const { session, causes, attempts } = await around.limits.opening(() =>
    openSessionAt(
      {
        exchangers: [exchanger],
        delivery: { id, signal },
        mayTry: () => true,
        preferredSource: null,
        viaOf: () => ({}),
        budget: around.limits.settings.maxTargets,
      },
      // Who asks wants to know how it is now: a login that was refused a moment ago is tried again.
      { ...around, memory: new TargetMemory(around.clock) },
    ),
  )
  if (session === null) signal.throwIfAborted()
  if (session === null) return { cause: classifyExhausted(causes).cause, attempts }
  const openedAt = around.clock.monotonic()
  await session.quit()
  around.log.write({
    kind: 'session-end',
    id,
    target: logTarget(session.target),
    transactions: 0,
    durationMs: around.clock.monotonic() - openedAt,
    reason: 'quit',
  })
  return null
}
