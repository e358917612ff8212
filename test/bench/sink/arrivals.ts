/**
 * What has arrived at the sink, over all connections, and whether it is what was sent: the octets of every message are
 * counted, and of one message in many every octet is compared.
 */
import { makeContent, stuff } from '../content.ts'

/** One message in this many is compared octet for octet; a whole comparison costs about as much as its reading. */
const messagesPerComparison = 500

/** How the content travelled. */
export type Transport = 'BDAT' | 'DATA'

/** Counts at the end of a run. */
export interface ArrivalCounts {
  readonly connections: number
  readonly messages: number
  readonly octets: number
  /** Times a client had to wait for us in a transaction before it could go on. */
  readonly roundTrips: number
  /** Messages of which every octet was compared. */
  readonly compared: number
  readonly refused: number
  /** Connections that ended without QUIT. */
  readonly dropped: number
}

/** The sink's books. */
export class Arrivals {
  connections = 0
  roundTrips = 0
  dropped = 0
  #messages = 0
  #octets = 0
  #compared = 0
  #refused = 0
  readonly #expected: Readonly<Record<Transport, Buffer>> | null

  /** @param octets size of the only message that is right; `null`: any content is */
  constructor(octets: number | null) {
    const content = octets === null ? null : makeContent(octets)
    this.#expected = content === null ? null : { BDAT: content, DATA: stuff(content) }
  }

  /** Whether the next message is to be kept as a whole. */
  get wantsComparison(): boolean {
    return this.#expected !== null && this.#messages % messagesPerComparison === 0
  }

  /** Enters a message. @returns the reply to it. */
  take(transport: Transport, octets: number, kept: readonly Buffer[] | null): string {
    if (!this.#isRight(transport, octets, kept)) {
      this.#refused++
      return '554 5.6.0 not the content that was expected\r\n'
    }
    this.#messages++
    this.#octets += octets
    return '250 2.0.0 Ok: queued as 4D1A\r\n'
  }

  counts(): ArrivalCounts {
    return {
      connections: this.connections,
      messages: this.#messages,
      octets: this.#octets,
      roundTrips: this.roundTrips,
      compared: this.#compared,
      refused: this.#refused,
      dropped: this.dropped,
    }
  }

  #isRight(transport: Transport, octets: number, kept: readonly Buffer[] | null): boolean {
    if (this.#expected === null) return true
    const expected = this.#expected[transport]
    if (octets !== expected.length) return false
    if (kept === null) return true
    this.#compared++
    return Buffer.concat(kept).equals(expected)
  }
}
