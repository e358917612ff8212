/** Options made into what the program works with: every value there, checked, in one unit. */
import type { AgentOptions } from './options.ts'
import { type Checked, checkOptions, optionName } from './problems.ts'
import { type RelayForDomains, type RelaySettings, relayProblems, relaySettings } from './relay-settings.ts'
import { type Timeouts, timeoutsInMs } from './timeouts.ts'

/** `QueueOptions`, complete. */
export interface QueueSettings {
  readonly dir: string
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  readonly expireMs: number
  /** `null`: never. */
  readonly delayWarningMs: number | null
  readonly onUncertain: 'retry' | 'hold'
}

/** `SubmissionOptions`, complete; sizes in octets. */
export interface SubmissionSettings {
  readonly listen: readonly string[]
  readonly maxSize: number
  readonly maxRecipients: number
  readonly maxConnections: number
  readonly certFile: string | null
  readonly keyFile: string | null
  readonly usersFile: string | null
}

/** `DkimOptions` of one domain, complete. */
export interface DkimSettings {
  /** Lower-case A-labels. */
  readonly domain: string
  /** At least one. */
  readonly keys: readonly { readonly selector: string; readonly keyFile: string }[]
  /** `null`: the usual ones. */
  readonly headers: readonly string[] | null
  /** `null`: never. */
  readonly expireMs: number | null
  readonly resign: boolean
}

/** `DoctorOptions`, complete. */
export interface DoctorSettings {
  readonly domain: string | null
  readonly receivers: readonly string[]
  readonly addressLists: readonly string[]
  readonly domainLists: readonly string[]
}

/** `ProbingOptions`, complete. */
export interface ProbingSettings {
  readonly from: string
  readonly timeoutMs: number
  readonly concurrency: number
  readonly perSite: number
  readonly perSession: number
}

/** `AgentOptions`, complete. `null` stands where there is no value and no default. */
export interface Settings {
  /** `null`: ask `systemHostname`. */
  readonly hostname: string | null
  readonly sourceAddresses: readonly string[]
  /** Names given in EHLO by the address that a session comes from, as they were written. */
  readonly sourceHostnames: Readonly<Record<string, string>>
  readonly dns: { readonly servers: readonly string[]; readonly timeoutMs: number }
  readonly smtp: { readonly port: number; readonly allowLocalAddresses: boolean }
  readonly timeouts: Timeouts
  readonly delivery: {
    readonly concurrency: number
    readonly perSite: number
    readonly maxTargets: number
    readonly messagesPerSession: number
    readonly recipientsPerTransaction: number
  }
  readonly tls: {
    readonly mode: 'off' | 'opportunistic' | 'required' | 'verified'
    readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
    readonly caFile: string | null
  }
  readonly dkim: readonly DkimSettings[]
  readonly routes: Readonly<Record<string, string | RelaySettings>>
  readonly relay: RelayForDomains | null
  readonly fallbackRelay: RelaySettings | null
  readonly log: { readonly file: string | null; readonly format: 'classic' | 'json' }
  readonly queue: QueueSettings
  readonly submission: SubmissionSettings
  readonly doctor: DoctorSettings
  readonly probe: ProbingSettings
}

/**
 * Checks options and fills in the defaults.
 * @param options `AgentOptions`; `undefined` anywhere is as if not given.
 * @throws {TypeError} naming each option that is wrong, one a line.
 */
export function resolveSettings(options: unknown = {}): Settings {
  const checked = checkOptions(options)
  if (!checked.ok) {
    throw new TypeError(
      checked.problems.map((problem) => problem.describe(optionName(problem.path))).join('\n'),
    )
  }
  const clashes = relayClashes(checked.values)
  if (clashes.length > 0) throw new TypeError(clashes.join('\n'))
  const { hostname, sourceAddresses, sourceHostnames, dns, smtp, timeouts, delivery, tls, log } =
    checked.values
  const { dkim, queue, submission, doctor } = checked.values
  const { timeout: timeoutMs, ...probe } = checked.values.probe
  return {
    hostname: hostname ?? null,
    sourceAddresses,
    sourceHostnames,
    dns: { servers: dns.servers, timeoutMs: dns.timeout },
    smtp,
    timeouts: timeoutsInMs(timeouts),
    delivery,
    tls: { ...tls, caFile: tls.caFile ?? null },
    dkim: Object.entries(dkim).map(([domain, options]) => dkimSettings(domain, options)),
    ...relaySettingsOf(checked.values),
    log: { ...log, file: log.file ?? null },
    queue: queueSettings(queue),
    submission: submissionSettings(submission),
    doctor: { ...doctor, domain: doctor.domain ?? null },
    probe: { ...probe, timeoutMs },
  }
}

type Values = Extract<Checked, { ok: true }>['values']

/** What the tables of relays say that cannot be, one sentence each. */
export function relayClashes({
  relay,
  fallbackRelay,
  routes = {},
}: {
  readonly [Key in RelayKeys]?: AgentOptions[Key] | Values[Key]
}): string[] {
  const tables = Object.entries(routes).filter((entry) => typeof entry[1] !== 'string')
  const own = tables.flatMap(([domain, table]) =>
    typeof table === 'string' ? [] : relayProblems(table, optionName(['routes', domain])),
  )
  return [
    ...(relay === undefined ? [] : relayProblems(relay, 'relay')),
    ...(fallbackRelay === undefined ? [] : relayProblems(fallbackRelay, 'fallbackRelay')),
    ...own,
  ]
}

type RelayKeys = 'routes' | 'relay' | 'fallbackRelay'

function relaySettingsOf({ routes, relay, fallbackRelay }: Values): Pick<Settings, RelayKeys> {
  const settings = relay === undefined ? null : relaySettings(relay)
  const entries = Object.entries(routes).map(([domain, entry]): [string, string | RelaySettings] => [
    domain,
    typeof entry === 'string' ? entry : (relaySettings(entry) ?? ''),
  ])
  return {
    routes: Object.fromEntries(entries),
    relay: settings === null ? null : { ...settings, domains: relay?.domains ?? ['*'] },
    fallbackRelay: fallbackRelay === undefined ? null : relaySettings(fallbackRelay),
  }
}

function queueSettings(queue: Values['queue']): QueueSettings {
  const { dir, onUncertain, retryFirst, retryMax, expire, delayWarning } = queue
  return {
    dir,
    retryFirstMs: retryFirst,
    retryMaxMs: Math.max(retryFirst, retryMax),
    expireMs: expire,
    delayWarningMs: delayWarning === 0 ? null : delayWarning,
    onUncertain,
  }
}

function dkimSettings(domain: string, options: Values['dkim'][string]): DkimSettings {
  const { selector, keyFile, keys, headers, expire, resign } = options
  const own = selector === undefined || keyFile === undefined ? [] : [{ selector, keyFile }]
  return { domain, keys: [...own, ...keys], headers: headers ?? null, expireMs: expire ?? null, resign }
}

function submissionSettings(submission: Values['submission']): SubmissionSettings {
  const { certFile = null, keyFile = null, usersFile = null, ...rest } = submission
  return { ...rest, certFile, keyFile, usersFile }
}
