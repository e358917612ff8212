/**
 * One listening socket: smtp-server, set up for submission.
 * One rule: whether a client may send is decided here, at its MAIL, whatever smtp-server has let it say before.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerAuthentication,
  type SMTPServerAuthenticationResponse,
  type SMTPServerDataStream,
  type SMTPServerSession,
} from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { SubmissionEvent } from '../log/events.ts'
import type { Log } from '../log/log.ts'
import { formatAddress } from '../mail/address.ts'
import type { Clock } from '../time/clock.ts'
import { type Accept, refusalOfError } from './acceptance.ts'
import type { Authenticator } from './authentication.ts'
import { SubmissionConnection } from './connection.ts'
import { prepareContent } from './content.ts'
import type { ListenAddress } from './listen-address.ts'
import type { Protection } from './protection.ts'
import { type ReceiveBudget, receiveContent } from './received-octets.ts'
import { Refusal } from './refusal.ts'
import { hasRoom } from './room.ts'
import { receivedField } from './trace.ts'
import { Transaction } from './transaction.ts'

/** What all listeners have in common. */
export interface ListenerShare {
  readonly hostname: string
  /** Largest message, in octets. */
  readonly maxSize: number
  readonly maxRecipients: number
  readonly maxConnections: number
  readonly maxErrors: number
  readonly idleTimeoutMs: number
  readonly loginTimeoutMs: number
  readonly accept: Accept
  readonly clock: Clock
  readonly log: Log
  readonly budget: ReceiveBudget
  /** Of all listeners together; `maxConnections` counts them. */
  readonly connections: Set<SubmissionConnection>
  /** Those whose sockets are still there, although they have been told to go. */
  readonly open: Set<SubmissionConnection>
  readonly isLoopback: (ip: string) => boolean
}

type Done = (error?: Error | null) => void

/** RFC 5321 §4.5.3.1.4 says 512 octets and what extensions add: ORCPT 500, a UTF-8 path. Postfix: 2,048. */
const lineLimitOctets = 2_048
/** RFC 4954 §4. */
const authLineLimitOctets = 12_288
/** Wrong logins in one session. */
const mostLoginFailures = 3

/** One address. `null` for protection: only programs of this host may come, and need not log in. */
export class SubmissionListener extends SMTPServer {
  readonly #share: ListenerShare
  readonly #protection: Protection | null
  /** Keyed by smtp-server's envelope, of which it makes a new one whenever a transaction ends. */
  readonly #transactions = new WeakMap<object, Transaction>()
  readonly #loginFailures = new WeakMap<object, number>()

  constructor(share: ListenerShare, protection: Protection | null) {
    super({
      name: share.hostname,
      banner: 'mxpress',
      heloResponse: '%s',
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
      hideDSN: false,
      size: share.maxSize,
      socketTimeout: share.idleTimeoutMs,
      maxCommandLength: protection === null ? lineLimitOctets : authLineLimitOctets,
      logger: false,
      // Handed to `net.createServer`: who says all he has and closes his side (`nc -N`) is answered all the same.
      ...{ allowHalfOpen: true },
      authMethods: ['PLAIN', 'LOGIN'],
      authRequiredMessage: '5.7.0 log in first: STARTTLS, then AUTH',
      // WIZ, SHELL and KILL are jokes of smtp-server; XCLIENT and XFORWARD would let a client name its own address.
      disabledCommands: [
        ...['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD'],
        ...(protection === null ? ['AUTH', 'STARTTLS'] : []),
      ],
      // RFC 8996; smtp-server would still take TLS 1.0.
      minVersion: 'TLSv1.2',
      ...protection?.certificate,
    })
    this.#share = share
    this.#protection = protection
    // A client that resets its connection is the client's business.
    this.on('error', () => {})
  }

  /** Whether strangers may come, once they have logged in. */
  get isPublic(): boolean {
    return this.#protection !== null
  }

  /** Gives the address with the port it got. @throws {Error} with the system's code */
  open(address: ListenAddress): Promise<ListenAddress> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.listen({ port: address.port, host: address.ip, exclusive: true, ipv6Only: true }, () => {
        this.server.off('error', reject)
        const bound = this.server.address()
        resolve({ ...address, port: typeof bound === 'object' && bound !== null ? bound.port : address.port })
      })
    })
  }

  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    const { connections, open, maxConnections, maxErrors, loginTimeoutMs, idleTimeoutMs } = this.#share
    // Those who were told that there is no room, and stay for the five seconds that they may: descriptors run out.
    if (open.size >= 2 * maxConnections) {
      socket.destroy()
      return
    }
    const connection = new SubmissionConnection(this, socket, options)
    connection.limits = {
      maxErrors,
      loginTimeoutMs: this.#protection === null ? null : loginTimeoutMs,
      commandTimeoutMs: Number.isFinite(idleTimeoutMs) ? idleTimeoutMs : null,
      isWelcome: (newcomer) => hasRoom(newcomer, connections, maxConnections),
    }
    connections.add(connection)
    open.add(connection)
    connection.closed.then(() => {
      connections.delete(connection)
      open.delete(connection)
    })
    // All listeners count together.
    this.connections = connections
    connection.on('error', () => {})
    connection.init()
  }

  /** Packets from elsewhere can reach a loopback address where the host forwards them (`route_localnet`, containers). */
  override onConnect({ remoteAddress }: SMTPServerSession, done: Done): void {
    const isWelcome = this.#protection !== null || this.#share.isLoopback(remoteAddress)
    done(isWelcome ? null : new Refusal(554, '5.7.1', 'this port is for programs of this host'))
  }

  override onAuth(
    { username = '', authzid = '', password }: SMTPServerAuthentication,
    session: SMTPServerSession,
    done: (error: Error | null, response?: SMTPServerAuthenticationResponse) => void,
  ): void {
    const credentials = {
      name: username,
      actFor: authzid,
      password: password ?? '',
      ip: session.remoteAddress,
    }
    const note = { kind: 'login', id: session.id, client: session.remoteAddress, user: username } as const
    this.#logIn(session, credentials).then(
      (user) => {
        this.#share.log.write({ ...note, isRight: true, error: null })
        done(null, { user })
      },
      (error) => {
        const refusal = refusalOfError(error)
        this.#share.log.write({ ...note, isRight: false, error: causeOf(refusal) ?? refusal.message })
        done(refusal)
      },
    )
  }

  async #logIn(session: SMTPServerSession, credentials: Parameters<Authenticator['authenticate']>[0]) {
    if (this.#protection === null || !session.secure) {
      throw new Refusal(538, '5.7.11', 'encryption required: STARTTLS first')
    }
    try {
      return await this.#protection.authenticator.authenticate(credentials)
    } catch (error) {
      const failures = (this.#loginFailures.get(session) ?? 0) + 1
      this.#loginFailures.set(session, failures)
      if (failures < mostLoginFailures) throw error
      throw new Refusal(421, '4.7.0', 'too many failed logins', { cause: error })
    }
  }

  override onMailFrom({ address, args }: SMTPServerAddress, session: SMTPServerSession, done: Done): void {
    this.#attempt(session, done, () => {
      if (this.#protection !== null && !(session.secure && session.user)) {
        throw new Refusal(530, '5.7.0', 'log in first: STARTTLS, then AUTH')
      }
      const command = { path: address, parameters: args || {}, duplicate: null }
      this.#transactions.set(session.envelope, new Transaction(command, this.#share))
    })
  }

  override onRcptTo({ address, args }: SMTPServerAddress, session: SMTPServerSession, done: Done): void {
    this.#attempt(session, done, () => {
      const command = { path: address, parameters: args || {}, duplicate: null }
      this.#transactionOf(session).addRecipient(command)
    })
  }

  #attempt(session: SMTPServerSession, done: Done, act: () => void): void {
    try {
      act()
      done()
    } catch (error) {
      done(this.#refuse(session, error))
    }
  }

  override onData(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    done: (error: Error | null, text?: string) => void,
  ): void {
    const id = randomBytes(6).toString('hex').toUpperCase()
    this.#take(stream, session, id).then(
      (queueId) => {
        const reply = `2.0.0 Ok: queued as ${queueId}`
        this.#note(session, { id, queueId, size: stream.byteLength, reply: `250 ${reply}` })
        done(null, reply)
      },
      (error) => done(this.#refuse(session, error, { id, size: stream.byteLength })),
    )
  }

  async #take(stream: SMTPServerDataStream, session: SMTPServerSession, id: string): Promise<string> {
    const { accept, budget, clock, hostname } = this.#share
    const transaction = this.#transactionOf(session)
    return await receiveContent(stream, budget, async (octets) => {
      const { envelope } = transaction
      const now = clock.now()
      const received = receivedField(originOf(session, transaction), { hostname, id, now })
      const message = prepareContent(octets, { envelope, hostname, received, now: () => now })
      return (await accept({ message, envelope })).queueId
    })
  }

  #transactionOf(session: SMTPServerSession): Transaction {
    const transaction = this.#transactions.get(session.envelope)
    if (transaction === undefined) throw new Refusal(451, '4.3.0', 'the transaction got lost')
    return transaction
  }

  #refuse(session: SMTPServerSession, error: unknown, { id = session.id, size = 0 } = {}): Refusal {
    const refusal = refusalOfError(error)
    const reply = `${refusal.responseCode} ${refusal.message}`
    this.#note(session, { id, queueId: null, size, reply, error: causeOf(refusal) })
    return refusal
  }

  #note(session: SMTPServerSession, event: NotedEvent): void {
    const envelope = this.#transactions.get(session.envelope)?.envelope
    this.#share.log.write({
      kind: 'submission',
      error: null,
      client: session.remoteAddress,
      user: typeof session.user === 'string' ? session.user : null,
      tls: session.tlsOptions ? session.tlsOptions.version : null,
      reversePath: envelope?.reversePath ? formatAddress(envelope.reversePath) : '',
      recipients: envelope?.recipients.length ?? 0,
      ...event,
    })
  }
}

type NotedEvent = Pick<SubmissionEvent, 'id' | 'queueId' | 'size' | 'reply'> & {
  readonly error?: string | null
}

/** What went wrong below, for the operator. A malformed address or message says all in the refusal itself. */
function causeOf({ cause, status }: Refusal): string | null {
  return cause instanceof Error && status.startsWith('4') ? cause.message : null
}

function originOf(session: SMTPServerSession, { isUtf8 }: Transaction) {
  const { tlsOptions } = session
  return {
    helo: session.hostNameAppearsAs,
    ip: session.remoteAddress,
    isExtended: session.openingCommand === 'EHLO',
    tls: session.secure && tlsOptions ? { protocol: tlsOptions.version, cipher: tlsOptions.name } : null,
    isAuthenticated: Boolean(session.user),
    isUtf8,
  }
}
