/** `mxpress dkim`: makes keys to sign with, and says whether DNS has them. One rule: a key is printed nowhere. */
import { type Command, Option } from 'commander'
import { isSelector, readDomain } from '../../config/dkim-names.ts'
import { ConfigError } from '../../config/errors.ts'
import { resolveSettings } from '../../config/settings.ts'
import { createSystemResolver } from '../../dns/system.ts'
import { makeKey, type NewKey } from '../../mail/dkim/keygen.ts'
import { type KeyRecord, zoneLine } from '../../mail/dkim/record.ts'
import { type AgentOptionValues, checkConfig, dnsOption, readAgentOptions } from '../agent-options.ts'
import { type CommonOptions, newCommand, newGroup } from '../command.ts'
import { InputDataError, InputFileError, StartError, UsageError } from '../errors.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { given } from '../option-values.ts'
import { formatJson, paintFor, printLine, warn } from '../terminal.ts'
import { type CheckedKey, checkKeys, type KeyToCheck } from './check.ts'

interface KeygenOptions extends CommonOptions {
  readonly domain: string
  readonly selector: string
  readonly algorithm: 'rsa' | 'ed25519'
  readonly keyFile?: string
}

interface CheckOptions extends CommonOptions, Pick<AgentOptionValues, 'dns'> {
  readonly domain?: string
  readonly selector?: string
  readonly keyFile?: string
}

/** The command with its subcommands; each sets `process.exitCode`. */
export function dkimCommand(): Command {
  return newGroup({
    name: 'dkim',
    summary: 'make and check keys to sign mail with',
    description: 'Makes keys to sign mail with (DKIM), and checks that DNS has them.',
    examples: ['mxpress dkim keygen --domain example.org --selector mx1', 'mxpress dkim check'],
  })
    .addCommand(keygenCommand())
    .addCommand(checkCommand())
}

function keygenCommand(): Command {
  return newCommand({
    name: 'dkim keygen',
    summary: 'make a key',
    description:
      'Makes a private key, in a file that nobody else can read, and prints the record to put into DNS. A file that is ' +
      'there already is never written over.',
    examples: [
      'mxpress dkim keygen --domain example.org --selector mx1',
      'mxpress dkim keygen --domain example.org --selector mx1e \\\n  --algorithm ed25519 --key-file /etc/mxpress/ed.pem',
    ],
  })
    .requiredOption('--domain <domain>', 'whose mail it signs')
    .requiredOption('--selector <name>', 'its name in DNS: NAME._domainkey.DOMAIN')
    .addOption(
      new Option('--algorithm <name>', 'rsa is known to every receiver')
        .choices(['rsa', 'ed25519'])
        .default('rsa'),
    )
    .option('--key-file <file>', 'where to write it (default: SELECTOR._domainkey.DOMAIN.pem)')
    .action(keygen)
}

function checkCommand(): Command {
  return newCommand({
    name: 'dkim check',
    summary: 'hold keys against DNS',
    description:
      'Says whether DNS has the records of the configured keys, of one domain or one selector, or of the key in a file.',
    examples: [
      'mxpress dkim check',
      'mxpress dkim check --domain example.org --selector mx1',
      'mxpress dkim check --domain example.org --selector mx1 --key-file mx1.pem \\\n  --dns 192.0.2.53',
    ],
  })
    .option('--domain <domain>', 'whose keys (default: those of every configured domain)')
    .option('--selector <name>', 'which one (default: all of the domain)')
    .option('--key-file <file>', 'the key, instead of the configured one')
    .addOption(dnsOption())
    .action(async (options: CheckOptions) => {
      process.exitCode = await check(options)
    })
}

async function keygen(options: KeygenOptions): Promise<void> {
  await checkConfig(options)
  const domain = demandDomain(options.domain)
  const selector = demandSelector(options.selector)
  const { algorithm, keyFile = `${selector}._domainkey.${domain}.pem` } = options
  const made = { domain, selector, algorithm, keyFile }
  const record = await makeKey(made).catch((cause: NodeJS.ErrnoException) => {
    if (cause.syscall === undefined) throw cause
    const why = cause.code === 'EEXIST' ? 'there is one already, which is left as it is' : cause.code
    throw new StartError(`cannot write the key file ${keyFile}: ${why}`, { isFile: true, cause })
  })
  const zone = zoneLine(record)
  if (options.json) printLine(formatJson({ ...made, record: { ...record, type: 'TXT' }, zone }))
  else for (const line of instructions(made, record, zone)) printLine(line)
}

function instructions(
  { domain, selector, algorithm, keyFile }: NewKey,
  record: KeyRecord,
  zone: string,
): readonly string[] {
  const heading = (text: string) => paintFor(process.stdout)('bold', text)
  return [
    `${heading('Key:')} ${keyFile} (${algorithm}; only you can read it, and whoever runs mxpress has to)`,
    '',
    heading('DNS, as a line of a zone file:'),
    zone,
    '',
    heading('DNS, for a web form:'),
    `Type:  TXT`,
    `Name:  ${record.name}  (where the form adds the domain: ${selector}._domainkey)`,
    `Value: ${record.value}`,
    '',
    heading('mxpress.toml:'),
    `[dkim.${JSON.stringify(domain)}]`,
    `selector = ${JSON.stringify(selector)}`,
    `keyFile = ${JSON.stringify(keyFile)}`,
    '',
    `Once both are there: mxpress dkim check --domain ${domain} --selector ${selector}`,
  ]
}

async function check(options: CheckOptions): Promise<ExitCode> {
  const { config, dns } = options
  const settings = resolveSettings(await readAgentOptions(given({ config, dns })))
  const { servers, timeoutMs } = settings.dns
  const keys = keysToCheck(
    options,
    settings.dkim.flatMap(({ domain, keys }) => keys.map((key) => ({ domain, ...key }))),
  )
  const resolver = createSystemResolver({ servers, timeoutMs })
  const checked = await checkKeys(keys, resolver).catch((error: unknown) => {
    // A file of the command line is input; one of the configuration is its mistake.
    if (options.keyFile === undefined || !(error instanceof ConfigError)) throw error
    const { message, cause } = error
    throw cause === undefined ? new InputDataError(message) : new InputFileError(message, { cause })
  })
  for (const { warnings } of checked) for (const text of warnings) warn(text)
  if (options.json) printLine(formatJson({ keys: checked.map(({ warnings: _, ...document }) => document) }))
  else for (const one of checked) for (const line of linesOf(one)) printLine(line)
  if (checked.some(({ kind }) => kind === 'missing' || kind === 'wrong')) return exitCodes.unavailable
  return checked.some(({ kind }) => kind === 'unknown') ? exitCodes.temporaryFailure : exitCodes.ok
}

/** @throws {UsageError} there is none */
function keysToCheck(options: CheckOptions, configured: readonly KeyToCheck[]): readonly KeyToCheck[] {
  const domain = options.domain === undefined ? null : demandDomain(options.domain)
  const selector = options.selector === undefined ? null : demandSelector(options.selector)
  const { keyFile } = options
  if (keyFile !== undefined) {
    if (domain !== null && selector !== null) return [{ domain, selector, keyFile }]
    throw new UsageError('--key-file needs --domain and --selector')
  }
  const chosen = configured.filter(
    (key) =>
      (domain === null || key.domain === domain) &&
      (selector === null || key.selector.toLowerCase() === selector.toLowerCase()),
  )
  if (chosen.length > 0) return chosen
  const what = [domain, selector === null ? null : `selector ${selector}`]
    .filter((part) => part !== null)
    .join(', ')
  throw new UsageError(
    `no key${what === '' ? '' : ` for ${what}`} is configured: name one with --domain, --selector and --key-file`,
  )
}

function linesOf({ record, kind, text, remarks, expected, found }: CheckedKey): readonly string[] {
  const paint = paintFor(process.stdout)
  const verdict = {
    matches: paint('green', 'ok'),
    missing: paint('red', 'missing'),
    wrong: paint('red', 'wrong'),
    unknown: paint('yellow', 'unknown'),
  }[kind]
  const lines = [`${record}: ${verdict}. ${text}`, ...remarks.map((remark) => `  ${remark}`)]
  if (kind === 'matches' || kind === 'unknown') return lines
  return [
    ...lines,
    `  expected: ${expected}`,
    ...found.map((value) => `  found:    ${JSON.stringify(value)}`),
  ]
}

function demandDomain(text: string): string {
  const domain = readDomain(text)
  if (domain !== null) return domain
  throw new UsageError(`--domain '${text}': expected a domain such as example.org`)
}

function demandSelector(text: string): string {
  if (isSelector(text)) return text
  throw new UsageError(
    `--selector '${text}': expected a name such as mx1, of letters, digits, hyphens and dots`,
  )
}
