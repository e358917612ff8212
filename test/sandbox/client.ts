/** Clients for the sandbox's tests: a bare SMTP one that says what it is told, nodemailer's, and a resolver. */
import { Resolver } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'
import { createTransport } from 'nodemailer'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'

/** Asks the sandbox's name server. */
export const resolverFor = (sandbox: { readonly dns: string }): Resolver => {
  const resolver = new Resolver({ timeout: 5000, tries: 1 })
  resolver.setServers([sandbox.dns])
  return resolver
}

/** The address of an exchanger, by way of the DNS. */
export const addressOf = async (sandbox: Sandbox, host: string): Promise<string> => {
  const [ip = ''] = await resolverFor(sandbox).resolve4(host)
  return ip
}

/** A connection that reads whole replies. */
export class BareClient implements Disposable {
  readonly #socket: Socket
  #unread = ''
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (octets) => {
      this.#unread += octets.toString('utf8')
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** Connects without waiting for a greeting. */
  static async to(ip: string, port: number): Promise<BareClient> {
    const socket = connect({ host: ip, port })
    const client = new BareClient(socket)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  write(octets: string | Uint8Array): void {
    this.#socket.write(octets)
  }

  /** The next reply, lines joined by LF; `''` when the connection ended instead. */
  async reply(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*(?:\d{3}(?: .*)?|(?!\d{3}-).*)\r\n/.exec(this.#unread)
      if (found !== null) {
        this.#unread = this.#unread.slice(found[0].length)
        return found[0].trimEnd().replaceAll('\r\n', '\n')
      }
      if (this.#ended) return ''
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when so many characters have come that no reply was made of. */
  async characters(count: number): Promise<string> {
    while (this.#unread.length < count && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#unread
  }

  async command(line: string): Promise<string> {
    this.write(`${line}\r\n`)
    return await this.reply()
  }

  /** Resolves when the peer has closed. */
  async closed(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

/** A bare client that has had its greeting and said EHLO. */
export const greeted = async (sandbox: Sandbox, host: string): Promise<BareClient> => {
  const client = await BareClient.to(await addressOf(sandbox, host), sandbox.port)
  await client.reply()
  await client.command('EHLO sender.test')
  return client
}

/** The keywords of an EHLO reply. */
export const keywords = async (sandbox: Sandbox, host: string): Promise<readonly string[]> => {
  using client = await BareClient.to(await addressOf(sandbox, host), sandbox.port)
  await client.reply()
  const [, ...lines] = (await client.command('EHLO sender.test')).split('\n')
  return lines.map((line) => line.slice(4))
}

/** What became of a delivery with nodemailer: the last reply, or the error's code where there was none. */
export const send = async (
  sandbox: Sandbox,
  host: string,
  mail: { readonly to: string; readonly raw?: string; readonly tls?: object; readonly ip?: string },
): Promise<string> => {
  const transport = createTransport({
    host: mail.ip ?? (await addressOf(sandbox, host)),
    port: sandbox.port,
    name: 'sender.test',
    tls: { rejectUnauthorized: false, servername: host, ...mail.tls },
  })
  try {
    const raw = mail.raw ?? 'Subject: hi\r\n\r\nhello\r\n'
    const sent = await transport.sendMail({ envelope: { from: 'alice@sender.test', to: mail.to }, raw })
    return sent.response
  } catch (error) {
    const { response, code } = error as { response?: string; code?: string }
    return response ?? code ?? String(error)
  }
}

/** Says MAIL, RCPT and DATA and the message; gives the four replies. */
export const transact = async (
  client: BareClient,
  message: { readonly to: string; readonly content?: string },
): Promise<readonly string[]> => [
  await client.command('MAIL FROM:<alice@sender.test>'),
  await client.command(`RCPT TO:<${message.to}>`),
  await client.command('DATA'),
  await client.command(`${message.content ?? 'Subject: hi\r\n\r\nhello\r\n'}.`),
]
