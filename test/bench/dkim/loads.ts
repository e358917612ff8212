/** Unsigned mail of two kinds: with room left on the machine, and as much as it can. */
import type { Agent } from '../../../src/index.ts'
import { makeContent, recipientDomain } from '../content.ts'

/** `paced`: single messages, so many a second. `full`: one message to as many recipients as can be served. */
export type LoadKind = { readonly kind: 'paced'; readonly perSecond: number } | { readonly kind: 'full' }

/** A load that is measured in turns. */
export interface Load {
  open(): LoadWindow
  /** No more of it. */
  end(): Promise<void>
}

/** One turn. */
export interface LoadWindow {
  /** Called about every millisecond. @param elapsedMs since the turn began */
  keepUp(elapsedMs: number): void
  close(): Promise<LoadCounts>
}

/** What a turn saw. */
export interface LoadCounts {
  readonly delivered: number
  /** Of each message, from handing it over to its report; a `full` load has none. */
  readonly timesMs: readonly number[]
}

/** @param content unsigned */
export function createLoad(kind: LoadKind, agent: Agent, content: Buffer): Load {
  return kind.kind === 'full' ? new FullLoad(agent, content) : pacedLoad(kind.perSecond, agent, content)
}

/** The bench's message, written by somebody of that domain. */
export function contentOf(domain: string, octets: number): Buffer {
  const text = makeContent(octets).toString('latin1').replace('alice@sender.test', `alice@${domain}`)
  return Buffer.from(text, 'latin1')
}

function pacedLoad(perSecond: number, agent: Agent, content: Buffer): Load {
  const open = (): LoadWindow => {
    const timesMs: number[] = []
    const sending: Promise<void>[] = []
    const send = async (to: string): Promise<void> => {
      const began = performance.now()
      const { counts } = await agent.send({ raw: content, to })
      if (counts.delivered !== 1) throw new Error(`not delivered: ${to}`)
      timesMs.push(performance.now() - began)
    }
    return {
      keepUp: (elapsedMs) => {
        while (sending.length < (elapsedMs / 1_000) * perSecond) {
          sending.push(send(`user${sending.length}@${recipientDomain}`))
        }
      },
      close: async () => {
        await Promise.all(sending)
        return { delivered: sending.length, timesMs }
      },
    }
  }
  return { open, end: async () => {} }
}

/** A message has as many. */
const recipientsAtOnce = 20_000

class FullLoad implements Load {
  #delivered = 0
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  constructor(agent: Agent, content: Buffer) {
    this.#running = this.#run(agent, content)
  }

  open(): LoadWindow {
    const before = this.#delivered
    return {
      keepUp: () => {},
      close: async () => ({ delivered: this.#delivered - before, timesMs: [] }),
    }
  }

  async end(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(agent: Agent, content: Buffer): Promise<void> {
    const recipients = Array.from({ length: recipientsAtOnce }, (_, index) => ({
      address: { localPart: `user${index}`, domain: recipientDomain },
      field: 'to' as const,
    }))
    const { message } = await agent.prepare({ raw: content, to: `user@${recipientDomain}` })
    while (!this.#stopping.signal.aborted) {
      for await (const outcome of agent.deliver(message, { reversePath: null, recipients })) {
        if (outcome.kind !== 'delivered') throw new Error(`not delivered: ${JSON.stringify(outcome)}`)
        this.#delivered++
        if (this.#stopping.signal.aborted) break
      }
    }
  }
}
