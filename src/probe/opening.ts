/**
 * From an address to an open session: connection, greeting, EHLO, STARTTLS as for mail. One rule: whatever happens is in the
 * record of the inquiry that the session is opened for.
 */
import { Connection, type PlainSocket } from '../client/connection.ts'
import { dial } from '../client/dial.ts'
import type { Trace } from '../client/dialogue.ts'
import { openSession } from '../client/opening.ts'
import type { Session } from '../client/session.ts'
import { SessionOpenError } from '../client/session-open-error.ts'
import { hostnamesBySource } from '../client/source-address.ts'
import { ConnectError } from '../smtp/errors.ts'
import { mayGoInClear, type TlsPolicy } from '../tls/policy.ts'
import { type AddressInquiry, endsAfter } from './inquiry.ts'
import type { ProbeRecord } from './record.ts'
import { whenOverdue } from './stopping.ts'
import type { ProbeSurroundings } from './surroundings.ts'

/** Where what happens is written down. */
export interface Writing {
  readonly record: ProbeRecord
  readonly trace: Trace | null
}

/** Opens a session; `null` where the probe is to end with the connection. @throws {ConnectError} {SessionOpenError} */
export async function openFor(
  inquiry: AddressInquiry,
  writing: Writing,
  around: ProbeSurroundings,
): Promise<Session | null> {
  const opening = new Opening(inquiry, writing, around)
  const connected = await opening.dial()
  if (!endsAfter('connect', around.settings)) return opening.open(connected)
  // RFC 5321 §4.3.1: there is nothing to say before the greeting, not even QUIT.
  connected.socket.destroy()
  return null
}

class Opening {
  readonly #inquiry: AddressInquiry
  readonly #record: ProbeRecord
  readonly #trace: Trace | null
  readonly #around: ProbeSurroundings

  constructor(inquiry: AddressInquiry, { record, trace }: Writing, around: ProbeSurroundings) {
    this.#inquiry = inquiry
    this.#record = record
    this.#trace = trace
    this.#around = around
  }

  async dial(): Promise<PlainSocket> {
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
  async open(connected: PlainSocket): Promise<Session> {
    const policy: TlsPolicy = { ...this.#around.settings.agent.tls, decidedBy: 'configuration' }
    try {
      return await this.#greet(connected, policy)
    } catch (error) {
      if (!(error instanceof SessionOpenError) || !error.isTlsBroken || !mayGoInClear(policy)) throw error
      this.#inquiry.stopping.signal.throwIfAborted()
      this.#record.inClear()
      return await this.#greet(await this.dial(), { ...policy, mode: 'off', decidedBy: 'broken TLS' })
    }
  }

  async #greet(connected: PlainSocket, tlsPolicy: TlsPolicy): Promise<Session> {
    const { target } = this.#inquiry
    const { hostname, tlsClient, settings } = this.#around
    const { stopAfter, timeouts } = settings
    const connection = new Connection(connected, this.#trace)
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
}
