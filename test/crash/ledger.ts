/**
 * What must hold after every death: nothing accepted is lost, and a message arrives twice only if the daemon died with it
 * in hand, or its server dropped it after the final dot.
 */
import { expect } from 'vitest'
import type { Remains } from './life.ts'

/** Follows every recipient, by address; each gets one message. */
export class Ledger {
  readonly #taken: ReadonlyMap<string, number>
  readonly #accepted = new Set<string>()
  readonly #offered = new Set<string>()
  readonly #deathsInHand = new Map<string, number>()
  #inHand: ReadonlySet<string> = new Set()

  /** `taken`: the final dots that the servers have seen. */
  constructor(taken: ReadonlyMap<string, number>) {
    this.#taken = taken
  }

  /** It is about to be handed in; whether it was is not known yet. */
  offer(address: string): void {
    this.#offered.add(address)
  }

  /** The queue has said that it has it. */
  accept(address: string): void {
    this.#accepted.add(address)
  }

  get accepted(): number {
    return this.#accepted.size
  }

  /** Checks the queue of a daemon that has just died. */
  checkDeath(remains: Remains): void {
    const lost = [...this.#accepted].filter(
      (address) => !remains.queued.has(address) && !this.#taken.has(address),
    )
    expect(lost).toEqual([])
    // Whatever the last life had in hand is marked by the next one, which may not have come so far.
    const unmarked = [...this.#inHand].filter(
      (address) =>
        remains.queued.has(address) && !remains.leased.has(address) && !remains.uncertain.has(address),
    )
    expect(unmarked).toEqual([])
    for (const address of remains.leased) {
      this.#deathsInHand.set(address, (this.#deathsInHand.get(address) ?? 0) + 1)
    }
    this.#inHand = new Set([...remains.leased])
  }

  /** Checks the end: the queue is empty. @returns how many arrived more than once */
  checkEnd(): number {
    const missing = [...this.#accepted].filter((address) => !this.#taken.has(address))
    expect(missing).toEqual([])
    const strangers = [...this.#taken.keys()].filter(
      (address) => !this.#accepted.has(address) && !this.#offered.has(address),
    )
    expect(strangers).toEqual([])
    const tooMany = [...this.#taken].filter(([address, times]) => times > this.#mostFor(address))
    expect(tooMany).toEqual([])
    return [...this.#taken.values()].filter((times) => times > 1).length
  }

  #mostFor(address: string): number {
    const drops = address.endsWith('@drop.test') ? 1 : 0
    return 1 + drops + (this.#deathsInHand.get(address) ?? 0)
  }
}
