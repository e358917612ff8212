/** A full queue worked off, by daemons that take turns, against one sink. */
import { Child } from '../child.ts'
import type { SinkReady, SinkReport } from '../sink/sink.ts'
import type { QueueContender, Start } from './contenders.ts'
import { handIn } from './hand-in.ts'
import { Rates } from './rates.ts'

/** What the queue is filled with. */
export interface Drain {
  readonly messages: number
  readonly octets: number
  readonly rounds: number
}

const domains = 20
/** One for each domain: a site of its own. */
const addresses = Array.from({ length: domains }, (_, index) => `127.82.0.${index + 1}`)
const keywords = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES', 'CHUNKING']
const pollMs = 20

/** A sink with an address for each domain. */
export function startSink(): Child {
  const module = new URL('../sink/sink.ts', import.meta.url)
  return new Child({ module, job: { keywords, octets: null, addresses }, deadlineMs: 600_000 })
}

/** Where the sink listens. */
export async function sitesOf(sink: Child): Promise<{ addresses: readonly string[]; port: number }> {
  const { port } = await sink.receive<SinkReady>()
  return { addresses, port }
}

/** Hands in as many messages as go evenly over the domains. @returns how many */
export async function fill(
  contender: QueueContender,
  { messages, octets }: Pick<Drain, 'messages' | 'octets'>,
): Promise<number> {
  const each = Math.floor(messages / domains)
  for (let index = 0; index < domains; index++) {
    await handIn(contender, { clients: 20, messages: each, octets, domain: `d${index}.test` })
  }
  return each * domains
}

/** Waits until so many have arrived; `onLook` is told how many are there, again and again. */
export async function arrival(
  sink: Child,
  count: number,
  onLook: (arrived: number) => void = () => {},
): Promise<void> {
  for (;;) {
    sink.send('report')
    const { messages } = await sink.receive<SinkReport>()
    onLook(messages)
    if (messages >= count) return
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** Prints how fast each contender empties its queue. */
export async function measureDrain(
  contenders: readonly Start[],
  { messages, octets, rounds }: Drain,
): Promise<void> {
  console.log(
    `Out: ${messages} messages of ${octets} octets over ${domains} domains, messages/s (median of ${rounds})`,
  )
  const rates = new Rates()
  for (let round = 0; round < rounds; round++) {
    for (const start of contenders) {
      await using sink = startSink()
      await using contender = await start(await sitesOf(sink))
      if (contender === null) continue
      const count = await fill(contender, { messages, octets })
      const begun = performance.now()
      await contender.deliver()
      await arrival(sink, count)
      rates.note(contender.name, count / ((performance.now() - begun) / 1000))
    }
  }
  console.log(`  ${rates}`)
}
