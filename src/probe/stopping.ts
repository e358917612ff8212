/**
 * How a run is stopped. One rule: at once nothing new is begun; sessions that are open have a moment for the reply that is
 * under way and for QUIT, and then they are left.
 */

/** Time for a reply that is under way, QUIT and its answer; a person who pressed Ctrl-C does not wait longer gladly. */
const GOODBYE_MS = 1_000

/** The two steps of an end. */
export interface Stopping {
  /** Nothing new is begun from now on. */
  readonly signal: AbortSignal
  /** Aborts that moment later, with the same reason. */
  readonly overdue: AbortSignal
}

/** Watches a signal. Its timer runs only from the abort on, and only while something else keeps the program alive. */
export function stoppingBy(signal: AbortSignal): Stopping {
  const overdue = new AbortController()
  const begin = (): void => {
    setTimeout(() => overdue.abort(signal.reason), GOODBYE_MS).unref()
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return { signal, overdue: overdue.signal }
}

/** Does something when a session is overdue, unless it is disposed of before. */
export function whenOverdue({ overdue }: Stopping, act: () => void): Disposable {
  if (overdue.aborted) act()
  overdue.addEventListener('abort', act, { once: true })
  return { [Symbol.dispose]: () => overdue.removeEventListener('abort', act) }
}
