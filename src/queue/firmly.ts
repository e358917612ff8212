/**
 * Store calls that must succeed in the end: a verdict that is known must not be lost because the disk is full just now.
 * One rule: only what may pass by itself is tried again, and not when the program wants to end.
 */
import type { Wait } from './alarm-clock.ts'
import { QueueClosedError, QueueDamagedError, QueueError } from './errors.ts'

/** How it is tried again. */
export interface Firmness {
  readonly wait: Wait
  /** Ends the trying. */
  readonly signal: AbortSignal
  readonly onTrouble: (error: Error) => void
}

/** After a failure; short, because deliveries stand still meanwhile. */
export const TROUBLE_WAIT_MS = 1_000

/**
 * The result; `null` when it was not to be had before the end, or never will be.
 * @throws whatever is no failure of the store
 */
export async function firmly<T>(
  work: () => Promise<T>,
  { wait, signal, onTrouble }: Firmness,
): Promise<T | null> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof QueueError)) throw error
      onTrouble(error)
      const isFinal = error instanceof QueueClosedError || error instanceof QueueDamagedError
      if (isFinal || signal.aborted) return null
      await wait(TROUBLE_WAIT_MS, signal).catch(() => {})
    }
  }
}
