/**
 * Is this host fit to send? All checks run at once; what they find comes in the order of their list. One rule: nothing is
 * changed and nothing is sent; what is written is removed again.
 */
import os from 'node:os'
import { hostnamesBySource } from '../client/source-address.ts'
import { systemSource } from '../client/system-source.ts'
import { ConfigError } from '../config/errors.ts'
import { isAddressLiteral, isFqdn } from '../config/host.ts'
import { systemHostname } from '../config/hostname.ts'
import type { AgentOptions } from '../config/options.ts'
import { resolveSettings, type Settings } from '../config/settings.ts'
import type { RecordResolver } from '../dns/resolver.ts'
import { createSystemResolver, systemServers } from '../dns/system.ts'
import { parseIp } from '../route/ip.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { Check } from './check.ts'
import { checks } from './checks.ts'
import { observeDkim } from './dkim-keys.ts'
import { askServers } from './name-servers.ts'
import { findOwnAddresses } from './own-addresses.ts'
import { Questions } from './questions.ts'
import { dialReceivers } from './receivers.ts'
import { findRecords } from './records.ts'
import { type DoctorReport, makeReport } from './report.ts'
import type { CheckResult } from './result.ts'
import { knownToOthers, namesGiven, type Sender } from './sender.ts'
import { observeSpf } from './spf-evaluation.ts'
import type { Surroundings } from './surroundings.ts'

/** What `examineHost` may be told beside the options of an agent. */
export interface ExaminationOptions {
  /** Addresses that receivers see this host under. Default: found out; say them where address translation hides them. */
  readonly addresses?: readonly string[]
  /** Ends the examination. */
  readonly signal?: AbortSignal
  /** Told of each result in the order of the report. */
  readonly onResult?: (result: CheckResult) => void
  /** Asked instead of the name servers of the options. */
  readonly resolver?: RecordResolver
  readonly clock?: Clock
  /** Default: all there are. */
  readonly checks?: readonly Check[]
}

/**
 * Examines whether this host is fit to send mail of a domain: DNS, addresses, port 25, SPF, DKIM, DMARC, block lists, disk.
 * @param options those of `createAgent`; `doctor.domain` and `hostname` say who would send
 * @throws {TypeError} for a wrong option @throws {ConfigError} when there is no domain to examine
 * @throws `signal.reason`; `onResult` has told of what was known by then
 * @example
 * ```ts
 * const report = await examineHost({ hostname: 'mail.example.org' })
 * for (const { title, status, summary } of report.results) console.log(status, title, summary)
 * ```
 */
export async function examineHost(
  options: AgentOptions = {},
  examination: ExaminationOptions = {},
): Promise<DoctorReport> {
  const { clock = systemClock, onResult } = examination
  const startedAt = clock.now()
  const begun = clock.monotonic()
  const around = await lookAround(resolveSettings(options), examination)
  around.signal.throwIfAborted()
  const running = (examination.checks ?? checks).map((check) => check.run(around))
  // The first that is awaited may not be the first that rejects.
  for (const results of running) results.catch(() => {})
  const results: CheckResult[] = []
  for (const found of running) {
    for (const result of await found) {
      results.push(result)
      onResult?.(result)
    }
  }
  const { sender } = around
  const [addresses, records] = await Promise.all([around.addresses(), findRecords(around)])
  around.signal.throwIfAborted()
  return makeReport({ sender, addresses, results, records, startedAt, durationMs: clock.monotonic() - begun })
}

async function lookAround(settings: Settings, examination: ExaminationOptions): Promise<Surroundings> {
  const { addresses: named = [], signal = new AbortController().signal, clock = systemClock } = examination
  for (const ip of named) {
    if (parseIp(ip) === null) throw new TypeError(`Expected an IP address of ours, got \`${ip}\``)
  }
  signal.throwIfAborted()
  const { servers, timeoutMs } = settings.dns
  const resolver = examination.resolver ?? createSystemResolver({ servers, timeoutMs })
  const sender = await findSender(settings)
  const questions = new Questions(resolver, signal)
  const receivers = once(() => dialReceivers({ settings, resolver, hostname: sender.hostname, signal }))
  const addresses = once(async () =>
    findOwnAddresses({
      named,
      settings,
      receivers: named.length > 0 ? [] : await receivers(),
      systemSource,
    }),
  )
  const known = async () => knownToOthers(await addresses(), sender).map(({ ip }) => ip)
  return {
    settings,
    sender,
    questions,
    clock,
    signal,
    nameServers: once(() =>
      askServers(servers.length > 0 ? servers : systemServers(), { timeoutMs, signal }),
    ),
    receivers,
    addresses,
    spf: once(async () => observeSpf(questions, { ...sender, addresses: await known() })),
    heloSpf: once(async () => {
      const names = namesGiven(sender, await addresses()).flatMap(({ hostname, addresses: own }) => {
        if (hostname === null || hostname === sender.domain || !isFqdn(hostname)) return []
        return [{ domain: hostname, hostname, addresses: own.map(({ ip }) => ip) }]
      })
      return Promise.all(names.map((identity) => observeSpf(questions, identity)))
    }),
    dkim: once(() => observeDkim(questions, sender.domain, settings.dkim)),
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null
  return () => {
    running ??= work()
    return running
  }
}

/** The name and the domain; a system without a name is a finding, not an error. */
async function findSender(settings: Settings): Promise<Sender> {
  const { allowLocalAddresses } = settings.smtp
  const { hostname, complaint } = await findHostname(settings)
  const signed = settings.dkim.length === 1 ? settings.dkim[0]?.domain : undefined
  const domain = settings.doctor.domain ?? signed ?? (await domainOf(hostname))
  if (domain === null) {
    throw new ConfigError(
      `No domain to examine: the name ${JSON.stringify(hostname ?? os.hostname())} names none. Say it with --domain or \`doctor.domain\`.`,
    )
  }
  const sourceHostnames = hostnamesBySource(settings.sourceHostnames)
  return { domain, hostname, sourceHostnames, hostnameComplaint: complaint, allowLocalAddresses }
}

async function findHostname({
  hostname,
}: Settings): Promise<{ hostname: string | null; complaint: string | null }> {
  if (hostname !== null) return { hostname: hostname.toLowerCase(), complaint: null }
  try {
    return { hostname: await systemHostname(), complaint: null }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { hostname: null, complaint: error.message }
  }
}

/** `mail.eu.example.co.uk` sends for `example.co.uk`: the domain that somebody has registered. */
async function domainOf(hostname: string | null): Promise<string | null> {
  if (hostname === null || isAddressLiteral(hostname)) return null
  // Only here: the list of public suffixes is large.
  const { getDomain } = await import('tldts')
  return getDomain(hostname, { allowPrivateDomains: true }) ?? hostname
}
