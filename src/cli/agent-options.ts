/**
 * The options that say how mail is delivered. One rule: they are the library's options under other names; what a value
 * may be is decided where the library decides it, and a complaint names the option as it was written here.
 */
import { type Command, Option } from 'commander'
import { checkRoutes } from '../agent/check-settings.ts'
import { ConfigError } from '../config/errors.ts'
import { type LoadConfigOptions, loadConfig } from '../config/file.ts'
import { mergeOptions } from '../config/merge.ts'
import type { AgentOptions } from '../config/options.ts'
import { checkOptions, type OptionPath } from '../config/problems.ts'
import { resolveSettings } from '../config/settings.ts'
import type { CommonOptions } from './command.ts'
import { UsageError } from './errors.ts'
import {
  asWritten,
  given,
  type RelayAddress,
  type RouteEntry,
  relayAddress,
  repeatable,
  routeEntry,
  wholeNumber,
} from './option-values.ts'

const tlsModes = ['off', 'opportunistic', 'required', 'verified'] as const
const logFormats = ['classic', 'json'] as const

/** The log of a command that was not told otherwise; the library by itself writes none. */
const DEFAULT_LOG = 'mxpress.log'

/** The options as commander hands them over. */
export interface AgentOptionValues {
  readonly hostname?: string
  readonly dns?: readonly string[]
  readonly port?: number
  readonly route?: readonly RouteEntry[]
  readonly relay?: RelayAddress
  readonly relayUser?: string
  readonly relayPasswordFile?: string
  readonly relayPasswordEnv?: string
  readonly relayTls?: (typeof tlsModes)[number]
  readonly fallbackRelay?: RelayAddress
  readonly concurrency?: number
  readonly perSite?: number
  readonly tls?: (typeof tlsModes)[number]
  readonly allowLocalAddresses?: true
  readonly log?: string
  readonly logFormat?: (typeof logFormats)[number]
  /** Of commands that have it: `addQueueOption`. */
  readonly queue?: string
  /** Of `serve`. */
  readonly listen?: readonly string[]
}

/** Adds `--queue` to a command. */
export function addQueueOption(command: Command): Command {
  return command.option('--queue <directory>', 'where mail waits (default: queue)')
}

/** `--dns`, the same for every command that asks. */
export function dnsOption(): Option {
  const text = "name server to ask instead of the system's (repeatable)"
  return new Option('--dns <ip[:port]>', text).argParser(repeatable(asWritten))
}

/** `--tls`. */
export function tlsOption(): Option {
  return new Option('--tls <mode>', 'how safely (default: opportunistic)').choices(tlsModes)
}

/** Adds the options to a command. */
export function addAgentOptions(command: Command): Command {
  return command
    .optionsGroup('Delivery:')
    .option('--hostname <name>', "name given in EHLO (default: the system's)")
    .addOption(dnsOption())
    .option('--port <n>', 'port of the exchangers (default: 25)', wholeNumber(1, 65_535))
    .option(
      '--route <domain=host[:port]>',
      'where mail for a domain goes, without MX (repeatable)',
      repeatable(routeEntry),
    )
    .option('--relay <host[:port]>', 'hand all mail to this host instead (default port: 587)', relayAddress)
    .option('--relay-user <name>', 'who logs in at the relay')
    .option('--relay-password-file <file>', "the user's password: the file's only line")
    .option('--relay-password-env <variable>', "the user's password: a variable's value")
    .addOption(
      new Option('--relay-tls <mode>', 'how safely to the relay (default: verified)').choices(tlsModes),
    )
    .option(
      '--fallback-relay <host[:port]>',
      'hand over to this host what cannot be connected to otherwise',
      relayAddress,
    )
    .option(
      '--concurrency <n>',
      'transactions open at once, all sites together (default: 50)',
      wholeNumber(1),
    )
    .option('--per-site <n>', 'sessions open at once to one site (default: 5)', wholeNumber(1))
    .addOption(tlsOption())
    .option('--allow-local-addresses', 'connect to private and loopback addresses that DNS named')
    .option('--log <file>', `the log, appended to (default: ${DEFAULT_LOG})`)
    .addOption(new Option('--log-format <format>', 'of the log (default: classic)').choices(logFormats))
}

/** What only some commands want of the reading. */
export interface ReadingOptions extends Pick<LoadConfigOptions, 'onUnknownVariable'> {
  /** Options of the command line that no other command has. */
  readonly further?: AgentOptions
}

/**
 * The options of the command line over the variables over the configuration file.
 * @throws {UsageError} a value on the command line is wrong.
 * @throws {ConfigError} the file or a variable is wrong.
 */
export async function readAgentOptions(
  values: AgentOptionValues & CommonOptions,
  { onUnknownVariable, further = {} }: ReadingOptions = {},
): Promise<AgentOptions> {
  const given = mergeOptions(optionsOf(values), further)
  const checked = checkOptions(given)
  if (!checked.ok) {
    throw new UsageError(checked.problems.map(({ path, describe }) => describe(flagOf(path))).join('\n'))
  }
  complainAs(
    (message) => new UsageError(message.replace('`routes`', '`--route`')),
    () =>
      checkRoutes({
        routes: resolveSettings({ routes: given.routes }).routes,
        relay: null,
        fallbackRelay: null,
      }),
  )
  const { options } = await loadConfig({ file: values.config, onUnknownVariable })
  const merged = mergeOptions({ log: { file: DEFAULT_LOG } }, withoutOtherRelays(options, given), given)
  complainAs(
    (message) => (fitsTogether(options) ? new UsageError(asFlags(message)) : new ConfigError(message)),
    () => checkRoutes(resolveSettings(merged)),
  )
  return merged
}

/** Whether it is the options of the command line that go with nothing. */
function fitsTogether(options: AgentOptions): boolean {
  try {
    checkRoutes(resolveSettings(options))
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

/** Sentences about the library's options, as about those of the command line. */
function asFlags(message: string): string {
  return message.replace(/`([\w.]+)`/g, (quoted, name: string) => {
    const flag = name === 'relay' ? undefined : (flags[name] ?? flags[`relay.${name}`])
    return flag === undefined ? quoted : `\`${flag}\``
  })
}

/** A login belongs to the host that it was written down for, and is never shown to another one. */
function withoutOtherRelays(options: AgentOptions, given: AgentOptions): AgentOptions {
  const isReplaced = (key: 'relay' | 'fallbackRelay'): boolean => {
    const [asked, written] = [given[key]?.host, options[key]?.host]
    return asked !== undefined && written !== undefined && asked !== written
  }
  const { relay, fallbackRelay, ...rest } = options
  return {
    ...rest,
    ...(relay === undefined || isReplaced('relay') ? {} : { relay }),
    ...(fallbackRelay === undefined || isReplaced('fallbackRelay') ? {} : { fallbackRelay }),
  }
}

function complainAs(complaint: (message: string) => Error, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof TypeError ? complaint(error.message) : error
  }
}

/**
 * For commands that have nothing to configure: a file that is named is still checked, one that is not is not looked for.
 * @throws {ConfigError}
 */
export async function checkConfig({ config }: CommonOptions): Promise<void> {
  if (config !== undefined) await loadConfig({ file: config })
}

function optionsOf(values: AgentOptionValues): AgentOptions {
  const { hostname, dns, port, allowLocalAddresses, route, concurrency, perSite, tls, log, logFormat } =
    values
  const { queue, listen, relay, relayUser, relayPasswordFile, relayPasswordEnv, relayTls, fallbackRelay } =
    values
  const relayOptions = given({
    ...relay,
    user: relayUser,
    passwordFile: relayPasswordFile,
    passwordEnv: relayPasswordEnv,
    tls: relayTls,
  })
  return mergeOptions(
    given({ hostname }),
    { dns: given({ servers: dns }) },
    { smtp: given({ port, allowLocalAddresses }) },
    { delivery: given({ concurrency, perSite }) },
    { tls: given({ mode: tls }) },
    route === undefined ? {} : { routes: Object.fromEntries(route) },
    Object.keys(relayOptions).length === 0 ? {} : { relay: relayOptions },
    fallbackRelay === undefined ? {} : { fallbackRelay },
    { log: given({ file: log, format: logFormat }) },
    { queue: given({ dir: queue }) },
    { submission: given({ listen }) },
  )
}

const flags: Readonly<Record<string, string>> = {
  hostname: '--hostname',
  'dns.servers': '--dns',
  'smtp.port': '--port',
  'smtp.allowLocalAddresses': '--allow-local-addresses',
  'relay.host': '--relay',
  'relay.user': '--relay-user',
  'relay.passwordFile': '--relay-password-file',
  'relay.passwordEnv': '--relay-password-env',
  'relay.tls': '--relay-tls',
  relay: '--relay',
  fallbackRelay: '--fallback-relay',
  'delivery.concurrency': '--concurrency',
  'delivery.perSite': '--per-site',
  'tls.mode': '--tls',
  'log.file': '--log',
  'log.format': '--log-format',
  'queue.dir': '--queue',
  'submission.listen': '--listen',
  'doctor.domain': '--domain',
  'doctor.receivers': '--receiver',
  'doctor.addressLists': '--address-list',
  'doctor.domainLists': '--domain-list',
  'probe.from': '--from',
  'probe.timeout': '--timeout',
  'probe.concurrency': '--concurrency',
  'probe.perSite': '--per-site',
  'probe.perSession': '--per-session',
}

function flagOf(path: OptionPath): string {
  const [section, key] = path
  if (section === 'routes') return `--route ${key}`
  return flags[`${section}.${key}`] ?? flags[`${section}`] ?? path.join('.')
}
