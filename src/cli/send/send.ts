/**
 * `mxpress send`: one message, delivered now. One rule: arguments, files, addresses, configuration and log are checked
 * before anything is connected to; then every recipient's outcome is shown as soon as it is known.
 */
import type { Command } from 'commander'
import { type Agent, createAgent, type DialogueLine } from '../../agent.ts'
import { reportOutcome } from '../../delivery/report.ts'
import { RunningReport } from '../../delivery/running-report.ts'
import { escapeText } from '../../log/escape.ts'
import { AddressError, formatAddress } from '../../mail/address.ts'
import type { ComposedMail } from '../../mail/compose.ts'
import type { Mail } from '../../mail/mail.ts'
import { MessageError } from '../../mail/message-error.ts'
import { type AgentOptionValues, addAgentOptions, readAgentOptions } from '../agent-options.ts'
import { type CommonOptions, newCommand } from '../command.ts'
import { DialogueFormatter } from '../dialogue.ts'
import { UsageError } from '../errors.ts'
import { type ExitCode, exitCodeOfCounts, exitCodes } from '../exit-code.ts'
import { loginTroubleOf } from '../login-trouble.ts'
import { addMailOptions, type MailOptions, readMail } from '../mail-options.ts'
import { Progress } from '../progress.ts'
import { recipientLine, summaryLine } from '../report-text.ts'
import { Stop } from '../stop.ts'
import { formatJson, noteLine, paintFor, printLine, warn } from '../terminal.ts'
import { planLines } from './plan-text.ts'

/** The options of the command as commander hands them over. */
export interface SendOptions extends CommonOptions, MailOptions, AgentOptionValues {
  readonly debug?: boolean
  readonly dryRun?: boolean
}

/** The command with its options; sets `process.exitCode`. */
export function sendCommand(): Command {
  const command = newCommand({
    name: 'send',
    summary: 'deliver one message now',
    description:
      'Composes or reads one message and delivers it now, straight to each recipient’s exchangers.',
    examples: [
      "mxpress send --from alice@example.org --to 'Bob <bob@example.net>' \\\n  --subject Hello --text 'Hi Bob'",
      'mxpress send --from alice@example.org --to bob@example.net \\\n  --html-file page.html --attach report.pdf',
      'mxpress send --raw message.eml --dry-run',
      'generate | mxpress send --raw - --json > report.json',
      'mxpress send --raw message.eml --relay smtp.example.net \\\n  --relay-user me --relay-password-file relay.secret',
    ],
  })
  addAgentOptions(addMailOptions(command))
    .optionsGroup('Output:')
    .option('--debug', 'the dialogue on standard error as it happens, times in UTC')
    .option('--dry-run', 'show where the message would go; connect to nobody')
  return command.action(async (options: SendOptions) => {
    process.exitCode = await send(options)
  })
}

async function send(options: SendOptions): Promise<ExitCode> {
  const agentOptions = await readAgentOptions(options)
  const mail = await readMail(options)
  using stop = new Stop()
  await using agent = createAgent(agentOptions, {
    onWarning: warn,
    ...(options.debug ? { trace: showDialogue() } : {}),
  })
  using _ = onHangUp(() => agent.reopenLog())
  const prepared = await prepare(agent, mail)
  try {
    if (options.dryRun) return await plan(agent, prepared, { ...options, stop })
    return await deliver(agent, prepared, { ...options, stop, logFile: agentOptions.log?.file })
  } catch (error) {
    // The signal's own reason; what is known has been shown.
    if (stop.exitCode !== null && error === stop.signal.reason) return stop.exitCode
    throw error
  }
}

/** Without a raw message everything came from arguments: what is wrong with it is wrong with them. */
async function prepare(agent: Agent, mail: Mail): Promise<ComposedMail> {
  try {
    return await agent.prepare(mail)
  } catch (error) {
    const isArgument = error instanceof AddressError || error instanceof MessageError
    if (mail.raw === undefined && isArgument) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

interface Showing {
  readonly json?: boolean
  readonly stop: Stop
}

async function plan(
  agent: Agent,
  { message, envelope }: ComposedMail,
  { json, stop }: Showing,
): Promise<ExitCode> {
  const recipients = await agent.plan(envelope, { signal: stop.signal })
  if (json) {
    const reversePath = envelope.reversePath === null ? '' : formatAddress(envelope.reversePath)
    printLine(formatJson({ messageId: message.messageId, reversePath, recipients }))
  } else for (const line of planLines(recipients, paintFor(process.stdout))) printLine(line)
  const count = (outcome: string) => recipients.filter(({ failure }) => failure?.outcome === outcome).length
  return exitCodeOfCounts({ delivered: 0, deferred: count('deferred'), failed: count('failed') })
}

async function deliver(
  agent: Agent,
  prepared: ComposedMail,
  { json, stop, logFile }: Showing & { readonly logFile: string | undefined },
): Promise<ExitCode> {
  const { message, envelope } = prepared
  const running = new RunningReport(prepared)
  const progress = new Progress(envelope.recipients.length)
  const paint = paintFor(process.stdout)
  let loginTrouble: string | null = null
  try {
    for await (const outcome of agent.deliver(message, envelope, { signal: stop.signal })) {
      const recipient = reportOutcome(outcome)
      running.add(recipient)
      loginTrouble ??= loginTroubleOf(recipient)
      progress.step(() => json || printLine(recipientLine(recipient, paint)))
    }
  } finally {
    progress.wipe()
    printLine(json ? formatJson(running.report) : summaryLine(running.report, paint))
    if (loginTrouble !== null) noteLine(`mxpress: ${loginTrouble}`)
    if (process.stderr.isTTY && logFile !== undefined) noteLine(`Log: ${escapeText(logFile)}`)
  }
  // Wrong for every recipient and every later try, as a wrong key in the file is.
  if (loginTrouble !== null && running.counts.failed === 0) return exitCodes.config
  return exitCodeOfCounts(running.counts)
}

function showDialogue(): (line: DialogueLine) => void {
  const formatter = new DialogueFormatter(paintFor(process.stderr))
  return (line) => {
    for (const text of formatter.lines(line)) noteLine(text)
  }
}

/** logrotate says SIGHUP; Windows has none to give. */
function onHangUp(reopen: () => void): Disposable {
  process.on('SIGHUP', reopen)
  return { [Symbol.dispose]: () => void process.off('SIGHUP', reopen) }
}
