/**
 * The daemon: queue, runner and submission listener, started and stopped as one. Wiring only.
 *
 * One rule: up in the order of what depends on what, down in the opposite: nothing is accepted before the queue can take
 * it, and the queue takes to the last what was being handed in.
 */
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Agent, type AgentSeams, createAgent } from '../agent.ts'
import { systemHostname } from '../config/hostname.ts'
import type { AgentOptions } from '../config/options.ts'
import { resolveSettings, type Settings } from '../config/settings.ts'
import { openFileLog } from '../log/file-log.ts'
import { type Log, silentLog } from '../log/log.ts'
import type { Accept } from '../submission/acceptance.ts'
import type { RunningSubmission } from '../submission/submission.ts'
import { readCertificate } from './certificate.ts'

/** A running daemon. Close it. */
export interface Daemon extends AsyncDisposable {
  /** Where it listens, with the ports it got: `127.0.0.1:2525`. Empty when `submission.listen` is. */
  readonly addresses: readonly string[]
  /** The agent whose queue it works on; it closes with the daemon. */
  readonly agent: Agent
  /**
   * Opens the log anew under its name, and reads the certificate and the DKIM keys again; what is wrong with either is logged,
   * and what was read before stays in use.
   */
  reload(): Promise<void>
  /**
   * Takes no new client, lets messages that are coming in finish, breaks off deliveries that are not past their final dot
   * and gives all leases back. May be called again.
   * @returns whether everything has ended within `limitMs` (default 9 s: operators and service managers wait 10). If not,
   * some peer still owes the reply to a final dot; end the process then: the next start marks that entry uncertain.
   */
  close(options?: { readonly limitMs?: number }): Promise<boolean>
}

/** A share of the limit is kept for what comes after submission: recording verdicts, QUIT. */
const submissionShare = 0.5

/**
 * Starts the daemon of a queue directory.
 * @param options the keys of `mxpress.toml`; all have defaults
 * @throws {TypeError} a wrong option @throws {ConfigError} @throws {LogFileError}
 * @throws {QueueLockedError} another daemon works on the directory; it names the process @throws {QueueError}
 * @throws {Error} with the system's `code`, when an address cannot be listened at
 * @example
 * ```ts
 * await using daemon = await startDaemon({ hostname: 'mail.example.org', queue: { dir: '/var/spool/mxpress' } })
 * ```
 */
export async function startDaemon(options: AgentOptions = {}, seams: AgentSeams = {}): Promise<Daemon> {
  const settings = resolveSettings(options)
  const hostname = settings.hostname ?? (await systemHostname())
  const certificate = await readCertificate(settings.submission)
  await using started = new AsyncDisposableStack()
  const log = seams.log ?? (await openLog(settings.log))
  if (seams.log === undefined) started.defer(() => log.close())
  const agent = started.use(createAgent({ ...options, hostname }, { ...seams, log }))
  await agent.startQueue()
  // A server that programs which only send need not load.
  const { startSubmission } = await import('../submission/submission.ts')
  const submission = await startSubmission({
    ...submissionOptions(settings.submission),
    hostname,
    accept: acceptInto(agent),
    log,
    ...(seams.clock === undefined ? {} : { clock: seams.clock }),
    ...(certificate === null ? {} : { tls: certificate }),
  })
  started.defer(() => submission.close({ graceMs: 0 }))
  return new RunningDaemon({ agent, submission, log, settings }, started.move())
}

interface DaemonParts {
  readonly agent: Agent
  readonly submission: RunningSubmission
  readonly log: Log
  readonly settings: Settings
}

class RunningDaemon implements Daemon {
  readonly #parts: DaemonParts
  readonly #ending: AsyncDisposableStack
  #closing: Promise<boolean> | null = null

  constructor(parts: DaemonParts, ending: AsyncDisposableStack) {
    this.#parts = parts
    this.#ending = ending
    this.#say('started')
  }

  get addresses(): readonly string[] {
    return this.#parts.submission.addresses
  }

  get agent(): Agent {
    return this.#parts.agent
  }

  async reload(): Promise<void> {
    const { agent, log, settings, submission } = this.#parts
    log.reopen()
    const renewals = await Promise.allSettled([
      readCertificate(settings.submission).then((certificate) => {
        if (certificate !== null) submission.replaceCertificate(certificate)
      }),
      agent.rereadKeys(),
    ])
    for (const renewal of renewals) {
      if (renewal.status === 'fulfilled') continue
      log.write({ kind: 'trouble', id: '-', error: (renewal.reason as Error).message })
    }
  }

  close({ limitMs = 9_000 }: { readonly limitMs?: number } = {}): Promise<boolean> {
    this.#closing ??= this.#close(limitMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(limitMs: number): Promise<boolean> {
    const { submission, log } = this.#parts
    this.#say('stopping')
    const timer = new AbortController()
    const late = delay(limitMs, false, { signal: timer.signal }).catch(() => false)
    const done = (async () => {
      await submission.close({ graceMs: limitMs * submissionShare })
      await this.#parts.agent.close()
      return true
    })()
    const isInTime = await Promise.race([done, late])
    timer.abort()
    if (!isInTime) {
      log.write({ kind: 'trouble', id: '-', error: 'not everything has ended in time: see the next start' })
      await log.flush()
      return false
    }
    this.#say('stopped')
    await this.#ending.disposeAsync()
    await log.flush()
    return true
  }

  #say(act: 'started' | 'stopping' | 'stopped'): void {
    const { log, settings } = this.#parts
    const queue = path.resolve(settings.queue.dir)
    log.write({ kind: 'service', id: '-', act, queue, submission: this.addresses })
  }
}

function acceptInto(agent: Agent): Accept {
  return async ({ message, envelope }) => {
    const { queueId } = await agent.enqueue({ message, envelope })
    return { queueId }
  }
}

function submissionOptions(settings: Settings['submission']) {
  const { listen, maxSize, maxRecipients, maxConnections, usersFile } = settings
  return { listen, maxSize, maxRecipients, maxConnections, ...(usersFile === null ? {} : { usersFile }) }
}

async function openLog({ file, format }: Settings['log']): Promise<Log> {
  return file === null ? silentLog : await openFileLog({ file, format })
}
