/**
 * Waits until the sockets have been looked at once more. What the peer sent right behind its last reply, a 421 or the
 * end of the connection, is then known before the next transaction is put on the session: a flight that carries content
 * into a session that is already over could not be told from one that was lost on its way.
 *
 * One wait serves all sessions that ask for it in the same turn of the event loop.
 */
let waiting: (() => void)[] = []

/** Resolves after the event loop has polled its sockets again. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.length === 0) {
      // The first immediate still runs in the turn that delivered the reply; the second one after the next poll.
      setImmediate(() => setImmediate(release))
    }
    waiting.push(resolve)
  })
}

function release(): void {
  const released = waiting
  waiting = []
  for (const resolve of released) resolve()
}
