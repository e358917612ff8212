/**
 * What must hold after every death: nothing accepted is lost; a message arrives twice only if the daemon died with it
 * begun, or its server dropped it after the final dot; each of these is marked uncertain, and nothing else is.
 */
import { expect } from 'vitest'
import { behaviours } from './exchangers.ts'
import { type Remains, sessionsPerSite } from './life.ts'

/** Follows every recipient, by address; each gets one message. */
export class Ledger {
  readonly #taken: ReadonlyMap<string, number>
  readonly #perTransaction: number
  readonly #accepted = new Set<string>()
  readonly #offered = new Set<string>()
  readonly #deathsInHand = new Map<string, number>()
  #inHand: Remains['begun'] = new Map()
  #takenBefore: ReadonlyMap<string, number> = new Map()
  readonly #sums = { deaths: 0, leased: 0, begun: 0, past: 0 }

  /** `taken`: the final dots that the servers have seen. `perTransaction`: recipients that may share one. */
  constructor(taken: ReadonlyMap<string, number>, perTransaction = 1) {
    this.#taken = taken
    this.#perTransaction = perTransaction
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
    this.#checkMarks(remains)
    this.#checkBegun(remains)
    for (const address of this.#freshOf(remains)) {
      this.#deathsInHand.set(address, (this.#deathsInHand.get(address) ?? 0) + 1)
    }
    this.#inHand = remains.begun
    this.#takenBefore = new Map(this.#taken)
  }

  /** Marked is what a life had begun when it died, and what a server dropped; nothing else. */
  #checkMarks({ queued, leased, uncertain }: Remains): void {
    // Whatever the last life had in hand is marked by the next one, which may not have come so far.
    const unmarked = [...this.#inHand.keys()].filter(
      (address) => queued.has(address) && !leased.has(address) && !uncertain.has(address),
    )
    expect(unmarked).toEqual([])
    const needless = [...uncertain].filter(
      (address) => !this.#deathsInHand.has(address) && !(isDropped(address) && this.#taken.has(address)),
    )
    expect(needless).toEqual([])
  }

  /** What the life that has just ended had begun; one that died while it started has left the last one's as it was. */
  #freshOf({ begun }: Remains): string[] {
    return [...begun].flatMap(([address, owner]) => (this.#inHand.get(address) === owner ? [] : address))
  }

  /** Begun is what is past its final dot, and what is on its way there: one transaction for each session. */
  #checkBegun(remains: Remains): void {
    const { leased, begun, uncertain } = remains
    const past = new Set(
      [...leased].filter(
        (address) => (this.#taken.get(address) ?? 0) > (this.#takenBefore.get(address) ?? 0),
      ),
    )
    // One that was dropped may have been leased again before the death, and is marked already.
    expect([...past].filter((address) => !begun.has(address) && !uncertain.has(address))).toEqual([])
    const fresh = this.#freshOf(remains)
    const onTheWay = fresh.filter((address) => !past.has(address))
    const atOnce = sessionsPerSite * behaviours.length * this.#perTransaction
    expect(onTheWay.length).toBeLessThanOrEqual(atOnce)
    this.#sums.deaths++
    this.#sums.leased += leased.size
    this.#sums.begun += fresh.length
    this.#sums.past += fresh.length - onTheWay.length
  }

  /** Checks the end: the queue is empty. */
  checkEnd(): void {
    const missing = [...this.#accepted].filter((address) => !this.#taken.has(address))
    expect(missing).toEqual([])
    const strangers = [...this.#taken.keys()].filter(
      (address) => !this.#accepted.has(address) && !this.#offered.has(address),
    )
    expect(strangers).toEqual([])
    const tooMany = [...this.#taken].filter(([address, times]) => times > this.#mostFor(address))
    expect(tooMany).toEqual([])
  }

  /** What it came to, in one line. */
  get summary(): string {
    const { deaths, leased, begun, past } = this.#sums
    const twice = [...this.#taken].filter(([address, times]) => times > (isDropped(address) ? 2 : 1)).length
    return `${deaths} deaths, ${this.#accepted.size} messages: ${leased} leased when it died, ${begun} of them begun, ${past} past the final dot; ${twice} arrived once more for it`
  }

  #mostFor(address: string): number {
    return 1 + (isDropped(address) ? 1 : 0) + (this.#deathsInHand.get(address) ?? 0)
  }
}

function isDropped(address: string): boolean {
  return address.endsWith('@drop.test')
}
