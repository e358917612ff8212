/** A runner in a world of its own: a store in memory, time that a test moves, and a deliverer that does as it is told. */
import type { Deliverer, DeliverOptions } from '../../src/delivery/deliver.ts'
import type { Outcome } from '../../src/delivery/outcome.ts'
import type { Envelope, Recipient } from '../../src/mail/envelope.ts'
import type { Message } from '../../src/mail/message.ts'
import type { Bouncer, Reportable, ReportDecision } from '../../src/queue/bouncer.ts'
import { DEFAULT_RETRY } from '../../src/queue/retry.ts'
import { Runner, type RunnerSettings, type SettledEntry } from '../../src/queue/runner.ts'
import type { Router } from '../../src/route/route.ts'
import { MemoryQueueStore } from '../support/memory-queue-store.ts'
import { submissionTo } from '../support/queue-submissions.ts'

/** A recipient in the hands of the deliverer. */
export interface InHand {
  readonly address: string
  readonly message: Message
  readonly envelope: Envelope
  readonly id: string
  readonly signal: AbortSignal | undefined
  /** What the deliverer does before it sends the content. */
  beforeContent(): Promise<void>
  /** Gives it its outcome. */
  conclude(outcome: (recipient: Recipient) => Outcome): void
}

const reply = { code: 250, status: '2.0.0', lines: ['Ok'] } as const

/** The exchanger took it. */
export const delivered = (recipient: Recipient): Outcome => ({
  kind: 'delivered',
  recipient,
  attempts: [],
  durationMs: 1,
  reply,
})

/** The recipient was refused for now. */
export const greylistedFor =
  (seconds: number) =>
  (recipient: Recipient): Outcome => ({
    kind: 'deferred',
    recipient,
    attempts: [],
    durationMs: 1,
    uncertain: false,
    cause: {
      stage: 'rcpt',
      status: '4.7.1',
      reply: { code: 450, status: '4.7.1', lines: [`Greylisted, try again in ${seconds} seconds`] },
    },
  })

/** The recipient was refused for good. */
export const refused = (recipient: Recipient): Outcome => ({
  kind: 'failed',
  recipient,
  attempts: [],
  durationMs: 1,
  cause: { stage: 'rcpt', status: '5.1.1', reply: { code: 550, status: '5.1.1', lines: ['no such user'] } },
})

/** Nobody answered at any exchanger. */
export const unreachable = (recipient: Recipient): Outcome => ({
  kind: 'deferred',
  recipient,
  attempts: [],
  durationMs: 1,
  uncertain: false,
  cause: { stage: 'connect', status: '4.4.1', error: new Error('no answer within 30 s') },
})

/** Lost after the final dot. */
export const lostAfterDot = (recipient: Recipient): Outcome => ({
  kind: 'deferred',
  recipient,
  attempts: [],
  durationMs: 1,
  uncertain: true,
  cause: { stage: 'end-of-data', status: '4.4.2', error: new Error('connection lost') },
})

/** What the deliverer says of recipients it was stopped from serving. */
export const stopped = (recipient: Recipient): Outcome => ({
  kind: 'deferred',
  recipient,
  attempts: [],
  durationMs: 1,
  uncertain: false,
  cause: { stage: 'policy', status: '4.3.2', error: new Error('stopped') },
})

/** Domains named `x.of-SITE` are served by SITE, others by a site of their own. */
const siteOf = (domain: string): string => /\.of-(.*)$/.exec(domain)?.[1] ?? `mx.${domain}`

const settings: RunnerSettings = { retry: DEFAULT_RETRY, onUncertain: 'retry', total: 100, perSite: 4 }

/** Taken instead of the world's own. */
export interface WorldParts {
  readonly deliverer?: Pick<Deliverer, 'deliver'>
  readonly router?: Pick<Router, 'route'>
}

/** Makes one; stop its runner. */
export class World {
  readonly store = new MemoryQueueStore()
  readonly inHand: InHand[] = []
  readonly settled: SettledEntry[] = []
  readonly troubles: Error[] = []
  readonly reported: Reportable[] = []
  /** What the bouncer says. */
  decision: ReportDecision['kind'] = 'send'
  readonly runner: Runner
  now = 1_000
  /** How much of `now` has not passed: the host's clock was set. */
  clockSetBy = 0
  #sleeper: { readonly until: number; wake(): void } | null = null

  constructor(given: Partial<RunnerSettings> = {}, parts: WorldParts = {}) {
    const bouncer: Bouncer = {
      bounce: async (reportable) => {
        this.reported.push(reportable)
        if (this.decision !== 'send') return { kind: this.decision }
        const report = submissionTo(['alice@sender.test'], {
          reversePath: null,
          createdAt: this.now,
          expiresAt: 1e12,
        })
        return { kind: 'send', report }
      },
    }
    this.runner = new Runner(
      {
        store: this.store,
        deliverer: {
          deliver: (message, envelope, options) => this.#deliver(message, envelope, options),
        },
        router: {
          route: async (domain) => {
            if (domain.startsWith('dead-dns')) throw new Error('SERVFAIL')
            return { domain, site: siteOf(domain), exchangers: [] }
          },
        },
        bouncer,
        clock: { now: () => this.now, monotonic: () => this.now - this.clockSetBy },
        random: () => 0,
        wait: (ms, signal) => this.#wait(ms, signal),
        onSettled: (settled) => this.settled.push(settled),
        onTrouble: (error) => this.troubles.push(error),
        ...parts,
      },
      { ...settings, ...given },
    )
  }

  /** Until nothing moves but by time or by a verdict. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Lets time pass up to `now`, waking whoever has slept enough. */
  async advanceTo(now: number): Promise<void> {
    await this.settle()
    while (this.#sleeper !== null && this.#sleeper.until <= now) {
      this.now = Math.max(this.now, this.#sleeper.until)
      this.#sleeper.wake()
      await this.settle()
    }
    this.now = now
    await this.settle()
  }

  /** Sets the host's clock. */
  async setClock(now: number): Promise<void> {
    this.clockSetBy += now - this.now
    this.now = now
    // Whoever sleeps has a timer, which knows nothing of clocks.
    this.#sleeper?.wake()
    await this.settle()
  }

  /** Addresses in the deliverer's hands. */
  get addresses(): string[] {
    return this.inHand.map(({ address }) => address)
  }

  /** Concludes everything in hand, or what is named. */
  async conclude(outcome: (recipient: Recipient) => Outcome, addresses?: readonly string[]): Promise<void> {
    const chosen = this.inHand.filter(({ address }) => addresses?.includes(address) ?? true)
    for (const one of chosen) {
      this.inHand.splice(this.inHand.indexOf(one), 1)
      one.conclude(outcome)
    }
    await this.settle()
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.now + ms, wake: resolve }
      this.#sleeper = sleeper
      signal.addEventListener('abort', () => {
        if (this.#sleeper === sleeper) this.#sleeper = null
        reject(signal.reason)
      })
    })
  }

  async *#deliver(
    message: Message,
    envelope: Envelope,
    { id, signal, beforeContent }: DeliverOptions,
  ): AsyncGenerator<Outcome, undefined, undefined> {
    let left = envelope.recipients.length
    const known: Outcome[] = []
    let wake = (): void => {}
    for (const recipient of envelope.recipients) {
      const { localPart, domain } = recipient.address
      this.inHand.push({
        address: `${localPart}@${domain}`,
        message,
        envelope,
        id,
        signal,
        beforeContent: async () => beforeContent?.(recipient),
        conclude: (outcome) => {
          known.push(outcome(recipient))
          wake()
        },
      })
    }
    while (left > 0) {
      const outcome = known.shift()
      if (outcome === undefined)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      else {
        left--
        yield outcome
      }
    }
    signal?.throwIfAborted()
  }
}
