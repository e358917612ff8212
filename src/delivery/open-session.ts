/**
 * From a site's exchangers to one open session (RFC 5321 §5.1): exchangers by preference, equals shuffled each time, the
 * addresses of each as its turn comes, until one of them opens a session or the attempt's share of targets is used up.
 *
 * One rule: no host's words before a transaction are final, so everything that goes wrong here leads to the next target.
 */
import { Connection, type PlainSocket } from '../client/connection.ts'
import { dial } from '../client/dial.ts'
import type { Trace } from '../client/dialogue.ts'
import { openSession } from '../client/opening.ts'
import type { Session } from '../client/session.ts'
import { SessionOpenError } from '../client/session-open-error.ts'
import type { SessionOptions } from '../client/session-options.ts'
import { familyOf } from '../client/source-address.ts'
import { type Exchanger, orderExchangers } from '../route/exchangers.ts'
import { RouteError } from '../route/route.ts'
import type { Target } from '../route/targets.ts'
import { mayGoInClear } from '../tls/policy.ts'
import { causeOfDialling, causeOfOpening, classifyRoute, isLoginRefused } from './classify.ts'
import type { Delivery } from './job.ts'
import type { Attempt, Cause, Via } from './outcome.ts'
import { diagnosticOf, logTarget } from './report-events.ts'
import { sessionOptionsFor } from './session-options.ts'
import type { Surroundings } from './surroundings.ts'

/** What came of it; `session` is `null` when no target opened one. */
export interface Opened {
  readonly session: Session | null
  /** The targets that were reached for in vain. */
  readonly attempts: readonly Attempt[]
  readonly triedTargets: readonly Target[]
  readonly causes: readonly Cause[]
}

/** What is to be opened, and for whom. */
export interface OpeningRequest {
  readonly exchangers: readonly Exchanger[]
  /** Named in the log; its signal ends the opening. */
  readonly delivery: Pick<Delivery, 'id' | 'signal'>
  readonly mayTry: (target: Target) => boolean
  /** The one of our addresses to come from; targets of its family are dialled first. `null`: any. */
  readonly preferredSource: string | null
  /** Which relay a target is. */
  readonly viaOf: (target: Target) => { readonly via?: Via }
  /** Targets that may be dialled. */
  readonly budget: number
}

/** Tries target after target. When the delivery is aborted there is no session, and told is what was tried before. */
export function openSessionAt(request: OpeningRequest, around: Surroundings): Promise<Opened> {
  return new SessionOpening(request, around).run()
}

let sessions = 0

class SessionOpening {
  readonly #request: OpeningRequest
  readonly #around: Surroundings
  readonly #attempts: Attempt[] = []
  readonly #tried: Target[] = []
  readonly #causes: Cause[] = []
  /** We are an exchanger of this preference: only better ones may be asked (RFC 5321 §5.1). */
  #ownPreference = Number.POSITIVE_INFINITY

  constructor(request: OpeningRequest, around: Surroundings) {
    this.#request = request
    this.#around = around
  }

  async run(): Promise<Opened> {
    const session = await this.#open().catch((error: unknown) => {
      if (this.#request.delivery.signal.aborted) return null
      throw error
    })
    return { session, attempts: this.#attempts, triedTargets: this.#tried, causes: this.#causes }
  }

  async #open(): Promise<Session | null> {
    for (const exchanger of this.#inOrder()) {
      if (this.#left() <= 0) break
      if (exchanger.preference >= this.#ownPreference) continue
      const targets = await this.#targetsOf(exchanger)
      const session = await this.#openOneOf(targets)
      if (session !== null) {
        this.#around.memory.rememberReachable(exchanger.host)
        return session
      }
      if (targets.length > 0) this.#around.memory.rememberUnreachable(exchanger.host)
    }
    return null
  }

  /** By preference; those that did not answer a moment ago come last (RFC 5321 §4.5.4.1). */
  #inOrder(): readonly Exchanger[] {
    const ordered = orderExchangers(this.#request.exchangers, this.#around.random)
    const isDown = ({ host }: Exchanger): boolean => this.#around.memory.isUnreachable(host)
    return [...ordered.filter((exchanger) => !isDown(exchanger)), ...ordered.filter(isDown)]
  }

  #left(): number {
    // A wrong password is as wrong at the relay's next address, and each try counts against the user.
    if (this.#causes.some(isLoginRefused)) return 0
    return this.#request.budget - this.#tried.length
  }

  async #targetsOf(exchanger: Exchanger): Promise<readonly Target[]> {
    try {
      const targets = await this.#around.router.targets(exchanger, { signal: this.#request.delivery.signal })
      return this.#preferredFirst(targets.filter(this.#request.mayTry))
    } catch (error) {
      if (!(error instanceof RouteError)) throw error
      if (error.kind === 'loop') this.#ownPreference = exchanger.preference
      this.#causes.push(classifyRoute(error))
      return []
    }
  }

  #preferredFirst(targets: readonly Target[]): readonly Target[] {
    const { preferredSource } = this.#request
    if (preferredSource === null) return targets
    const isPreferred = ({ family }: Target): boolean => family === familyOf(preferredSource)
    return [...targets.filter(isPreferred), ...targets.filter((target) => !isPreferred(target))]
  }

  async #openOneOf(targets: readonly Target[]): Promise<Session | null> {
    let untried = targets.slice(0, this.#left())
    while (untried.length > 0 && this.#left() > 0) {
      const session = await this.#openFirstOf(untried)
      if (session !== null) return session
      untried = untried.filter((target) => !this.#tried.includes(target))
    }
    return null
  }

  /** Dials until one answers; every target that fails is remembered as tried. */
  async #openFirstOf(targets: readonly Target[]): Promise<Session | null> {
    const begun = this.#around.clock.monotonic()
    const { connected, failures } = await this.#dial(targets, this.#request.preferredSource)
    for (const { target, error, startedAt, durationMs } of failures) {
      this.#failed(target, causeOfDialling(error), { startedAt, durationMs, localAddress: null })
    }
    if (connected === null) return null
    const { target, startedAt, localAddress } = connected
    try {
      return await this.#establish(connected)
    } catch (error) {
      if (!(error instanceof SessionOpenError)) throw error
      this.#failed(target, causeOfOpening(error), {
        startedAt,
        durationMs: this.#around.clock.monotonic() - begun,
        localAddress,
      })
      return null
    }
  }

  async #dial(targets: readonly Target[], preferredSource: string | null): ReturnType<typeof dial> {
    const { delivery } = this.#request
    const { session, log } = this.#around
    return dial(targets, {
      connectMs: session.timeouts.connectMs,
      sourceAddresses: session.sourceAddresses,
      preferredSource,
      signal: delivery.signal,
      onDial: (target) => log.write({ kind: 'trying', id: delivery.id, target: logTarget(target) }),
    })
  }

  /** The session on a connected target; where TLS is broken and clear text allowed, on a new connection in clear. */
  async #establish(connected: PlainSocket & { readonly target: Target }): Promise<Session> {
    const { target } = connected
    const options = sessionOptionsFor(target, this.#around)
    const { tlsPolicy } = options
    const clear: SessionOptions = {
      ...options,
      tlsPolicy: { ...tlsPolicy, mode: 'off', decidedBy: 'broken TLS' },
    }
    const knowsBroken = mayGoInClear(tlsPolicy) && this.#around.memory.hasBrokenTls(target)
    try {
      return await this.#greet(connected, knowsBroken ? clear : options)
    } catch (error) {
      if (!(error instanceof SessionOpenError) || !error.isTlsBroken || !mayGoInClear(tlsPolicy)) throw error
      this.#logTls(target, null, error.message)
      this.#around.memory.rememberBrokenTls(target)
      const { connected: second } = await this.#dial([target], connected.localAddress)
      if (second === null) throw error
      return await this.#greet(second, clear)
    }
  }

  async #greet(
    connected: PlainSocket & { readonly target: Target },
    options: SessionOptions,
  ): Promise<Session> {
    const { delivery } = this.#request
    const { log, clock } = this.#around
    const { target } = connected
    const begun = clock.monotonic()
    const connection = new Connection(connected, this.#traceOf(target))
    const onAbort = (): void => connection.destroy(delivery.signal.reason)
    delivery.signal.addEventListener('abort', onAbort, { once: true })
    try {
      const session = await openSession(connection, target, options)
      if (session.tls !== null) this.#logTls(target, session.tls, null)
      const durationMs = clock.monotonic() - begun
      log.write({ kind: 'connection', id: delivery.id, target: logTarget(target), error: null, durationMs })
      return session
    } catch (error) {
      delivery.signal.throwIfAborted()
      throw error
    } finally {
      delivery.signal.removeEventListener('abort', onAbort)
    }
  }

  #failed(
    target: Target,
    cause: Cause,
    when: Pick<Attempt, 'startedAt' | 'durationMs' | 'localAddress'>,
  ): void {
    const { delivery } = this.#request
    const { host, port } = target.exchanger
    const diagnostic = diagnosticOf(cause)
    this.#tried.push(target)
    this.#causes.push(cause)
    const { stage, status } = cause
    this.#attempts.push({
      exchanger: host,
      ip: target.ip,
      port,
      stage,
      status,
      diagnostic,
      ...when,
      tls: null,
      ...this.#request.viaOf(target),
    })
    this.#around.log.write({
      kind: 'connection',
      id: delivery.id,
      target: logTarget(target),
      error: `${stage}: ${diagnostic}`,
      durationMs: when.durationMs,
    })
  }

  #logTls(target: Target, tls: Session['tls'], error: string | null): void {
    const { delivery } = this.#request
    const resumed = tls?.resumed ?? false
    this.#around.log.write({ kind: 'tls', id: delivery.id, target: logTarget(target), tls, resumed, error })
  }

  #traceOf(target: Target): Trace | null {
    const { trace, clock } = this.#around
    if (trace === null) return null
    const session = `${++sessions}`
    const name = `${target.exchanger.host} [${target.ip}]:${target.exchanger.port}`
    return (direction, text) => trace({ at: clock.now(), session, target: name, direction, text })
  }
}
