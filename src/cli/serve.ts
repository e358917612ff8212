/**
 * `mxpress serve`: the daemon in the foreground, until SIGTERM or SIGINT. One rule: standard output carries the one line
 * that says it is ready; everything else is in the log.
 */
import type { Command } from 'commander'
import type { AgentOptions } from '../config/options.ts'
import { type Daemon, startDaemon } from '../daemon/daemon.ts'
import { type AgentOptionValues, addAgentOptions, addQueueOption, readAgentOptions } from './agent-options.ts'
import { type CommonOptions, newCommand } from './command.ts'
import { StartError } from './errors.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import { asWritten, repeatable } from './option-values.ts'
import { notifyServiceManager } from './service-manager.ts'
import { Stop } from './stop.ts'
import { formatJson, noteLine, printLine, warn } from './terminal.ts'

type ServeOptions = CommonOptions & AgentOptionValues

/** The command with its options; sets `process.exitCode`. */
export function serveCommand(): Command {
  const command = newCommand({
    name: 'serve',
    summary: 'the daemon: queue, retries, submission',
    description:
      'Delivers what waits in the queue, tries again what was deferred, and takes mail over SMTP, until SIGTERM or Ctrl-C. SIGHUP reopens the log and reads certificate and DKIM keys again.',
    examples: [
      'mxpress serve',
      'mxpress serve --listen 127.0.0.1:2525 --queue /var/spool/mxpress \\\n  --log /var/log/mxpress.log',
      'mxpress serve --config /etc/mxpress/mxpress.toml',
    ],
  })
  addQueueOption(command).option(
    '--listen <address:port>',
    'where to take mail over SMTP (repeatable; default: 127.0.0.1:2525)',
    repeatable(asWritten),
  )
  return addAgentOptions(command).action(async (options: ServeOptions) => {
    process.exitCode = await serve(options)
  })
}

async function serve(options: ServeOptions): Promise<ExitCode> {
  const agentOptions = await readAgentOptions(options)
  using stop = new Stop()
  const daemon = await started(agentOptions)
  using _ = onHangUp(() => void daemon.reload())
  announce(daemon, options.json === true)
  await notifyServiceManager('READY', readyText(daemon))
  await stop.wait()
  // Said while it is being done: the time is short.
  void notifyServiceManager('STOPPING', 'stopping')
  if (await daemon.close()) return exitCodes.ok
  // Whoever still waits for the reply to a final dot would keep the process; what is known is on disk.
  noteLine('mxpress: stopped while a server still owed its last reply; that entry is tried again')
  process.exit(exitCodes.ok)
}

async function started(options: AgentOptions): Promise<Daemon> {
  try {
    return await startDaemon(options, { onWarning: warn })
  } catch (cause) {
    const { syscall, message } = cause as NodeJS.ErrnoException
    if (syscall !== 'listen' && syscall !== 'bind') throw cause
    throw new StartError(`cannot take mail over SMTP: ${message}`, { isFile: false, cause })
  }
}

function announce(daemon: Daemon, json: boolean): void {
  if (json) printLine(formatJson({ submission: daemon.addresses, pid: process.pid }))
  else printLine(readyText(daemon))
}

function readyText({ addresses }: Daemon): string {
  return addresses.length === 0 ? 'ready: queue only' : `ready: submission ${addresses.join(', ')}`
}

/** logrotate says SIGHUP; Windows has none to give. */
function onHangUp(reload: () => void): Disposable {
  process.on('SIGHUP', reload)
  return { [Symbol.dispose]: () => void process.off('SIGHUP', reload) }
}
