/**
 * `mxpress doctor`: is this host fit to send? One rule: each result is shown as soon as it and all before it are known;
 * what is known when somebody presses Ctrl-C has been shown.
 */
import { type Command, InvalidArgumentError } from 'commander'
import { isIp } from '../../config/host.ts'
import type { AgentOptions } from '../../config/options.ts'
import { examineHost } from '../../doctor/doctor.ts'
import { zoneFragment } from '../../doctor/records.ts'
import type { DoctorReport } from '../../doctor/report.ts'
import type { CheckResult } from '../../doctor/result.ts'
import { type AgentOptionValues, addQueueOption, dnsOption, readAgentOptions } from '../agent-options.ts'
import { type CommonOptions, newCommand } from '../command.ts'
import { type ExitCode, exitCodeOfVerdict } from '../exit-code.ts'
import { asWritten, given, repeatable, wholeNumber } from '../option-values.ts'
import { Stop } from '../stop.ts'
import { formatJson, noteLine, paintFor, printLine, printText } from '../terminal.ts'
import { resultLines, summaryLine } from './text.ts'

/** The options as commander hands them over. */
export interface DoctorOptionValues extends CommonOptions, AgentOptionValues {
  readonly domain?: string
  readonly address?: readonly string[]
  readonly receiver?: readonly string[]
  readonly addressList?: readonly string[]
  readonly domainList?: readonly string[]
  readonly evidence?: true
  readonly fixRecords?: true
}

/** The command with its options; sets `process.exitCode`. */
export function doctorCommand(): Command {
  const command = newCommand({
    name: 'doctor',
    summary: 'is this host fit to send?',
    description:
      'Looks at all that receivers look at (name, addresses, reverse DNS, SPF, DKIM, DMARC, block lists), at port 25, at ' +
      'the name servers and at the disk, and says how to mend what is wrong. Sends nothing. Ends with 0 when all is ' +
      'well, 75 for warnings and checks that cannot tell, 69 for problems.',
    examples: [
      'mxpress doctor',
      'mxpress doctor --domain example.org --hostname mail.example.org',
      'mxpress doctor --address 192.0.2.1     # behind address translation',
      'mxpress doctor --fix-records > records.zone',
      'mxpress doctor --json | jq -r \'.results[] | select(.status != "ok") | .code\'',
    ],
  })
  return addTrialAndOutput(addQuestions(addSender(command))).action(async (options: DoctorOptionValues) => {
    process.exitCode = await doctor(options)
  })
}

function addSender(command: Command): Command {
  return command
    .optionsGroup('Who would send:')
    .option(
      '--domain <domain>',
      "domain of From fields (default: that of the only DKIM key, else the hostname's)",
    )
    .option('--hostname <name>', "name given in EHLO (default: the system's)")
    .option(
      '--address <ip>',
      'address that receivers see (repeatable; default: found out)',
      repeatable(ipAddress),
    )
}

function addQuestions(command: Command): Command {
  return command
    .optionsGroup('Whom to ask:')
    .addOption(dnsOption())
    .option(
      '--receiver <domain>',
      'whose exchangers to dial for port 25 (repeatable; default: five large ones)',
      repeatable(asWritten),
    )
    .option('--port <n>', 'port of the exchangers (default: 25)', wholeNumber(1, 65_535))
    .option('--allow-local-addresses', 'private and loopback addresses are as good as public ones')
    .option(
      '--address-list <list>',
      'block list of addresses (repeatable; default: four)',
      repeatable(asWritten),
    )
    .option(
      '--domain-list <list>',
      'block list of domains (repeatable; default: dbl.spamhaus.org)',
      repeatable(asWritten),
    )
}

function addTrialAndOutput(command: Command): Command {
  command.optionsGroup('What to try:').option('--log <file>', 'the log (default: mxpress.log)')
  return addQueueOption(command)
    .optionsGroup('Output:')
    .option('--evidence', 'queries and answers of every check, not only where something is wrong')
    .option('--fix-records', 'print all records to publish, as a zone file, instead of the results')
}

function ipAddress(text: string): string {
  if (isIp(text)) return text
  throw new InvalidArgumentError('Expected an IP address.')
}

async function doctor(options: DoctorOptionValues): Promise<ExitCode> {
  const agentOptions = await readAgentOptions(options, { further: doctorOptionsOf(options) })
  using stop = new Stop()
  const results: CheckResult[] = []
  const isQuiet = options.json === true || options.fixRecords === true
  const paint = paintFor(process.stdout)
  if (process.stderr.isTTY) noteLine('Asking; this takes up to half a minute.')
  const onResult = (result: CheckResult): void => {
    results.push(result)
    if (isQuiet) return
    for (const line of resultLines(result, { paint, showsAll: options.evidence === true })) printLine(line)
  }
  try {
    const addresses = options.address ?? []
    const report = await examineHost(agentOptions, { addresses, signal: stop.signal, onResult })
    show(report, options)
    return exitCodeOfVerdict(report.verdict)
  } catch (error) {
    // The signal's own reason; what is known has been shown.
    if (stop.exitCode === null || error !== stop.signal.reason) throw error
    if (options.json) await printText(`${formatJson({ interrupted: true, results })}\n`)
    // Questions that nobody wants answered any more would keep the process until they time out.
    process.exit(stop.exitCode)
  }
}

function doctorOptionsOf(options: DoctorOptionValues): AgentOptions {
  const { domain, receiver, addressList, domainList } = options
  const doctor = { domain, receivers: receiver, addressLists: addressList, domainLists: domainList }
  return { doctor: given(doctor) }
}

function show(report: DoctorReport, { json, fixRecords }: DoctorOptionValues): void {
  if (json) printLine(formatJson(report))
  else if (fixRecords) for (const line of zoneFragment(report.records, report.domain)) printLine(line)
  else for (const line of ['', summaryLine(report, paintFor(process.stdout))]) printLine(line)
}
