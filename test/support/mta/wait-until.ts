/** Waits for something outside this process that sends no signal: looks again and again, with a bound. */
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 20

/**
 * Calls `look` until it gives something other than `undefined`.
 * @throws {Error} after `timeoutMs`, with what `explain` says.
 */
export async function waitUntil<T>(
  look: () => Promise<T | undefined> | T | undefined,
  timeoutMs: number,
  explain: () => string,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`Not after ${timeoutMs} ms: ${explain()}`)
    await delay(pollMs)
  }
}
