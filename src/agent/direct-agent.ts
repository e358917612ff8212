/**
 * The agent there is. It owns the sessions, the DNS cache and the log; what has to be looked up or opened is, once, before
 * the first message, so that nothing is connected to before everything has been checked.
 */
import { randomUUID } from 'node:crypto'
import type { Settings } from '../config/settings.ts'
import type { Outcome } from '../delivery/outcome.ts'
import { OutcomesOnDemand } from '../delivery/outcome-stream.ts'
import { type PlannedRoute, planEnvelope } from '../delivery/plan.ts'
import { reportOutcome, type SendReport } from '../delivery/report.ts'
import { RunningReport } from '../delivery/running-report.ts'
import { openFileLog } from '../log/file-log.ts'
import { type Log, silentLog } from '../log/log.ts'
import type { ComposedMail } from '../mail/compose.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Mail } from '../mail/mail.ts'
import type { Message } from '../mail/message.ts'
import type { Signer } from '../mail/signer.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { Agent, AgentSeams, EnqueueOptions, SendOptions } from './agent.ts'
import type { Enqueued, MailQueueParts } from './mail-queue.ts'
import { type AgentParts, openParts } from './parts.ts'
import { Queueing } from './queueing.ts'
import { type RelayCheck, RelayChecks } from './relay-check.ts'
import type { QueueResult } from './results.ts'

/** Delivers now, or hands over to the queue. Close it. */
export class DirectAgent implements Agent {
  readonly #settings: Settings
  readonly #seams: AgentSeams
  readonly #clock: Clock
  #parts: Promise<AgentParts> | null = null
  readonly #sending = new Set<Promise<SendReport>>()
  readonly #relayChecks = new RelayChecks()
  /** Ten megabytes of MIME that whoever delivers finished messages never needs. */
  #composer: Promise<typeof import('../mail/compose.ts')> | null = null
  readonly #queueing = new Queueing(() => this.#queueParts())
  #log: Log | null = null
  #closing: Promise<void> | null = null

  constructor(settings: Settings, seams: AgentSeams) {
    this.#settings = settings
    this.#seams = seams
    this.#clock = seams.clock ?? systemClock
  }

  async prepare(mail: Mail): Promise<ComposedMail> {
    return this.#compose(mail, await this.#ready())
  }

  async send(mail: Mail, options: SendOptions = {}): Promise<SendReport> {
    const sending = this.#send(mail, options)
    this.#sending.add(sending)
    return sending.finally(() => this.#sending.delete(sending))
  }

  async #send(mail: Mail, options: SendOptions): Promise<SendReport> {
    const parts = await this.#ready()
    const { deliverer } = parts
    const prepared = await this.#compose(mail, parts)
    const running = new RunningReport(prepared, this.#clock)
    const delivery = { id: newId(), ...pickSignal(options) }
    for await (const outcome of deliverer.deliver(prepared.message, prepared.envelope, delivery)) {
      const recipient = reportOutcome(outcome)
      running.add(recipient)
      options.onOutcome?.(recipient)
    }
    return running.report
  }

  deliver(
    message: Message,
    envelope: Envelope,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<Outcome> {
    return new OutcomesOnDemand(async () => {
      const { deliverer, signer } = await this.#ready()
      return deliverer.deliver(await signed(message, signer), envelope, {
        id: newId(),
        ...pickSignal(options),
      })
    })
  }

  async enqueue(mail: Mail | ComposedMail, options: EnqueueOptions = {}): Promise<Enqueued> {
    checkIdempotencyKey(options.idempotencyKey)
    const parts = await this.#ready()
    const { message, envelope } = 'message' in mail ? mail : await this.#compose(mail, parts)
    return this.#queueing.add({ message: await signed(message, parts.signer), envelope }, options)
  }

  startQueue(): Promise<void> {
    return this.#queueing.start()
  }

  results({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<QueueResult> {
    return this.#queueing.results(signal)
  }

  async plan(
    envelope: Envelope,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly PlannedRoute[]> {
    const { router } = await this.#ready()
    return planEnvelope(envelope, router, { random: this.#random(), ...pickSignal(options) })
  }

  async checkRelays(options: { readonly signal?: AbortSignal } = {}): Promise<readonly RelayCheck[]> {
    const { deliverer } = await this.#ready()
    return this.#relayChecks.run(this.#settings, {
      ...pickSignal(options),
      open: (exchanger, signal) => deliverer.tryRelay(exchanger, { id: newId(), signal }),
    })
  }

  reopenLog(): void {
    this.#log?.reopen()
  }

  async rereadKeys(): Promise<void> {
    const { rereadKeys, warn } = await this.#ready()
    for (const text of await rereadKeys()) warn(text)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const parts = await this.#parts?.catch(() => null)
    // Nobody has mail there.
    await this.#relayChecks.close(closedError())
    // Those still composing have no delivery yet that the deliverer could wait for.
    await Promise.allSettled(this.#sending)
    await this.#queueing.close()
    await parts?.deliverer.close()
    await parts?.log.flush()
    await this.#log?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #compose(mail: Mail, { hostname, signer }: AgentParts): Promise<ComposedMail> {
    this.#composer ??= import('../mail/compose.ts')
    const { composeMail } = await this.#composer
    const { message, envelope } = await composeMail(mail, { hostname, now: () => this.#clock.now() })
    return { message: await signed(message, signer), envelope }
  }

  #ready(): Promise<AgentParts> {
    if (this.#closing !== null) {
      return Promise.reject(closedError())
    }
    this.#parts ??= openParts({
      settings: this.#settings,
      seams: this.#seams,
      clock: this.#clock,
      random: this.#random(),
      openLog: async () => this.#seams.log ?? (await this.#openLog()),
    }).catch((error: unknown) => {
      // Whoever mends what was wrong, such as a directory for the log, may go on with this agent.
      this.#parts = null
      throw error
    })
    return this.#parts
  }

  async #queueParts(): Promise<Omit<MailQueueParts, 'onSettled'>> {
    const { queue, delivery, relay, fallbackRelay } = this.#settings
    const { hostname, log, router, signer, deliverer } = await this.#ready()
    const { concurrency, perSite } = delivery
    const roads = [delivery, relay, fallbackRelay].map((road) => road?.recipientsPerTransaction ?? 1)
    const random = this.#random()
    return {
      settings: queue,
      concurrency,
      perSite,
      recipientsPerTransaction: Math.max(...roads),
      hostname,
      log,
      router,
      signer,
      deliverer,
      clock: this.#clock,
      random,
    }
  }

  async #openLog(): Promise<Log> {
    const { file, format } = this.#settings.log
    if (file === null) return silentLog
    this.#log = await openFileLog({ file, format, clock: this.#clock })
    return this.#log
  }

  #random(): () => number {
    return this.#seams.random ?? Math.random
  }
}

function closedError(): Error {
  return new Error('The agent is closed: make a new one to send more')
}

function pickSignal({ signal }: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/** Names a delivery in the log: short, and unlikely to repeat within a day's file. */
function newId(): string {
  // Node keeps random octets for many UUIDs at hand; `randomBytes` fetches its own each time, a tenth of what a mail costs.
  return randomUUID().slice(0, 8).toUpperCase()
}

function signed(message: Message, signer: Signer | null): Promise<Message> | Message {
  return signer === null ? message : signer.sign(message)
}

function checkIdempotencyKey(key: unknown): void {
  if (key === undefined || (typeof key === 'string' && key !== '')) return
  throw new TypeError(`Expected \`idempotencyKey\` to be a text that is not empty, got \`${String(key)}\``)
}
