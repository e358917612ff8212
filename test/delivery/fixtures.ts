/**
 * What the tests of this folder work with: recipients, messages and a deliverer whose router is a map from domains to
 * servers on loopback. One rule: nothing here decides what a test expects.
 */

import type { DialogueLine } from '../../src/client/dialogue.ts'
import { TlsClient } from '../../src/client/tls.ts'
import type { Timeouts } from '../../src/config/timeouts.ts'
import { Deliverer, type DeliverOptions } from '../../src/delivery/deliver.ts'
import { type DeliverySettings, Limits } from '../../src/delivery/limits.ts'
import type { Outcome } from '../../src/delivery/outcome.ts'
import type { Surroundings } from '../../src/delivery/surroundings.ts'
import { TargetMemory } from '../../src/delivery/target-memory.ts'
import type { LogEvent } from '../../src/log/events.ts'
import { formatAddress, parseAddress } from '../../src/mail/address.ts'
import type { Envelope, Recipient, RecipientField } from '../../src/mail/envelope.ts'
import { type Message, messageFromBytes } from '../../src/mail/message.ts'
import type { Signer } from '../../src/mail/signer.ts'
import { type Exchanger, siteOf } from '../../src/route/exchangers.ts'
import { RouteError, type Router } from '../../src/route/route.ts'
import type { Target } from '../../src/route/targets.ts'
import { type Clock, systemClock } from '../../src/time/clock.ts'
import type { TlsMode } from '../../src/tls/policy.ts'
import { defaultTimeouts } from '../support/default-timeouts.ts'

export function recipient(text: string, field: RecipientField = 'to'): Recipient {
  return { address: parseAddress(text), field }
}

export function envelope(...recipients: readonly string[]): Envelope {
  return {
    reversePath: parseAddress('alice@sender.test'),
    recipients: recipients.map((text) => recipient(text)),
  }
}

/** `u0@domain`, `u1@domain` … */
export function mailboxes(count: number, domain: string): readonly string[] {
  return Array.from({ length: count }, (_, at) => `u${at}@${domain}`)
}

export function message(
  body = 'hello\r\n',
  header = 'Subject: hi\r\n',
): Message & { readonly content: Uint8Array } {
  return messageFromBytes(Buffer.from(`Message-ID: <1@sender.test>\r\n${header}\r\n${body}`))
}

export function exchanger(host: string, rest: Partial<Exchanger> = {}): Exchanger {
  return { host, preference: 10, implicit: false, port: 25, ...rest }
}

export function target(host: string, ip = '192.0.2.1', rest: Partial<Exchanger> = {}): Target {
  return { exchanger: exchanger(host, rest), ip, family: ip.includes(':') ? 6 : 4 }
}

/** A clock that moves when told. */
export class FakeClock implements Clock {
  time = 1_000_000
  now(): number {
    return Date.UTC(2026, 10, 21, 7) + this.time
  }
  monotonic(): number {
    return this.time
  }
}

/** Where an exchanger listens, or why it cannot be reached. */
export type Place = { readonly address: string; readonly port: number } | RouteError

/** One exchanger of a domain: its preference is 10 times its place in the list unless said. */
export interface Offer {
  readonly host?: string
  readonly preference?: number
  readonly place: Place
}

/** Domains and their exchangers; a name may be a pattern as in `*.hosted.test`. */
export type Domains = Readonly<Record<string, readonly Offer[] | RouteError>>

export function routerTo(domains: Domains): Router {
  const places = new Map<string, Place>()
  const find = (domain: string) => domains[domain] ?? domains[domain.replace(/^[^.]*/, '*')]
  return {
    route: async (domain) => {
      const offers = find(domain)
      if (offers === undefined) throw new RouteError('no-domain', `The domain ${domain} does not exist`)
      if (offers instanceof RouteError) throw offers
      const exchangers = offers.map(({ host, preference, place }, at) => {
        const found = exchanger(host ?? `mx${at + 1}.${domain}`, {
          preference: preference ?? (at + 1) * 10,
          port: place instanceof RouteError ? 25 : place.port,
        })
        places.set(found.host, place)
        return found
      })
      return { domain, site: siteOf(exchangers), exchangers }
    },
    targets: async (wanted) => {
      const place = places.get(wanted.host)
      if (place === undefined || place instanceof RouteError) throw place ?? new Error(`no ${wanted.host}`)
      return [{ exchanger: wanted, ip: place.address, family: 4 }]
    },
  }
}

export interface DeliveryOptions {
  readonly domains: Domains
  readonly limits?: Partial<DeliverySettings>
  readonly timeouts?: Partial<Timeouts>
  readonly tlsMode?: TlsMode
  readonly ca?: string
  readonly clock?: Clock
  readonly random?: () => number
  readonly trace?: (line: DialogueLine) => void
  readonly router?: Router
  readonly sourceAddresses?: readonly string[]
  readonly signer?: Signer
}

/** A deliverer, and what it logged. */
export class TestDelivery implements AsyncDisposable {
  readonly events: LogEvent[] = []
  readonly deliverer: Deliverer

  constructor(options: DeliveryOptions) {
    const clock = options.clock ?? systemClock
    const around: Surroundings = {
      router: options.router ?? routerTo(options.domains),
      limits: new Limits({
        concurrency: 50,
        perSite: 5,
        maxTargets: 20,
        messagesPerSession: 100,
        recipientsPerTransaction: 1,
        ...options.limits,
      }),
      memory: new TargetMemory(clock),
      session: {
        hostname: 'sender.test',
        sourceAddresses: options.sourceAddresses ?? [],
        timeouts: { ...defaultTimeouts, ...options.timeouts },
        tlsPolicy: { mode: options.tlsMode ?? 'opportunistic', minVersion: 'TLSv1.2', decidedBy: 'test' },
        tlsClient: new TlsClient(options.ca === undefined ? {} : { ca: [options.ca] }),
      },
      signer: options.signer ?? null,
      log: {
        write: (event) => this.events.push(event),
        flush: async () => {},
        reopen: () => {},
        close: async () => {},
      },
      clock,
      random: options.random ?? Math.random,
      trace: options.trace ?? null,
    }
    this.deliverer = new Deliverer(around)
  }

  /** Delivers and waits for all outcomes, in the order in which they became known. */
  async outcomes(
    recipients: readonly string[],
    options: Partial<DeliverOptions> & { readonly message?: Message } = {},
  ): Promise<readonly Outcome[]> {
    return collect(this.start(recipients, options))
  }

  start(
    recipients: readonly string[],
    { message: given, ...options }: Partial<DeliverOptions> & { readonly message?: Message } = {},
  ): AsyncIterableIterator<Outcome> {
    return this.deliverer.deliver(given ?? message(), envelope(...recipients), { id: '4D1A', ...options })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deliverer.close()
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** An outcome in a word or two, for comparisons of many: `bob@a.test failed 5.1.1 rcpt`. */
export function summary(outcome: Outcome): string {
  const who = formatAddress(outcome.recipient.address)
  if (outcome.kind === 'delivered') return `${who} delivered`
  const uncertain = outcome.kind === 'deferred' && outcome.uncertain ? 'uncertain ' : ''
  return `${who} ${outcome.kind} ${uncertain}${outcome.cause.status} ${outcome.cause.stage}`
}
