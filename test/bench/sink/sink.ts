/**
 * The recipient server of the benchmark, a process of its own: takes mail as cheaply as Node can and throws it away.
 * One rule: it must cost less than any sender, or the figures tell of the sink; so it reports its own CPU time.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { takeJob, tellParent } from '../child.ts'
import { cpuMsSince } from '../usage.ts'
import { type ArrivalCounts, Arrivals } from './arrivals.ts'
import { Conversation } from './conversation.ts'

/** What a sink offers and expects. */
export interface SinkJob {
  /** EHLO keywords with their parameters. */
  readonly keywords: readonly string[]
  /** Size of the only message that is accepted; `null`: any. */
  readonly octets: number | null
  /** Loopback addresses, all with the same port; default 127.0.0.1. Each is a site of its own. */
  readonly addresses?: readonly string[]
}

/** The sink's first message. */
export interface SinkReady {
  readonly port: number
}

/** The sink's answer to any further message. */
export interface SinkReport extends ArrivalCounts {
  readonly cpuMs: number
}

const job = await takeJob<SinkJob>()
const arrivals = new Arrivals(job.octets)
const ehloReply = ['sink.test', ...job.keywords]
  .map((line, index, { length }) => `250${index === length - 1 ? ' ' : '-'}${line}\r\n`)
  .join('')

const receive = (socket: Socket): void => {
  const conversation = new Conversation(arrivals, ehloReply)
  arrivals.connections++
  socket.write('220 sink.test ESMTP\r\n', 'latin1')
  socket.on('data', (octets) => {
    const replies = conversation.receive(octets as Buffer)
    if (replies !== '') socket.write(replies, 'latin1')
    if (conversation.hasQuit) socket.end()
  })
  // Lost connections are counted, and the sender's own report says what they meant.
  socket.on('error', () => {})
  socket.on('close', () => {
    if (!conversation.hasQuit) arrivals.dropped++
  })
}

let port = 0
for (const host of job.addresses ?? ['127.0.0.1']) {
  const server = createServer({ noDelay: true }, receive)
  server.listen({ port, host, backlog: 511 })
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
}
tellParent({ port } satisfies SinkReady)

const cpuBefore = process.cpuUsage()
process.on('message', () => {
  tellParent({ ...arrivals.counts(), cpuMs: cpuMsSince(cpuBefore) } satisfies SinkReport)
})
