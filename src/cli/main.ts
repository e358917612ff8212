/** From the command line to an exit code. Each command has a file of its own; nothing about mail is decided here. */
import type { Command } from 'commander'
import { bareCommand, examplesText } from './command.ts'
import { demoCommand } from './demo/demo.ts'
import { dkimCommand } from './dkim/dkim.ts'
import { doctorCommand } from './doctor/doctor.ts'
import { exitCodeOfError, exitCodes, isDefect, isReported } from './exit-code.ts'
import { probeCommand } from './probe/probe.ts'
import { queueCommand } from './queue/queue.ts'
import { sandboxCommand } from './sandbox.ts'
import { sendCommand } from './send/send.ts'
import { sendmailCommand } from './sendmail/sendmail.ts'
import { serveCommand } from './serve.ts'
import { talkCommand } from './talk/talk.ts'
import { complaintText, noteLine, outliveReaders } from './terminal.ts'
import { userCommand } from './user.ts'

/**
 * Runs one command and sets `process.exitCode`; never rejects.
 * @param argv as `process.argv`: the program's name stands third.
 */
export async function main(argv: readonly string[]): Promise<void> {
  outliveReaders()
  process.on('uncaughtException', (error) => {
    complain(error)
    process.exit(exitCodes.software)
  })
  try {
    await newProgram().parseAsync(argv)
  } catch (error) {
    process.exitCode = exitCodeOfError(error)
    if (!isReported(error)) complain(error)
  }
}

/** The program with all its commands. */
export function newProgram(): Command {
  return bareCommand('mxpress')
    .description('Delivers mail straight to the recipients’ own servers.')
    .showHelpAfterError('(mxpress --help tells more)')
    .addHelpText('after', examplesText(['mxpress demo', 'mxpress send --help']))
    .addCommand(sendCommand())
    .addCommand(probeCommand())
    .addCommand(doctorCommand())
    .addCommand(serveCommand())
    .addCommand(queueCommand())
    .addCommand(sendmailCommand())
    .addCommand(userCommand())
    .addCommand(dkimCommand())
    .addCommand(talkCommand())
    .addCommand(sandboxCommand())
    .addCommand(demoCommand())
}

function complain(error: unknown): void {
  const text = isDefect(error) ? defectText(error) : error instanceof Error ? error.message : String(error)
  noteLine(`mxpress: ${complaintText(text)}`)
}

function defectText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${text}\nThis is a defect of mxpress itself. Please report it with the lines above and the command that led to it.`
}
