/**
 * One address is asked: connection, greeting, EHLO, STARTTLS as for mail; MAIL and RCPT, a command at a time, so that each
 * has its own reply and time; RSET and QUIT. Never DATA.
 *
 * One rule: it ends with a cause, never an exception, and says QUIT to whoever still listens.
 */
import { Connection, type PlainSocket } from '../client/connection.ts'
import { dial } from '../client/dial.ts'
import { ask, leave } from '../client/inquiry.ts'
import { openSession } from '../client/opening.ts'
import type { Session } from '../client/session.ts'
import { SessionOpenError } from '../client/session-open-error.ts'
import { hostnamesBySource } from '../client/source-address.ts'
import { causeOfDialling, causeOfOpening, classifyTransaction, statusOf } from '../delivery/classify.ts'
import type { Cause } from '../delivery/outcome.ts'
import { formatAddress, needsSmtpUtf8 } from '../mail/address.ts'
import type { Target } from '../route/targets.ts'
import { mailCommand, rcptCommand, vrfyCommand } from '../smtp/command.ts'
import { ConnectError, LocalProtocolError } from '../smtp/errors.ts'
import { formatReply, isPositive, type Reply } from '../smtp/reply.ts'
import { mayGoInClear, type TlsPolicy } from '../tls/policy.ts'
import { InterruptedError } from './interrupted.ts'
import { ProbeRecord, replyReport } from './record.ts'
import { type ProbeStage, probeStages } from './report.ts'
import { type Stopping, whenOverdue } from './stopping.ts'
import type { ProbeSurroundings } from './surroundings.ts'
import { inventMailbox, type ProbeTarget } from './target.ts'

/** What came of it. */
export interface AddressEnd {
  readonly record: ProbeRecord
  /** What ended it; `null` when it went as far as it was told to and no further. */
  readonly cause: Cause | null
}

/** What is asked, and where. */
export interface AddressInquiry {
  readonly target: Target
  readonly site: string
  readonly about: ProbeTarget
  readonly stopping: Stopping
}

/** Asks one address. Never rejects. */
export function probeAddress(inquiry: AddressInquiry, around: ProbeSurroundings): Promise<AddressEnd> {
  return new AddressProbe(inquiry, around).run()
}

let sessions = 0

class AddressProbe {
  readonly #inquiry: AddressInquiry
  readonly #around: ProbeSurroundings
  readonly #record: ProbeRecord
  readonly #session = `${++sessions}`
  #stage: 'mail' | 'rcpt' = 'mail'

  constructor(inquiry: AddressInquiry, around: ProbeSurroundings) {
    this.#inquiry = inquiry
    this.#around = around
    this.#record = new ProbeRecord(around.settings)
  }

  async run(): Promise<AddressEnd> {
    return { record: this.#record, cause: await this.#ask().catch((error: Error) => this.#causeOf(error)) }
  }

  async #ask(): Promise<Cause | null> {
    const connected = await this.#dial()
    if (this.#endsAfter('connect')) {
      // RFC 5321 §4.3.1: there is nothing to say before the greeting, not even QUIT.
      connected.socket.destroy()
      return null
    }
    const session = await this.#open(connected)
    using _ = whenOverdue(this.#inquiry.stopping, () => leave(session))
    try {
      return this.#endsAfter('starttls') ? null : await this.#envelope(session)
    } finally {
      await session.quit()
    }
  }

  /** Whether the probe is to end with this stage or before it. */
  #endsAfter(stage: ProbeStage): boolean {
    return probeStages.indexOf(this.#around.settings.stopAfter) <= probeStages.indexOf(stage)
  }

  async #dial(): Promise<PlainSocket> {
    const { target, site, stopping } = this.#inquiry
    const { reachability, settings } = this.#around
    const place = `${target.ip} ${target.exchanger.port}`
    const known = reachability.knownFailure(place)
    if (known !== null) throw this.#notConnected(known, 0)
    this.#record.said('client', `[connecting to ${target.ip} port ${target.exchanger.port}]`)
    const begun = performance.now()
    const { connected, failures } = await dial([target], {
      connectMs: settings.timeouts.connectMs,
      sourceAddresses: settings.agent.sourceAddresses,
      signal: stopping.signal,
    })
    const durationMs = performance.now() - begun
    if (connected === null) {
      const error = failures[0]?.error ?? new ConnectError('no answer')
      reachability.failed(site, place, error)
      throw this.#notConnected(error, durationMs)
    }
    reachability.connected()
    this.#record.add('connect', { reply: null, error: null, durationMs })
    return connected
  }

  #notConnected(error: ConnectError, durationMs: number): ConnectError {
    this.#record.add('connect', { reply: null, error, durationMs })
    this.#record.said('client', `[${error.message}]`)
    return error
  }

  /** As a delivery opens it: where TLS is broken and clear text allowed, on a new connection in clear. */
  async #open(connected: PlainSocket): Promise<Session> {
    const policy: TlsPolicy = { ...this.#around.settings.agent.tls, decidedBy: 'configuration' }
    try {
      return await this.#greet(connected, policy)
    } catch (error) {
      if (!(error instanceof SessionOpenError) || !error.isTlsBroken || !mayGoInClear(policy)) throw error
      this.#inquiry.stopping.signal.throwIfAborted()
      this.#record.inClear()
      return await this.#greet(await this.#dial(), { ...policy, mode: 'off', decidedBy: 'broken TLS' })
    }
  }

  async #greet(connected: PlainSocket, tlsPolicy: TlsPolicy): Promise<Session> {
    const { target } = this.#inquiry
    const { hostname, tlsClient, settings } = this.#around
    const { stopAfter, timeouts } = settings
    const connection = new Connection(connected, this.#traced())
    const { stopping } = this.#inquiry
    // Before the end of the opening there may be nobody to say QUIT to: RFC 5321 §4.3.1, or a handshake.
    using _ = whenOverdue(stopping, () => connection.destroy(stopping.overdue.reason))
    return await openSession(connection, target, {
      hostname,
      sourceHostnames: hostnamesBySource(settings.agent.sourceHostnames),
      timeouts,
      tlsPolicy,
      tlsClient,
      onStage: (stage) => this.#record.opened(stage),
      onHandshake: (state) => this.#record.secured(state),
      ...(stopAfter === 'greeting' || stopAfter === 'ehlo' ? { until: stopAfter } : {}),
    })
  }

  async #envelope(session: Session): Promise<Cause | null> {
    const { settings } = this.#around
    const { mailbox } = this.#inquiry.about
    const { reversePath } = settings
    const smtpUtf8 = needsSmtpUtf8(mailbox) || (reversePath !== null && needsSmtpUtf8(reversePath))
    // RFC 6531 §3.2: nothing internationalized goes to a server that does not offer it.
    if (smtpUtf8 && !session.extensions.smtpUtf8) {
      const error = new LocalProtocolError('the address needs SMTPUTF8, and the server does not offer it')
      return { stage: 'policy', status: '5.6.7', error }
    }
    const mail = await this.#say(session, 'mail', mailCommand(reversePath, { smtpUtf8 }))
    if (!isPositive(mail)) return causeOf('mail', mail)
    if (this.#endsAfter('mail')) {
      await this.#reset(session)
      return null
    }
    const rcpt = await this.#say(session, 'rcpt', rcptCommand(mailbox, { smtpUtf8 }))
    this.#record.recipient = replyReport(rcpt)
    await this.#further(session, rcpt, smtpUtf8)
    return causeOf('rcpt', rcpt)
  }

  /** What is asked beside; whatever comes of it, the answer about the mailbox stands. */
  async #further(session: Session, rcpt: Reply, smtpUtf8: boolean): Promise<void> {
    const { settings, random } = this.#around
    const { about } = this.#inquiry
    const { timeouts } = session
    try {
      this.#expectGoingOn()
      if (settings.catchAll && isPositive(rcpt) && session.isUsable) {
        const invented = inventMailbox(about, random)
        const reply = await ask(session, rcptCommand(invented), timeouts.rcptMs)
        this.#record.catchAll = { address: formatAddress(invented), reply: replyReport(reply) }
      }
      await this.#reset(session)
      this.#expectGoingOn()
      if (settings.vrfy && session.isUsable) {
        const reply = await ask(session, vrfyCommand(about.mailbox, { smtpUtf8 }), timeouts.rcptMs)
        this.#record.vrfy = replyReport(reply)
      }
    } catch {
      // The session is over and its connection knows why, or the run is: `quit` does the rest.
    }
  }

  /** RFC 5321 §4.1.1.5: nothing of the transaction is left behind. */
  async #reset(session: Session): Promise<void> {
    if (session.isUsable) await ask(session, 'RSET\r\n', session.timeouts.mailMs)
  }

  async #say(session: Session, stage: 'mail' | 'rcpt', command: string): Promise<Reply> {
    this.#expectGoingOn()
    this.#stage = stage
    const begun = performance.now()
    const durationMs = (): number => performance.now() - begun
    try {
      const { mailMs, rcptMs } = session.timeouts
      const reply = await ask(session, command, stage === 'mail' ? mailMs : rcptMs)
      this.#record.add(stage, { reply, error: null, durationMs: durationMs() })
      return reply
    } catch (error) {
      this.#record.add(stage, { reply: null, error: error as Error, durationMs: durationMs() })
      throw error
    }
  }

  /** What was asked before is answered; nothing more is asked. */
  #expectGoingOn(): void {
    this.#inquiry.stopping.signal.throwIfAborted()
  }

  #causeOf(error: Error): Cause {
    const { signal } = this.#inquiry.stopping
    // A refusal that came in the last moment counts.
    const isRefused = error instanceof SessionOpenError && error.reply !== null
    if (signal.aborted && !isRefused) {
      return { stage: 'policy', status: '4.3.2', error: new InterruptedError(signal.reason) }
    }
    if (error instanceof ConnectError) return causeOfDialling(error)
    if (error instanceof SessionOpenError) return causeOfOpening(error)
    const end = { reply: null, error, isContentSent: false, repliesSeen: 1, isChunkingRefused: false }
    const verdict = classifyTransaction({ ...end, stage: this.#stage }, { isReused: false })
    return 'cause' in verdict ? verdict.cause : { stage: this.#stage, status: '4.3.0', error }
  }

  #traced(): ((direction: 'client' | 'server', text: string) => void) | null {
    const { trace, clock } = this.#around
    if (trace === null && this.#record.transcript === null) return null
    const { exchanger, ip } = this.#inquiry.target
    const target = `${exchanger.host} [${ip}]:${exchanger.port}`
    return (direction, text) => {
      this.#record.said(direction, text)
      trace?.({ at: clock.now(), session: this.#session, target, direction, text })
    }
  }
}

function causeOf(stage: 'mail' | 'rcpt', reply: Reply): Cause {
  return { stage, status: statusOf(reply), reply }
}

/** What ended an inquiry, in the server's words or ours. */
export function reasonOf({ reply, error }: Cause): string {
  return reply === undefined ? (error?.message ?? '') : formatReply(reply)
}
