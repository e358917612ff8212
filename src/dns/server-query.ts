/**
 * One question to one name server, for what `node:dns` does not tell: which server answered, and whether it has
 * validated the answer (the AD bit, RFC 6840 §5.7). One rule: only an answer to this very question counts.
 */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet'

/** What to ask whom. */
export interface ServerQuery {
  /** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`. */
  readonly server: string
  readonly name: string
  readonly type: 'SOA'
  /** Milliseconds for one try; there are `tries` of them. */
  readonly timeoutMs: number
  /** Default 2: a datagram may be lost. */
  readonly tries?: number
  readonly signal?: AbortSignal
}

/** What came back. */
export interface ServerAnswer {
  /** `NOERROR`, `SERVFAIL`, `REFUSED` … */
  readonly rcode: string
  /** The server says that it has validated the answer with DNSSEC. */
  readonly isValidated: boolean
  readonly answers: readonly AnswerRecord[]
  readonly durationMs: number
}

/** A record of an answer. Not dns-packet's own type: whoever installs this package does not get those declarations. */
export interface AnswerRecord {
  /** `SOA`, `RRSIG` … */
  readonly type: string
  /** When an RRSIG holds, in seconds since the epoch; `null` of any other record. */
  readonly signature: { readonly inception: number; readonly expiration: number } | null
}

/** RFC 6840 §5.7: set in a query, AD asks for the bit in the answer. */
const recursionDesired = 0x0100
const authenticData = 0x0020

/** What everybody with EDNS offers since the DNS flag day of 2020. */
const udpPayloadSize = 1232

/** Asks with DO set (RFC 4035 §3.2.1). Resolves to `null` when nothing came in time. @throws `signal.reason`, or what the system says */
export async function queryServer({ tries = 2, ...query }: ServerQuery): Promise<ServerAnswer | null> {
  for (let left = tries; left > 0; left--) {
    const answer = await queryOnce(query)
    if (answer !== null) return answer
  }
  return null
}

function queryOnce(query: Omit<ServerQuery, 'tries'>): Promise<ServerAnswer | null> {
  const { host, port, family } = addressOf(query.server)
  const id = randomInt(0x10000)
  const begun = performance.now()
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const { signal } = query
  return new Promise<ServerAnswer | null>((resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(() => resolve(null), query.timeoutMs)
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    socket.once('close', end)
    socket.on('error', reject)
    socket.on('message', (octets) => {
      const packet = read(octets)
      if (packet !== null && isAnswerTo(packet, { id, name: query.name, type: query.type }))
        resolve(answerOf(packet, performance.now() - begun))
    })
    // A connected socket takes datagrams from this server only, and hears when its port is closed.
    socket.once('connect', () => socket.send(encodeQuery(id, query)))
    socket.connect(port, host)
  }).finally(() => socket.close())
}

function encodeQuery(id: number, { name, type }: Pick<ServerQuery, 'name' | 'type'>): Buffer {
  return encode({
    type: 'query',
    id,
    flags: recursionDesired | authenticData,
    questions: [{ name, type }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0x8000,
        flag_do: true,
        options: [],
      },
    ],
  })
}

function read(octets: Buffer): DecodedPacket | null {
  try {
    return decode(octets)
  } catch {
    return null
  }
}

function isAnswerTo(
  packet: DecodedPacket,
  asked: { readonly id: number; readonly name: string; readonly type: string },
): boolean {
  const question = packet.questions?.[0]
  const plain = (name: string) => name.toLowerCase().replace(/\.$/, '')
  return (
    packet.flag_qr &&
    packet.id === asked.id &&
    question?.type === asked.type &&
    plain(question.name) === plain(asked.name)
  )
}

function answerOf(packet: DecodedPacket, durationMs: number): ServerAnswer {
  // dns-packet gives the name of the code; its types know nothing of it.
  const { rcode = 'NOERROR' } = packet as { readonly rcode?: string }
  return { rcode, isValidated: packet.flag_ad, answers: (packet.answers ?? []).map(recordOf), durationMs }
}

function recordOf(answer: Answer): AnswerRecord {
  if (answer.type !== 'RRSIG') return { type: answer.type, signature: null }
  const { inception, expiration } = answer.data
  return { type: answer.type, signature: { inception, expiration } }
}

function addressOf(server: string): { host: string; port: number; family: 4 | 6 } {
  const [, bracketed, bracketedPort] = /^\[([^\]]*)\](?::(\d+))?$/.exec(server) ?? []
  if (bracketed !== undefined) return { host: bracketed, port: Number(bracketedPort ?? 53), family: 6 }
  const [, ipv4, port] = /^([0-9.]+)(?::(\d+))?$/.exec(server) ?? []
  return ipv4 === undefined
    ? { host: server, port: 53, family: 6 }
    : { host: ipv4, port: Number(port ?? 53), family: 4 }
}
