/**
 * Waiting for work that others may be waiting for too.
 * One rule: giving up ends the waiting only, never the work.
 */

/**
 * Settles as `work` does, or rejects with `signal.reason` as soon as the signal is aborted.
 * The work goes on; the listener is removed either way, so one signal may serve thousands of waits.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  if (signal.aborted) {
    work.catch(() => {}) // nobody is left to hear of it
    return Promise.reject(signal.reason)
  }
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Settles as `work` does, or rejects with what `late` returns when `limitMs` have passed first. */
export function within<T>(work: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), limitMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
