/**
 * Who waits for an answer of which address. One rule: a slot belongs to a session, and a session takes whoever waits for
 * its address, so that many mailboxes of one exchanger cost a few connections.
 */
import { setImmediate } from 'node:timers/promises'
import { probeAddress, type Waiting } from './address-probe.ts'
import { type AddressEnd, type AddressInquiry, interruption } from './inquiry.ts'
import { ProbeRecord } from './record.ts'
import type { ProbeSurroundings } from './surroundings.ts'

/** Addresses remembered that do not bear sharing; the oldest goes. */
const MAX_UNSHARED = 10_000

/** The lines of one run. */
export class AddressLines {
  readonly #around: ProbeSurroundings
  readonly #lines = new Map<string, Waiting[]>()
  /** Where an answer in a shared session did not count. To ask everybody twice there would be worse than not to share. */
  readonly #unshared = new Set<string>()

  constructor(around: ProbeSurroundings) {
    this.#around = around
  }

  /** Asks when it is this inquiry's turn. What the network does is in the end. @throws defects only */
  ask(inquiry: AddressInquiry): Promise<AddressEnd> {
    const { promise, resolve, reject } = Promise.withResolvers<AddressEnd>()
    const { site, target, stopping } = inquiry
    const { exchanger, ip } = target
    const key = `${site} ${exchanger.host} ${ip} ${exchanger.port}`
    const waiting = { inquiry, discounted: null, resolve }
    const line = this.#lines.get(key) ?? []
    this.#lines.set(key, line)
    // Whichever answer of the name servers came first: reports are in the order of the targets.
    const behind = line.findLastIndex((other) => other.inquiry.order <= inquiry.order)
    line.splice(behind + 1, 0, waiting)
    this.#around.slots
      .run(site, stopping.signal, () => this.#serve(key))
      .catch((error: unknown) => {
        if (stopping.signal.aborted) this.#dismiss(key, stopping.signal)
        else reject(error)
      })
    return promise
  }

  /** Their turn never comes. All of them: whose slot it was that is given up says nothing, as slots are taken in any order. */
  #dismiss(key: string, signal: AbortSignal): void {
    const line = this.#lines.get(key) ?? []
    this.#lines.delete(key)
    for (const { resolve } of line) resolve(interruptedEnd(signal))
  }

  /** Each who waits has asked for a slot, so there is always one for those whom no session has taken. */
  async #serve(key: string): Promise<void> {
    const next = (): Waiting | undefined => {
      const line = this.#lines.get(key)
      const first = line?.shift()
      if (line?.length === 0) this.#lines.delete(key)
      return first
    }
    // Those who come at the same moment may have one before them.
    await setImmediate()
    let waiting = next()
    const following = () => (this.#unshared.has(key) ? undefined : next())
    while (waiting !== undefined) {
      waiting = await probeAddress(waiting, following, this.#around)
      if (waiting !== undefined) this.#shareNoMore(key)
    }
  }

  #shareNoMore(key: string): void {
    this.#unshared.add(key)
    if (this.#unshared.size <= MAX_UNSHARED) return
    for (const oldest of this.#unshared) {
      this.#unshared.delete(oldest)
      return
    }
  }
}

function interruptedEnd(signal: AbortSignal): AddressEnd {
  return { record: new ProbeRecord({ transcript: false }), cause: interruption(signal) }
}
