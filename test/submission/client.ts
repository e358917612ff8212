/** A bare SMTP client that says what it is told, octet for octet, and a submission server to say it to. */
import { connect, type Socket } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import type { Accept, SubmittedMail } from '../../src/submission/acceptance.ts'
import { hashPassword } from '../../src/submission/password.ts'
import { type SubmissionOptions, startSubmission } from '../../src/submission/submission.ts'

export const hostname = 'mail.sender.test'

/** One authority and its certificate for every test of a file. */
export const certificates = makeCertificates([hostname])

/** A cost that makes tests quick. */
export const cheapCost = { logN: 4, r: 1, p: 1 }

export const usersText = async (...users: readonly (readonly [name: string, password: string])[]) => {
  const lines = await Promise.all(
    users.map(async ([name, password]) => `${name}:${await hashPassword(password, cheapCost)}\n`),
  )
  return lines.join('')
}

/** What the queue would have got, as text. */
export interface Accepted {
  readonly mail: SubmittedMail
  readonly content: string
}

/** A server at a loopback address that remembers what it accepted. */
export const start = async (options: Partial<SubmissionOptions> = {}) => {
  const accepted: Accepted[] = []
  const accept: Accept = async (mail) => {
    accepted.push({ mail, content: Buffer.from(mail.message.content ?? []).toString('latin1') })
    return { queueId: `Q${accepted.length}` }
  }
  const submission = await startSubmission({ listen: ['127.0.0.1:0'], hostname, accept, ...options })
  const clients: RawClient[] = []
  return {
    accepted,
    submission,
    /** Connects; the greeting is not read. */
    dial: async (from: { readonly localAddress?: string; readonly at?: number } = {}): Promise<RawClient> => {
      const client = await RawClient.to(submission.addresses[from.at ?? 0] ?? '', from.localAddress)
      clients.push(client)
      return client
    },
    /** Connects, reads the greeting, says EHLO. */
    greeted: async (
      from: { readonly localAddress?: string; readonly at?: number } = {},
    ): Promise<RawClient> => {
      const client = await RawClient.to(submission.addresses[from.at ?? 0] ?? '', from.localAddress)
      clients.push(client)
      await client.reply()
      await client.command('EHLO client.test')
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client[Symbol.dispose]()
      await submission.close({ graceMs: 0 })
    },
  }
}

/** One connection, in clear or encrypted. */
export class RawClient implements Disposable {
  #socket: Socket | TLSSocket
  #unread = ''
  #hasEnded = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  static async to(address: string, localAddress?: string): Promise<RawClient> {
    const [, ip = '', port] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? []
    const socket = connect({
      host: ip,
      port: Number(port),
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    const client = new RawClient(socket)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  #listen(socket: Socket): void {
    socket.on('data', (octets) => {
      this.#unread += octets.toString('latin1')
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#hasEnded ||= socket === this.#socket
      this.#wake()
    })
  }

  write(octets: string | Uint8Array): void {
    this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'utf8') : octets)
  }

  /** The next reply, its lines joined by LF; `''` when the connection ended instead. */
  async reply(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#unread)
      if (found !== null) {
        this.#unread = this.#unread.slice(found[0].length)
        return found[0].trimEnd().replaceAll('\r\n', '\n')
      }
      if (this.#hasEnded) return ''
      await this.#change()
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  async replies(count: number): Promise<string[]> {
    const replies: string[] = []
    while (replies.length < count) replies.push(await this.reply())
    return replies
  }

  async command(line: string): Promise<string> {
    this.write(`${line}\r\n`)
    return await this.reply()
  }

  /** MAIL, RCPT and DATA for one recipient. */
  async begin(recipient = 'bob@example.test'): Promise<string> {
    await this.command('MAIL FROM:<alice@sender.test>')
    await this.command(`RCPT TO:<${recipient}>`)
    return await this.command('DATA')
  }

  /** A whole transaction; gives the reply to its end. */
  async send(content: string | Uint8Array): Promise<string> {
    await this.begin()
    this.write(content)
    return await this.reply()
  }

  /** STARTTLS and the handshake; gives the reply to STARTTLS. */
  async startTls(): Promise<string> {
    const reply = await this.command('STARTTLS')
    if (!reply.startsWith('220')) return reply
    const raw = this.#socket
    raw.removeAllListeners('data')
    const socket = tlsConnect({ socket: raw, ca: certificates.ca, servername: hostname })
    this.#socket = socket
    this.#listen(socket)
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return reply
  }

  /** Everything that came until the peer closed. */
  async rest(): Promise<string> {
    while (!this.#hasEnded) await this.#change()
    return this.#unread
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

/** AUTH PLAIN's initial response. */
export const plain = (name: string, password: string, actFor = ''): string =>
  Buffer.from(`${actFor}\0${name}\0${password}`).toString('base64')
