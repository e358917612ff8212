/**
 * The sessions in the middle of a transaction of one delivery, for the moment it is aborted. An array, because a `Set`
 * that is filled and emptied for every message leaves a table behind each few of them, and old space grows by it: 40
 * octets a recipient, measured with 100,000.
 */
import type { Session } from '../client/session.ts'

/** A few dozen at most: no more than slots. */
export class ActiveSessions implements Iterable<Session> {
  readonly #sessions: Session[] = []

  add(session: Session): void {
    this.#sessions.push(session)
  }

  delete(session: Session): void {
    const at = this.#sessions.indexOf(session)
    const last = this.#sessions.pop()
    // The last one takes the place of the one that goes.
    if (last !== undefined && last !== session) this.#sessions[at] = last
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values()
  }
}
