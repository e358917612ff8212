/** Options made into what the program works with: every value there, checked, in one unit. */
import { checkOptions, optionName } from './problems.ts'

/** Time limits in milliseconds; `TimeoutOptions` says of what. */
export interface TimeoutSettings {
  readonly connectMs: number
  readonly greetingMs: number
  readonly ehloMs: number
  readonly startTlsMs: number
  readonly mailMs: number
  readonly rcptMs: number
  readonly dataInitiationMs: number
  readonly dataBlockMs: number
  readonly dataTerminationMs: number
  readonly quitMs: number
}

/** `AgentOptions`, complete. `null` stands where there is no value and no default. */
export interface Settings {
  /** `null`: ask `systemHostname`. */
  readonly hostname: string | null
  readonly sourceAddresses: readonly string[]
  readonly dns: { readonly servers: readonly string[]; readonly timeoutMs: number }
  readonly smtp: { readonly port: number; readonly allowLocalAddresses: boolean }
  readonly timeouts: TimeoutSettings
  readonly delivery: {
    readonly concurrency: number
    readonly perSite: number
    readonly maxTargets: number
    readonly messagesPerSession: number
  }
  readonly tls: {
    readonly mode: 'off' | 'opportunistic' | 'required' | 'verified'
    readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
    readonly caFile: string | null
  }
  readonly routes: Readonly<Record<string, string>>
  readonly log: { readonly file: string | null; readonly format: 'classic' | 'json' }
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
  const { hostname, sourceAddresses, dns, smtp, timeouts, delivery, tls, routes, log } = checked.values
  return {
    hostname: hostname ?? null,
    sourceAddresses,
    dns: { servers: dns.servers, timeoutMs: dns.timeout },
    smtp,
    timeouts: {
      connectMs: timeouts.connect,
      greetingMs: timeouts.greeting,
      ehloMs: timeouts.ehlo,
      startTlsMs: timeouts.starttls,
      mailMs: timeouts.mail,
      rcptMs: timeouts.rcpt,
      dataInitiationMs: timeouts.dataInitiation,
      dataBlockMs: timeouts.dataBlock,
      dataTerminationMs: timeouts.dataTermination,
      quitMs: timeouts.quit,
    },
    delivery,
    tls: { ...tls, caFile: tls.caFile ?? null },
    routes,
    log: { ...log, file: log.file ?? null },
  }
}
