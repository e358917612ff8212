/**
 * `mxpress probe`: can these addresses and domains be reached? One rule: no message is ever sent; every report is shown as
 * soon as it and those before it are known, and Ctrl-C shows the rest of what is.
 */
import { type Command, Option } from 'commander'
import { ConfigError } from '../../config/errors.ts'
import { parseReversePath } from '../../mail/address.ts'
import { AddressError } from '../../mail/address-error.ts'
import { type ProbeOptions, probe } from '../../probe/probe.ts'
import { type ProbeStage, probeStages } from '../../probe/report.ts'
import { ProbeSummary } from '../../probe/summary.ts'
import { type AgentOptionValues, dnsOption, readAgentOptions, tlsOption } from '../agent-options.ts'
import { type CommonOptions, newCommand } from '../command.ts'
import { UsageError } from '../errors.ts'
import { type ExitCode, exitCodeOfAnswers, exitCodes } from '../exit-code.ts'
import { given, onlyOnce, repeatable, routeEntry, timeLimit, wholeNumber } from '../option-values.ts'
import { Progress } from '../progress.ts'
import { Stop } from '../stop.ts'
import { csvOutput, jsonOutput, type ProbeOutput, textOutput } from './output.ts'
import { ProbeTargets } from './targets.ts'

/** The options of the command as commander hands them over. */
export interface ProbeCommandOptions extends CommonOptions, AgentOptionValues {
  readonly file?: string
  readonly from?: string
  readonly stopAfter?: ProbeStage
  readonly first?: true
  readonly catchAll?: true
  readonly vrfy?: true
  readonly timeout?: number
  readonly perSession?: number
  readonly transcript?: true
  readonly csv?: true
}

/** The command with its options; sets `process.exitCode`. */
export function probeCommand(): Command {
  const command = newCommand({
    name: 'probe',
    summary: 'can these addresses or domains be reached?',
    description:
      'Asks every exchanger of an address or domain whether it would take mail, up to RCPT, and sends none. Of a domain its postmaster is asked for.',
    examples: [
      'mxpress probe bob@example.org',
      'mxpress probe example.org --stop-after starttls --tls verified',
      'mxpress probe bob@example.org --catch-all --transcript',
      'mxpress probe --file list.txt --first --csv > verdicts.csv',
      'generate | mxpress probe --file - --json > verdicts.json',
    ],
  }).argument('[target...]', 'addresses and domains')
  addQuestions(command)
  addSettings(command)
  addOutput(command)
  return command.action(async (targets: readonly string[], options: ProbeCommandOptions) => {
    process.exitCode = await run(targets, options)
  })
}

function addQuestions(command: Command): void {
  command
    .optionsGroup('What is asked:')
    .option(
      '--file <list>',
      "further targets, one a line, '#' begins a comment; '-' is standard input",
      onlyOnce,
    )
    .addOption(new Option('--stop-after <stage>', 'the last stage (default: rcpt)').choices(probeStages))
    .option('--first', 'end with the first address that decides, as a delivery would')
    .option('--from <address>', 'reverse-path (default: <>)')
    .option('--catch-all', 'is a mailbox made up at random accepted too?')
    .option('--vrfy', 'ask VRFY as well; it proves little')
}

function addSettings(command: Command): void {
  command
    .optionsGroup('How:')
    .option('--hostname <name>', "name given in EHLO (default: the system's)")
    .addOption(dnsOption())
    .option('--port <n>', 'port of the exchangers (default: 25)', wholeNumber(1, 65_535))
    .option(
      '--route <domain=host[:port]>',
      'where to ask about a domain, without MX (repeatable)',
      repeatable(routeEntry),
    )
    .addOption(tlsOption())
    .option('--timeout <duration>', 'the longest that each step may take (default: 30s)', timeLimit)
    .option('--concurrency <n>', 'sessions open at once, all sites together (default: 50)', wholeNumber(1))
    .option('--per-site <n>', 'sessions open at once to one site (default: 2)', wholeNumber(1))
    .option('--per-session <n>', 'mailboxes asked about in one session (default: 10)', wholeNumber(1))
    .option('--allow-local-addresses', 'connect to private and loopback addresses that DNS named')
}

function addOutput(command: Command): void {
  command
    .optionsGroup('Output:')
    .option('--transcript', 'the dialogue with each address, with times')
    .option('--csv', 'a row for each target instead')
}

async function run(args: readonly string[], options: ProbeCommandOptions): Promise<ExitCode> {
  const output = outputOf(options)
  const probeOptions = await readProbeOptions(options)
  const targets = await ProbeTargets.check(args, options.file)
  using stop = new Stop()
  const summary = new ProbeSummary()
  try {
    await report(targets, { options: { ...probeOptions, signal: stop.signal }, output, summary })
  } catch (error) {
    // The signal's own reason; what is known has been shown.
    if (stop.exitCode !== null && error === stop.signal.reason) return stop.exitCode
    throw error
  }
  return targets.malformed > 0 ? exitCodes.dataError : exitCodeOfAnswers(summary.answers)
}

async function report(
  targets: ProbeTargets,
  {
    options,
    output,
    summary,
  }: { readonly options: ProbeOptions; readonly output: ProbeOutput; readonly summary: ProbeSummary },
): Promise<void> {
  const progress = new Progress(targets.total, { noun: 'targets' })
  const reports = probe(targets, options)
  let hasBegun = false
  const begin = async (): Promise<void> => {
    if (!hasBegun) await output.begin()
    hasBegun = true
  }
  try {
    for await (const one of reports) {
      await begin()
      summary.add(one)
      progress.wipe()
      const isRead = await output.report(one)
      progress.step(() => {})
      if (!isRead) return
    }
    await begin()
  } catch (error) {
    // Without a single report: stopped, and then the document is whole, or wrongly set up, and then there is none.
    if (options.signal?.aborted) await begin()
    throw error
  } finally {
    progress.wipe()
    if (hasBegun) await output.end(summary)
  }
}

async function readProbeOptions(options: ProbeCommandOptions): Promise<ProbeOptions> {
  const { stopAfter, first, catchAll, vrfy, transcript } = options
  const { from, timeout, concurrency, perSite, perSession, ...agentValues } = options
  checkFrom(from, (message) => new UsageError(`--from: ${message}`))
  const probing = given({ from, timeout, concurrency, perSite, perSession })
  const agent = await readAgentOptions(agentValues, { further: { probe: probing } })
  checkFrom(agent.probe?.from, (message) => new ConfigError(`probe.from: ${message}`))
  return { agent, ...given({ stopAfter, first, catchAll, vrfy, transcript }) }
}

function checkFrom(from: string | undefined, complaint: (message: string) => Error): void {
  if (from === undefined) return
  try {
    parseReversePath(from)
  } catch (error) {
    throw error instanceof AddressError ? complaint(error.message) : error
  }
}

function outputOf({ json, csv, transcript, file }: ProbeCommandOptions): ProbeOutput {
  if (json && csv) throw new UsageError('--csv cannot be used with --json')
  if (csv && transcript)
    throw new UsageError('--transcript cannot be used with --csv, which has no place for it')
  if (json) return jsonOutput()
  return csv ? csvOutput() : textOutput({ matrix: file === undefined })
}
