/**
 * The octets of messages that are still coming in.
 * One rule: their sum is bounded, whatever the number of clients; who would go over it is told to come back.
 */
import type { SMTPServerDataStream } from 'smtp-server'
import { OctetBlocks } from './octet-blocks.ts'
import { MESSAGE_TOO_BIG, Refusal } from './refusal.ts'

/** Memory for messages, shared by all connections. */
export class ReceiveBudget {
  #leftOctets: number

  /** @param octets at least the size limit of one message */
  constructor(octets: number) {
    this.#leftOctets = octets
  }

  /** Takes a part of it; `false`, and takes nothing, when that is not there. */
  take(octets: number): boolean {
    if (octets > this.#leftOctets) return false
    this.#leftOctets -= octets
    return true
  }

  giveBack(octets: number): void {
    this.#leftOctets += octets
  }
}

/**
 * Reads a message to its end and hands its octets to `use`; they count against the budget until that is done. The end is
 * always read, so that a reply never stands in the middle of the content.
 * @throws {Refusal} 552 over the size limit, 452 over the budget; what the stream fails with when the client leaves
 */
export async function receiveContent<T>(
  stream: SMTPServerDataStream,
  budget: ReceiveBudget,
  use: (octets: Uint8Array) => Promise<T>,
): Promise<T> {
  const blocks = new OctetBlocks()
  let taken = 0
  let hasRoom = true
  const drop = () => {
    budget.giveBack(taken)
    taken = 0
    blocks.clear()
  }
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      hasRoom &&= !stream.sizeExceeded && budget.take(chunk.length)
      if (hasRoom) {
        taken += chunk.length
        blocks.add(chunk)
      } else drop()
    }
    if (stream.sizeExceeded) throw new Refusal(552, MESSAGE_TOO_BIG.status, MESSAGE_TOO_BIG.text)
    if (!hasRoom) throw new Refusal(452, '4.3.1', 'too much mail is coming in just now, try again later')
    return await use(blocks.take())
  } finally {
    drop()
  }
}
