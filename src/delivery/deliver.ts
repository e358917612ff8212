/**
 * One envelope, now: recipients by domain to their routes, by route to their sites, outcomes out as each is known. No disk.
 *
 * One rule: as many outcomes as recipients. Whatever goes wrong, on the network or in this program, becomes an outcome.
 */
import { setMaxListeners } from 'node:events'
import pLimit, { type LimitFunction } from 'p-limit'
import { configuredSource } from '../client/source-address.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import type { Exchanger } from '../route/exchangers.ts'
import type { Route } from '../route/route.ts'
import { ActiveSessions } from './active-sessions.ts'
import { classifyRoute } from './classify.ts'
import { type Delivery, Job } from './job.ts'
import type { Outcome } from './outcome.ts'
import { OutcomeStream } from './outcome-stream.ts'
import { abortCause, conclude, concludeExhausted } from './serve.ts'
import { Site } from './site.ts'
import type { Surroundings } from './surroundings.ts'
import { type RelayFailure, tryRelay } from './try-relay.ts'

/** Domains being routed at once; the resolver below has its own limit on open questions. */
const ROUTES_AT_ONCE = 200
/** Sites that are remembered; one that neither works nor has a session open is forgotten beyond this. */
const MAX_IDLE_SITES = 1000

/** Options of one delivery. */
export interface DeliverOptions {
  /** Names it in the log. */
  readonly id: string
  readonly signal?: AbortSignal
  /**
   * The address of ours that its sessions come from, as long as it is among the configured ones and the site has room for
   * a session from there. Default: the configured ones in turn. A greylist knows us by our address (RFC 6647 §2).
   */
  readonly preferredSource?: string
  /** Awaited before any octet of the content goes out to a recipient's exchanger; if it rejects, none does. */
  readonly beforeContent?: (recipient: Recipient) => Promise<void>
}

/** Delivers envelopes; owns the sessions. Close it. */
export class Deliverer {
  readonly #around: Surroundings
  readonly #sites = new Map<string, Site>()
  readonly #routing: LimitFunction = pLimit(ROUTES_AT_ONCE)
  readonly #running = new Set<Delivery>()
  #onIdle: (() => void) | null = null

  constructor(around: Surroundings) {
    this.#around = around
  }

  /**
   * Starts at once. Iterate to learn the outcomes, in the order in which they become known; leaving the iteration early
   * aborts what is left. When `signal` aborts, transactions past the final dot are awaited, the other recipients are
   * deferred, and after the last outcome the iteration throws `signal.reason`.
   * @throws {TypeError} at once, when the message's `content` and `size` differ
   */
  deliver(message: Message, envelope: Envelope, options: DeliverOptions): AsyncIterableIterator<Outcome> {
    checkSize(message)
    const left = new AbortController()
    const signal = options.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal])
    // One listener for every lookup and every address dialled: many are no leak here.
    setMaxListeners(0, signal)
    const outcomes = new OutcomeStream(envelope.recipients.length, signal, () =>
      left.abort(new Error('nobody waits for the outcomes any more')),
    )
    const delivery: Delivery = {
      id: options.id,
      message,
      envelope,
      signal,
      outcomes,
      startedAt: this.#around.clock.monotonic(),
      activeSessions: new ActiveSessions(),
      preferredSource: this.#sourceOf(options),
      beforeContent: options.beforeContent ?? null,
    }
    this.#running.add(delivery)
    void this.#run(delivery)
    return outcomes
  }

  /** Opens a session at a relay as for mail, and ends it. @returns `null` when that went well @throws `signal.reason` */
  tryRelay(exchanger: Exchanger, options: Pick<Delivery, 'id' | 'signal'>): Promise<RelayFailure | null> {
    return tryRelay(exchanger, options, this.#around)
  }

  /** Waits for what runs, then ends all sessions with QUIT. */
  async close(): Promise<void> {
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    await Promise.all([...this.#sites.values()].map((site) => site.close()))
  }

  #sourceOf({ preferredSource }: DeliverOptions): string | null {
    if (preferredSource === undefined) return null
    // One that has been taken out of the configuration would only keep idle sessions from being used.
    return configuredSource(preferredSource, this.#around.session.sourceAddresses)
  }

  async #run(delivery: Delivery): Promise<void> {
    const { signal, outcomes, activeSessions } = delivery
    const onAbort = (): void => {
      for (const session of activeSessions) {
        // Between the final dot and its reply only the peer knows; its word is awaited.
        if (!session.isPastFinalDot) session.drop(abortCause(signal).error)
      }
      // Who waits in line is told at once, not when a slot becomes free.
      const conclusion = concludeExhausted([abortCause(signal)])
      for (const site of this.#sites.values()) site.withdraw(delivery, conclusion)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    await Promise.all(
      [...byDomain(delivery.envelope.recipients)].map(([domain, recipients]) =>
        this.#routing(() => this.#place(delivery, domain, recipients)),
      ),
    )
    await outcomes.settled
    signal.removeEventListener('abort', onAbort)
    this.#running.delete(delivery)
    this.#forgetIdleSites()
    if (this.#running.size === 0) this.#onIdle?.()
  }

  async #place(delivery: Delivery, domain: string, recipients: readonly Recipient[]): Promise<void> {
    const { signal } = delivery
    let route: Route
    try {
      signal.throwIfAborted()
      route = await this.#around.router.route(domain, { signal })
      signal.throwIfAborted()
    } catch (error) {
      const cause = signal.aborted ? abortCause(signal) : classifyRoute(error as Error)
      const conclusion = concludeExhausted([cause])
      for (const recipient of recipients) conclude(new Job(delivery, recipient), conclusion, this.#around)
      return
    }
    this.#siteOf(route).add(delivery, recipients, route.exchangers)
  }

  #siteOf(route: Route): Site {
    let site = this.#sites.get(route.site)
    if (site === undefined) {
      const { fallback } = route
      site = new Site(
        this.#around,
        fallback === undefined
          ? null
          : { site: () => this.#siteOf(fallback), exchangers: fallback.exchangers },
      )
      this.#sites.set(route.site, site)
    }
    return site
  }

  #forgetIdleSites(): void {
    if (this.#sites.size <= MAX_IDLE_SITES) return
    for (const [key, site] of this.#sites) {
      if (site.isIdle) this.#sites.delete(key)
    }
  }
}

/** A size of its own would have the peer take what follows the content for content, or content for commands (RFC 3030 §2). */
function checkSize({ content, size }: Message): void {
  if (content === undefined || content.length === size) return
  throw new TypeError(
    `Expected \`message.size\` to be the octets of \`message.content\`, ${content.length}, got \`${size}\``,
  )
}

function byDomain(recipients: readonly Recipient[]): Map<string, Recipient[]> {
  const domains = new Map<string, Recipient[]>()
  for (const recipient of recipients) {
    const { domain } = recipient.address
    const known = domains.get(domain)
    if (known === undefined) domains.set(domain, [recipient])
    else known.push(recipient)
  }
  return domains
}
