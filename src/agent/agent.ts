/** What an agent is and can be given: the interface that programs see. `../agent.ts` makes one. */
import type { DialogueLine } from '../client/dialogue.ts'
import type { Outcome } from '../delivery/outcome.ts'
import type { PlannedRoute } from '../delivery/plan.ts'
import type { RecipientReport, SendReport } from '../delivery/report.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../log/log.ts'
import type { ComposedMail } from '../mail/compose.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Mail } from '../mail/mail.ts'
import type { Message } from '../mail/message.ts'
import type { Clock } from '../time/clock.ts'
import type { Enqueued } from './mail-queue.ts'
import type { RelayCheck } from './relay-check.ts'
import type { QueueResult } from './results.ts'

/** What an agent can be given instead of its own parts; for tests, and for programs that have their own. */
export interface AgentSeams {
  /** Takes the events instead of the file named in the options; the caller closes it. */
  readonly log?: Log
  /** Asked instead of the system's name servers; its answers are cached as theirs would be. */
  readonly resolver?: Resolver
  /** Where times and waits come from. Default: the system's. */
  readonly clock?: Clock
  /** From 0 to below 1; shuffles exchangers of equal preference. Default `Math.random`. */
  readonly random?: () => number
  /** Told what the operator should put right some day; it stands in the log too. Default: `process.emitWarning`. */
  readonly onWarning?: (text: string) => void
  /**
   * Takes every line of every dialogue as it goes over the wire. If it throws, the mail goes on, and `onWarning` is told
   * the first time.
   */
  readonly trace?: (line: DialogueLine) => void
}

/** Options of one sending. */
export interface SendOptions {
  /**
   * Stops it: recipients not begun are not begun, those past the final dot are awaited, then the call rejects with
   * `signal.reason`. `onOutcome` has told of every recipient by then.
   */
  readonly signal?: AbortSignal
  /**
   * Told of each recipient as soon as its outcome is known. What it throws stops the sending as `signal` does, and is what the
   * call rejects with.
   */
  readonly onOutcome?: (recipient: RecipientReport) => void
}

/** Options of one queueing. */
export interface EnqueueOptions {
  /**
   * Names the mail: what is queued again with the same key, here or by another process, is not queued a second time. Not
   * empty.
   * Remembered for a week at least. Default: none.
   */
  readonly idempotencyKey?: string
}

/** Sends mail. Close it, or bind it with `await using`. */
export interface Agent extends AsyncDisposable {
  /**
   * Composes the message and reads its envelope; sends nothing.
   * @throws {AddressError} {@link MessageError} {@link AttachmentError} {@link ConfigError} {@link LogFileError}
   */
  prepare(mail: Mail): Promise<ComposedMail>
  /**
   * Delivers one message to each of its recipients, straight to their exchangers. What the network does is in the
   * report; what is wrong with the mail rejects, before anything was sent, with the errors of `prepare`.
   */
  send(mail: Mail, options?: SendOptions): Promise<SendReport>
  /**
   * Delivers a prepared message; yields exactly one outcome per recipient, each as soon as it is known. Leaving the
   * iteration early stops what has not begun. After an abort, and the last outcome, it throws `signal.reason`.
   */
  deliver(
    message: Message,
    envelope: Envelope,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<Outcome>
  /**
   * Puts mail into the queue, composed here or by `prepare`: durable when it resolves, delivered and tried again later by
   * this agent as long as it lives, or by the daemon that works on the queue directory. `results` tells what became of it.
   * @throws {QueueError}, and what `prepare` throws; nothing has been queued then
   */
  enqueue(mail: Mail | ComposedMail, options?: EnqueueOptions): Promise<Enqueued>
  /**
   * Begins to deliver what waits in the queue; `enqueue` and `results` do so too.
   * @throws {QueueLockedError} another process works on the queue directory @throws {QueueError}
   */
  startQueue(): Promise<void>
  /**
   * What becomes of queued mail, whoever queued it, from this call on: each deferral and each end, as it is on disk.
   * Throws as `startQueue` does; ends with `close`; throws `signal.reason` when that aborts.
   */
  results(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<QueueResult>
  /** Where the envelope would go; asks the DNS and connects to nobody else. */
  plan(envelope: Envelope, options?: { readonly signal?: AbortSignal }): Promise<readonly PlannedRoute[]>
  /**
   * Opens a session at each relay of the options, logs in, and ends it; no mail is sent. Says what it found; without relays
   * nothing, and then nobody is connected to. Rejects with what `prepare` finds wrong with options and files.
   */
  checkRelays(options?: { readonly signal?: AbortSignal }): Promise<readonly RelayCheck[]>
  /** Opens the log file anew under its name, after logrotate has moved it. */
  reopenLog(): void
  /**
   * Reads the files of the `dkim` keys again: what is sent or queued from then on is signed with what they hold now.
   * @throws {ConfigError} one of them is wrong; the keys read before stay in use
   */
  rereadKeys(): Promise<void>
  /** Waits for what runs, ends every session with QUIT, and closes the log. May be called again. */
  close(): Promise<void>
}
