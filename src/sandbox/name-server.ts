/**
 * The sandbox's name server: authoritative for everything, over UDP and TCP on one port of 127.0.0.1
 * (RFC 1035 §4.2). One rule: it answers from the zone or not at all, and asks nobody.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { type Answer, type DecodedPacket, decode, encode, type Packet } from 'dns-packet'
import { Listener } from './listener.ts'
import { isTaken } from './port.ts'
import { lookUp, type Zone, type ZoneAnswer } from './zone.ts'

const ip = '127.0.0.1'

/** Seconds that an answer may be kept; as `minimum` of the SOA also for a negative one (RFC 2308 §5). */
const ttl = 60

// RFC 1035 §4.1.1: AA, and the response codes.
const authoritative = 0x0400
const truncated = 0x0200
const authenticData = 0x0020
const responseCodes = { records: 0, signed: 0, servfail: 2, 'no-domain': 3 } as const

/** RFC 1035 §4.2.1; a client that can take more says so in an OPT record (RFC 6891 §6.2.3). */
const plainUdpOctets = 512

type Spoken = Exclude<ZoneAnswer, { kind: 'silence' }>

const isOpt = (record: Answer): record is Extract<Answer, { type: 'OPT' }> => record.type === 'OPT'

/** What everybody with EDNS offers since the DNS flag day of 2020. */
const opt: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/** Tells a resolver for how long it may remember that there is nothing (RFC 2308 §3). */
const startOfAuthority: Answer = {
  type: 'SOA',
  name: 'test',
  ttl,
  data: {
    mname: 'ns.test',
    rname: 'hostmaster.test',
    serial: 1,
    refresh: ttl,
    retry: ttl,
    expire: ttl,
    minimum: ttl,
  },
}

/** Seconds around now for which a played signature holds (RFC 4034 §3.1.5). */
const signatureLife = 7 * 86_400

/** The SOA of a name, and a signature over it that nobody could verify: whoever looks at AD takes the server's word. */
const signedAuthority = (name: string): Answer[] => {
  const now = Math.floor(Date.now() / 1000)
  const signature: Answer = {
    type: 'RRSIG',
    name,
    ttl,
    data: {
      typeCovered: 'SOA',
      algorithm: 8,
      labels: 0,
      originalTTL: ttl,
      expiration: now + signatureLife,
      inception: now - signatureLife,
      keyTag: 1,
      signersName: '.',
      signature: Buffer.from('played'),
    },
  }
  return [{ ...startOfAuthority, name }, signature]
}

const answersOf = (query: DecodedPacket, answer: Spoken): Answer[] => {
  if (answer.kind === 'signed') return signedAuthority(query.questions?.[0]?.name ?? '.')
  return answer.kind === 'records' ? answer.records.map((record) => ({ ...record, ttl })) : []
}

const makeResponse = (query: DecodedPacket, answer: Spoken): Packet => {
  const answers = answersOf(query, answer)
  const validated = answer.kind === 'signed' ? authenticData : 0
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: authoritative | validated | (query.flag_rd ? 0x0100 : 0) | responseCodes[answer.kind],
    questions: query.questions ?? [],
    answers,
    authorities: answers.length === 0 && answer.kind !== 'servfail' ? [startOfAuthority] : [],
    additionals: query.additionals?.some(isOpt) ? [opt] : [],
  }
}

const udpLimit = (query: DecodedPacket): number => {
  const offered = query.additionals?.find(isOpt)?.udpPayloadSize ?? plainUdpOctets
  return Math.min(Math.max(offered, plainUdpOctets), 1232)
}

/** Owns the two sockets; `close` ends them. */
export class NameServer {
  readonly #zone: Zone
  readonly #udp: UdpSocket
  readonly #tcp: Listener
  readonly #queries = new Map<string, number>()
  #port = 0

  constructor(zone: Zone) {
    this.#zone = zone
    this.#udp = createSocket('udp4')
    // A port that is taken rejects `listen`; afterwards there is nothing to be done about a datagram.
    this.#udp.on('error', () => {})
    this.#udp.on('message', (octets, peer) => {
      const response = this.#answer(octets, 'udp')
      // A client that is gone is no failure of ours.
      if (response !== undefined) this.#udp.send(response, peer.port, peer.address, () => {})
    })
    this.#tcp = new Listener(createServer((socket) => this.#serve(socket)))
  }

  /** `127.0.0.1:53535`, known once `listen` has resolved. */
  get address(): string {
    return `${ip}:${this.#port}`
  }

  /** By type and name: `MX accepts.test`. */
  get queries(): ReadonlyMap<string, number> {
    return this.#queries
  }

  /** @throws {Error} with code `EADDRINUSE` when the port that TCP got is taken for UDP: take a new server then. */
  async listen(): Promise<void> {
    this.#port = await this.#tcp.listen(0, ip)
    await new Promise<void>((resolve, reject) => {
      this.#udp.once('error', reject)
      this.#udp.bind({ port: this.#port, address: ip, exclusive: true }, () => {
        this.#udp.off('error', reject)
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#udp.close(resolve))
    await this.#tcp.close()
  }

  #answer(octets: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined {
    const query = readQuery(octets)
    const question = query?.questions?.[0]
    if (query === undefined || question === undefined) return undefined
    const key = `${question.type} ${question.name.toLowerCase()}`
    this.#queries.set(key, (this.#queries.get(key) ?? 0) + 1)
    const answer = lookUp(this.#zone, question)
    if (answer.kind === 'silence') return undefined
    const response = makeResponse(query, answer)
    const whole = encode(response)
    if (transport === 'tcp' || whole.length <= udpLimit(query)) return whole
    // RFC 2181 §9: cut off, so ask again over TCP.
    return encode({ ...response, flags: (response.flags ?? 0) | truncated, answers: [] })
  }

  /** Over TCP each message has its length in two octets before it (RFC 1035 §4.2.2). */
  #serve(socket: Socket): void {
    let unread: Buffer = Buffer.alloc(0)
    socket.on('data', (octets: Buffer) => {
      unread = Buffer.concat([unread, octets])
      while (unread.length >= 2 && unread.length >= 2 + unread.readUInt16BE(0)) {
        const end = 2 + unread.readUInt16BE(0)
        const response = this.#answer(unread.subarray(2, end), 'tcp')
        unread = unread.subarray(end)
        if (response !== undefined) socket.write(prefixLength(response))
      }
    })
  }
}

const prefixLength = (response: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(response.length)
  return Buffer.concat([length, response])
}

/** What cannot be read is not answered. */
const readQuery = (octets: Buffer): DecodedPacket | undefined => {
  try {
    const packet = decode(octets)
    return packet.flag_qr ? undefined : packet
  } catch {
    return undefined
  }
}

/** Starts a name server for the zone; the caller closes it. */
export const startNameServer = async (zone: Zone): Promise<NameServer> => {
  for (;;) {
    const server = new NameServer(zone)
    try {
      await server.listen()
      return server
    } catch (error) {
      await server.close()
      if (!isTaken(error)) throw error
    }
  }
}
