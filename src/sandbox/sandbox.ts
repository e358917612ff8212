/**
 * A simulated internet on loopback, for tests, demonstrations and trying things out: a name server and recipient
 * servers for domains whose names say what they do. One rule: nothing in it reaches out, and closing it leaves
 * nothing behind but the received mail.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDirectory } from '../files/make-directory.ts'
import { systemClock } from '../time/clock.ts'
import { makeCertificates } from './certificates.ts'
import type { DomainPlan, SandboxDomain } from './domains/plan.ts'
import { planDomains } from './domains.ts'
import type { ExchangerSite, RunningExchanger } from './exchanger.ts'
import { buildZone, type Host, placeHosts } from './hosts.ts'
import { Mailroom, type ReceivedFilter, type ReceivedMail } from './mailroom.ts'
import { type NameServer, startNameServer } from './name-server.ts'
import { checkOptions, type SandboxOptions } from './options.ts'
import { OrdinaryExchanger } from './ordinary-exchanger.ts'
import { listenOnOnePort } from './port.ts'
import { ScriptedExchanger } from './scripted-exchanger.ts'
import type { SandboxStatistics } from './statistics.ts'

export type { ExpectedOutcome, SandboxDomain } from './domains/plan.ts'
export type { DialogueLine } from './exchanger.ts'
export type { ReceivedFilter, ReceivedMail } from './mailroom.ts'
export type { SandboxOptions } from './options.ts'
export { exampleCommand, type OverviewRow, overview } from './overview.ts'
export type { ExchangerStatistics, SandboxStatistics } from './statistics.ts'
export type { ZoneEntry } from './zone.ts'

/** A running sandbox; whoever started it closes it. */
export interface Sandbox extends AsyncDisposable {
  /** Address of the name server, UDP and TCP: `127.0.0.1:53535`. */
  readonly dns: string
  /** SMTP port of every exchanger. */
  readonly port: number
  /** All its domains, each with what becomes of mail for it. */
  readonly domains: readonly SandboxDomain[]
  /** A Maildir for each mailbox, below a folder for its domain. */
  readonly mailDir: string
  /** PEM certificate of the authority that signed the good certificates. */
  readonly ca: string
  /** What `createAgent` needs to send into the sandbox. */
  readonly agentOptions: {
    readonly hostname: string
    readonly dns: { readonly servers: readonly string[] }
    readonly smtp: { readonly port: number; readonly allowLocalAddresses: true }
  }
  /** What was counted up to now. */
  readonly statistics: SandboxStatistics
  /** Reads received mail back, oldest first. Rejects once the files are gone. */
  received(filter?: ReceivedFilter): Promise<readonly ReceivedMail[]>
  /** Ends all connections and servers; may be called again. */
  close(): Promise<void>
}

const hasIpv6 = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))

const prepareMailDir = async (mailDir: string | undefined): Promise<string> => {
  if (mailDir === undefined) return await mkdtemp(join(tmpdir(), 'mxpress-sandbox-'))
  makeDirectory(mailDir)
  return mailDir
}

type Common = Omit<ExchangerSite, 'host' | 'ip'>

const makeExchanger = ({ name, ip, server }: Host, common: Common): RunningExchanger | undefined => {
  if (server === 'nobody') return undefined
  const site = { ...common, host: name, ip }
  return server.kind === 'ordinary'
    ? new OrdinaryExchanger(site, server)
    : new ScriptedExchanger(site, server)
}

const publicFace = ({ domain, mailbox, description, expected, waits }: DomainPlan): SandboxDomain => ({
  domain,
  mailbox,
  description,
  expected,
  waits,
})

interface Parts {
  readonly nameServer: NameServer
  readonly exchangers: readonly RunningExchanger[]
  readonly mailroom: Mailroom
  readonly ca: string
  readonly domains: readonly SandboxDomain[]
  readonly port: number
  readonly mailDir: string
  /** Ends everything that was started. */
  readonly ending: AsyncDisposableStack
}

class RunningSandbox implements Sandbox {
  readonly #parts: Parts
  #closed: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get dns(): string {
    return this.#parts.nameServer.address
  }

  get port(): number {
    return this.#parts.port
  }

  get domains(): readonly SandboxDomain[] {
    return this.#parts.domains
  }

  get mailDir(): string {
    return this.#parts.mailDir
  }

  get ca(): string {
    return this.#parts.ca
  }

  get agentOptions(): Sandbox['agentOptions'] {
    return {
      hostname: 'sender.test',
      dns: { servers: [this.dns] },
      smtp: { port: this.port, allowLocalAddresses: true },
    }
  }

  get statistics(): SandboxStatistics {
    return {
      exchangers: new Map(this.#parts.exchangers.map(({ host, statistics }) => [host, statistics])),
      queries: new Map(this.#parts.nameServer.queries),
    }
  }

  received(filter?: ReceivedFilter): Promise<readonly ReceivedMail[]> {
    return this.#parts.mailroom.received(filter)
  }

  close(): Promise<void> {
    this.#closed ??= this.#parts.ending.disposeAsync()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Starts a simulated internet on loopback addresses.
 * @throws {TypeError} for an option out of range.
 * @throws {Error} when the port is taken (`EADDRINUSE`), the loopback addresses are missing (macOS, BSD) or the mail
 * directory cannot be made.
 * @example
 * await using sandbox = await startSandbox()
 * const agent = createAgent(sandbox.agentOptions)
 */
export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const settings = checkOptions(options)
  options.signal?.throwIfAborted()
  // What was started ends in the opposite order, also when a later step fails.
  await using started = new AsyncDisposableStack()
  const plans = planDomains({ ...settings, clock: options.clock ?? systemClock, ipv6: hasIpv6() })
  const placed = placeHosts(plans)
  const hosts = placed.flatMap((domain) => domain.hosts)
  const certificates = makeCertificates(hosts.map(({ name }) => name))
  const mailDir = await prepareMailDir(options.mailDir)
  let running = false
  started.defer(async () => {
    const unwanted = options.removeMail || !running
    if (options.mailDir === undefined && unwanted) await rm(mailDir, { recursive: true, force: true })
  })
  const mailroom = new Mailroom(mailDir)
  const ending = new AbortController()
  const { slowMs } = settings
  const { onDialogue } = options
  const common: Common = { certificates, mailroom, slowMs, signal: ending.signal, onDialogue }
  const make = () => hosts.flatMap((host) => makeExchanger(host, common) ?? [])
  const { listening: exchangers, port } = await listenOnOnePort(make, settings.port)
  // Sockets are gone before the slow ones wake up, so that nobody hears what became of them.
  started.defer(() => ending.abort())
  for (const exchanger of exchangers) started.defer(() => exchanger.close())
  const nameServer = await startNameServer(buildZone(placed, options.records))
  started.defer(() => nameServer.close())
  options.signal?.throwIfAborted()
  running = true
  const sandbox = new RunningSandbox({
    nameServer,
    exchangers,
    mailroom,
    ca: certificates.ca,
    domains: plans.map(publicFace),
    port,
    mailDir,
    ending: started.move(),
  })
  options.signal?.addEventListener('abort', () => void sandbox.close(), { once: true, signal: ending.signal })
  return sandbox
}
