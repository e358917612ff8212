/**
 * `mxpress sandbox`: the simulated internet in the foreground, until Ctrl-C. It says what it offers and how to send
 * into it; the received mail stays when it ends.
 */
import type { Command } from 'commander'
import {
  exampleCommand,
  overview,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '../sandbox/sandbox.ts'
import { checkConfig } from './agent-options.ts'
import { type CommonOptions, newCommand } from './command.ts'
import { StartError } from './errors.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import { wholeNumber } from './option-values.ts'
import { Stop } from './stop.ts'
import { tableLines } from './table.ts'
import { formatJson, noteLine, type Paint, paintFor, printLine } from './terminal.ts'

interface SandboxCommandOptions extends CommonOptions {
  readonly port?: number
  readonly mailDir?: string
  readonly greylistSeconds?: number
}

/** The command with its options; sets `process.exitCode`. */
export function sandboxCommand(): Command {
  return newCommand({
    name: 'sandbox',
    summary: 'a simulated internet on loopback to send into',
    description:
      'Runs a name server and recipient servers on loopback addresses until Ctrl-C. Each of its domains behaves as its name says; nothing leaves this machine. Received mail is kept, a Maildir for each mailbox.',
    examples: [
      'mxpress sandbox',
      'mxpress sandbox --port 2525 --mail-dir received',
      'mxpress sandbox --json > sandbox.json &',
    ],
  })
    .option('--port <n>', 'SMTP port of all its servers (default: a free one)', wholeNumber(1, 65_535))
    .option('--mail-dir <directory>', 'where received mail is kept (default: a new temporary directory)')
    .option(
      '--greylist-seconds <n>',
      'how long greylists.test defers a recipient (default: 10)',
      wholeNumber(0, 86_400),
    )
    .action(async (options: SandboxCommandOptions) => {
      await checkConfig(options)
      process.exitCode = await runSandbox(options)
    })
}

async function runSandbox({
  json,
  port,
  mailDir,
  greylistSeconds,
}: SandboxCommandOptions): Promise<ExitCode> {
  using stop = new Stop()
  const sandbox = await started({
    ...(port === undefined ? {} : { port }),
    ...(mailDir === undefined ? {} : { mailDir }),
    ...(greylistSeconds === undefined ? {} : { greylistSeconds }),
  })
  if (json) printLine(formatJson(description(sandbox)))
  else for (const line of readyLines(sandbox, paintFor(process.stdout))) printLine(line)
  await stop.wait()
  await sandbox.close()
  // Its end is what was asked for, so it is no interruption.
  if (!json) noteLine(`\nThe mail that was received is in ${sandbox.mailDir}`)
  return exitCodes.ok
}

/**
 * Starts a sandbox for a command.
 * @throws {StartError} when the machine does not let it.
 */
export async function started(options: SandboxOptions): Promise<Sandbox> {
  try {
    return await startSandbox(options)
  } catch (cause) {
    const { syscall, message } = cause as NodeJS.ErrnoException
    if (syscall === undefined) throw cause
    const isFile = syscall !== 'listen' && syscall !== 'bind'
    throw new StartError(`the sandbox cannot start: ${message}`, { isFile, cause })
  }
}

function description(sandbox: Sandbox): object {
  const { dns, port, mailDir, domains, agentOptions } = sandbox
  return {
    dns,
    port,
    mailDir,
    hostname: agentOptions.hostname,
    command: exampleCommand(sandbox).join('\n'),
    domains,
  }
}

function readyLines(sandbox: Sandbox, paint: Paint): string[] {
  const rows = overview(sandbox).map(({ mailbox, description, expected }) => [mailbox, expected, description])
  return [
    ...tableLines(['mailbox', 'expected', 'what happens'], rows, paint),
    '',
    `Name server ${sandbox.dns}, SMTP port ${sandbox.port}, received mail in ${sandbox.mailDir}`,
    'Send into it with',
    '',
    ...exampleCommand(sandbox).map((line) => `  ${line}`),
    '',
    'Ready; Ctrl-C ends it.',
  ]
}
