/**
 * Waits until the sockets have been looked at once more. What the peer sent right behind its last reply, a 421 or the
 * end of the connection, is then known before the next transaction is put on the session: a flight that carries content
 * into a session that is already over could not be told from one that was lost on its way.
 *
 * Immediates run after the poll of their turn, so it takes two ticks to have a whole poll in between. One tick serves
 * all sessions; the two lists are used again and again, because what is made anew here for every message outlives it.
 */
type Resolve = () => void

/** Those who came since the last tick. */
let coming: Resolve[] = []
/** Those who have seen one tick; the next one releases them. */
let due: Resolve[] = []
let isTicking = false

/** Resolves after the event loop has polled its sockets again. */
export function nextTurn(): Promise<void> {
  if (!isTicking) {
    isTicking = true
    setImmediate(tick)
  }
  return new Promise(enlist)
}

function enlist(resolve: Resolve): void {
  coming.push(resolve)
}

function tick(): void {
  const released = due
  due = coming
  isTicking = due.length > 0
  if (isTicking) setImmediate(tick)
  for (const resolve of released) resolve()
  released.length = 0
  coming = released
}
