/**
 * A recipient server that keeps the protocol, on smtp-server: it may lack extensions, be slow, be full or refuse
 * recipients, but says so in proper replies. smtp-server appends the enhanced status of its own table to a code,
 * so a refusal that needs another status is a script.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server'
import type { CertificateKind } from './certificates.ts'
import type { ExchangerSite, Refusal, RunningExchanger } from './exchanger.ts'
import { Listener } from './listener.ts'
import { makeCounters } from './statistics.ts'

/** In what an ordinary exchanger differs from one that takes everything. */
export interface OrdinaryBehaviour {
  readonly kind: 'ordinary'
  /** Shown at STARTTLS; `none` offers no STARTTLS. Default `trusted`. */
  readonly certificate?: CertificateKind | 'none'
  /** No version of TLS that is still in use (RFC 8996). */
  readonly onlyOldTls?: true
  readonly lacks?: readonly ('PIPELINING' | '8BITMIME' | 'SMTPUTF8')[]
  /** Default 10,240,000: Postfix's `message_size_limit`. */
  readonly sizeLimitOctets?: number
  /** More than these are greeted with 421. Default: no limit. */
  readonly maxConnections?: number
  /** Waits before the greeting and before the reply to end of data. */
  readonly slow?: true
  /** Refuses every recipient so. */
  readonly recipientRefusal?: Refusal
}

const nonAscii = /[^\u0000-\u007f]/

class RefusalError extends Error {
  readonly responseCode: number

  constructor({ code, text }: Refusal) {
    super(text)
    this.responseCode = code
  }
}

type Parameters = SMTPServerAddress['args']

/** The session's own flag outlives a MAIL that was refused. */
const declares = (parameters: Parameters, keyword: string): boolean =>
  parameters !== false && keyword in parameters

/** RFC 6531 §3.2. smtp-server turns A-labels into U-labels, so only the local part can be judged. */
const refuseAddress = (address: string, parameters: Parameters): Refusal | undefined =>
  nonAscii.test(address.slice(0, address.lastIndexOf('@'))) && !declares(parameters, 'SMTPUTF8')
    ? { code: 553, text: 'SMTPUTF8 is needed for this address' }
    : undefined

/** A parameter that was not offered is refused (RFC 5321 §4.1.1.11). */
const refuseParameters = (parameters: Parameters, { lacks = [] }: OrdinaryBehaviour): Refusal | undefined => {
  for (const [keyword, extension] of [
    ['BODY', '8BITMIME'],
    ['SMTPUTF8', 'SMTPUTF8'],
  ] as const) {
    if (lacks.includes(extension) && declares(parameters, keyword)) {
      return { code: 555, text: `${extension} was not offered` }
    }
  }
  return undefined
}

/** RFC 6152 §3 and RFC 6531 §3.2: what was not offered must not be used. */
const refuseContent = (content: Uint8Array, behaviour: OrdinaryBehaviour): Refusal | undefined => {
  if (behaviour.lacks?.includes('8BITMIME') && content.some((octet) => octet > 127)) {
    return { code: 554, text: 'Content with 8-bit octets, and 8BITMIME was not offered' }
  }
  const headerEnd = Buffer.from(content).indexOf('\r\n\r\n')
  const header = headerEnd < 0 ? content : content.subarray(0, headerEnd)
  if (behaviour.lacks?.includes('SMTPUTF8') && header.some((octet) => octet > 127)) {
    return { code: 554, text: 'Header with UTF-8, and SMTPUTF8 was not offered' }
  }
  return undefined
}

/** OpenSSL has these versions still, below its lowest level of security. */
const oldTls: SMTPServerOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.1',
  ciphers: 'DEFAULT@SECLEVEL=0',
}

const tlsOptions = (site: ExchangerSite, behaviour: OrdinaryBehaviour): SMTPServerOptions => {
  const kind = behaviour.certificate ?? 'trusted'
  if (kind === 'none') return { disabledCommands: ['AUTH', 'STARTTLS'] }
  return { ...site.certificates.kinds[kind], ...(behaviour.onlyOldTls ? oldTls : {}) }
}

/** A recipient server on smtp-server. */
export class OrdinaryExchanger implements RunningExchanger {
  readonly #site: ExchangerSite
  readonly #behaviour: OrdinaryBehaviour
  readonly #counters = makeCounters()
  readonly #server: SMTPServer
  readonly #listener: Listener

  constructor(site: ExchangerSite, behaviour: OrdinaryBehaviour) {
    this.#site = site
    this.#behaviour = behaviour
    this.#server = new SMTPServer(this.#serverOptions())
    // A client that resets its connection is the client's business.
    this.#server.on('error', () => {})
    this.#listener = new Listener(this.#server.server, this.#counters)
  }

  get host(): string {
    return this.#site.host
  }

  get ip(): string {
    return this.#site.ip
  }

  get statistics() {
    return { ...this.#counters }
  }

  listen(port: number): Promise<number> {
    return this.#listener.listen(port, this.ip)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await this.#listener.close()
    await closed
  }

  #serverOptions(): SMTPServerOptions {
    const { lacks = [], sizeLimitOctets = 10_240_000, maxConnections } = this.#behaviour
    return {
      name: this.host,
      banner: 'mxpress sandbox',
      disabledCommands: ['AUTH'],
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      hidePIPELINING: lacks.includes('PIPELINING'),
      hide8BITMIME: lacks.includes('8BITMIME'),
      hideSMTPUTF8: lacks.includes('SMTPUTF8'),
      size: sizeLimitOctets,
      rejectOversized: true,
      maxClients: maxConnections,
      logger: { debug: (entry: LogEntry, form: string, text?: string) => this.#note(entry, form, text) },
      ...tlsOptions(this.#site, this.#behaviour),
      onConnect: (_session, done) => {
        this.#wait().then(() => done(), done)
      },
      onSecure: (socket, _session, done) => {
        this.#counters.handshakes += 1
        if (socket instanceof TLSSocket && socket.isSessionReused()) this.#counters.resumptions += 1
        done()
      },
      onMailFrom: ({ address, args }, _session, done) => {
        const refusal = refuseParameters(args, this.#behaviour) ?? refuseAddress(address, args)
        done(refusal && new RefusalError(refusal))
      },
      onRcptTo: ({ address }, { envelope: { mailFrom } }, done) => {
        const parameters = mailFrom !== false && mailFrom.args
        const refusal = this.#behaviour.recipientRefusal ?? refuseAddress(address, parameters)
        done(refusal && new RefusalError(refusal))
      },
      onData: (stream, session, done) => {
        this.#take(stream, session).then((text) => done(null, text), done)
      },
    }
  }

  #wait(): Promise<void> {
    return this.#behaviour.slow === undefined
      ? Promise.resolve()
      : delay(this.#site.slowMs, undefined, { signal: this.#site.signal })
  }

  async #take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const { mailFrom, rcptTo } = session.envelope
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) if (!stream.sizeExceeded) chunks.push(chunk)
    // smtp-server answers 552 itself.
    if (stream.sizeExceeded) return ''
    const content = Buffer.concat(chunks)
    const refusal = refuseContent(content, this.#behaviour)
    if (refusal !== undefined) throw new RefusalError(refusal)
    await this.#wait()
    await this.#site.mailroom.take({
      exchanger: this.host,
      reversePath: mailFrom === false ? '' : mailFrom.address,
      recipients: rcptTo.map(({ address }) => address),
      tls: session.secure,
      content,
    })
    this.#counters.transactions += 1
    return `Ok: queued as ${randomBytes(4).toString('hex').toUpperCase()}`
  }

  /** smtp-server tells the dialogue through its logger alone. */
  #note(entry: LogEntry, form: string, text = ''): void {
    if (entry.tnx === 'command' && entry.command === 'QUIT') this.#counters.quits += 1
    const { onDialogue } = this.#site
    if (onDialogue === undefined || (entry.tnx !== 'command' && entry.tnx !== 'send')) return
    const from = form.startsWith('C:') ? 'client' : 'server'
    for (const line of text.split('\r\n')) {
      onDialogue({ exchanger: this.host, session: entry.cid ?? '', from, line })
    }
  }
}

interface LogEntry {
  readonly tnx?: string
  readonly cid?: string
  readonly command?: string
}
