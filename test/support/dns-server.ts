/**
 * A name server on loopback, UDP and TCP on one port, that does what a test tells it: answers, stays silent, lies.
 * It counts the questions it gets.
 */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet'

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

/** What to say to a question. */
export interface Script {
  readonly answers?: readonly Answer[]
  readonly rcode?: keyof typeof rcodes
  /** Over UDP: an empty answer with the TC bit, so that the client comes again over TCP. */
  readonly truncated?: boolean
  readonly silent?: boolean
  /** The last chance to spoil the packet. */
  readonly spoil?: (packet: Buffer) => Buffer
}

/** A running server; the test must close it. */
export interface DnsServer {
  /** `127.0.0.1:port`, as `createSystemResolver` takes it. */
  readonly server: string
  /** Every question in the order received: `'MX example.test udp'`. */
  readonly questions: readonly string[]
  close(): Promise<void>
}

/** Starts a server that asks `script` about every question; what it does not know does not exist. */
export async function startDnsServer(script: (question: Question) => Script | undefined): Promise<DnsServer> {
  const questions: string[] = []

  function reply(query: Buffer, transport: 'udp' | 'tcp'): Buffer | null {
    const packet = decode(query)
    const question = packet.questions?.[0]
    if (question === undefined) return null
    questions.push(`${question.type} ${question.name} ${transport}`)
    const said = script(question) ?? { rcode: 'NXDOMAIN' }
    if (said.silent) return null
    const cut = said.truncated === true && transport === 'udp'
    const bytes = write(packet, cut ? [] : (said.answers ?? []))
    bytes.writeUInt16BE(0x8180 | (cut ? 0x200 : 0) | rcodes[said.rcode ?? 'NOERROR'], 2)
    return said.spoil?.(bytes) ?? bytes
  }

  const { udp, tcp, port } = await listen()
  udp.on('message', (query, peer) => {
    const bytes = reply(query, 'udp')
    if (bytes !== null) udp.send(bytes, peer.port, peer.address)
  })
  tcp.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      const bytes = reply(chunk.subarray(2), 'tcp')
      if (bytes !== null)
        socket.end(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]))
    })
  })

  return {
    server: `127.0.0.1:${port}`,
    questions,
    close: async () => {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

function write(query: Packet, answers: readonly Answer[]): Buffer {
  return encode({
    type: 'response',
    id: query.id ?? 0,
    questions: query.questions ?? [],
    answers: [...answers],
  })
}

/** One number for both: a UDP port whose TCP twin is taken is given back and another one tried. */
async function listen(): Promise<{ udp: dgram.Socket; tcp: Server; port: number }> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = dgram.createSocket('udp4').bind(port, '127.0.0.1')
    try {
      await once(udp, 'listening')
      return { udp, tcp, port }
    } catch {
      tcp.close()
    }
  }
}
