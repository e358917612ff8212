/**
 * `mxpress demo`: the whole program at work within seconds, on this machine alone; needs no network, no privileges and
 * no fixed port. Ends with 0 only when every outcome is the one its domain promises, so it is a self-test too.
 */
import type { Command } from 'commander'
import { checkConfig } from '../agent-options.ts'
import { type CommonOptions, newCommand } from '../command.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { Stop } from '../stop.ts'
import { formatJson, noteLine, paintFor, printLine } from '../terminal.ts'
import { demonstrate } from './demonstration.ts'
import { demoLines } from './text.ts'

/** The command; sets `process.exitCode`. */
export function demoCommand(): Command {
  return newCommand({
    name: 'demo',
    summary: 'send one message into the sandbox and show what happens',
    description:
      'Starts the sandbox, sends one message to a dozen and more of its domains, and shows the dialogue of one of them and what became of every recipient. Needs no network and no privileges; takes a few seconds.',
    examples: ['mxpress demo', 'mxpress demo --json'],
  }).action(async (options: CommonOptions) => {
    await checkConfig(options)
    process.exitCode = await runDemo(options)
  })
}

async function runDemo({ json }: CommonOptions): Promise<ExitCode> {
  using stop = new Stop()
  const demonstration = await demonstrate(stop.signal).catch((error: unknown) => {
    if (stop.signal.aborted) return null
    throw error
  })
  if (demonstration === null) return stop.exitCode ?? exitCodes.interrupted
  if (json) printLine(formatJson(demonstration))
  else for (const line of demoLines(demonstration, paintFor(process.stdout))) printLine(line)
  const surprises = demonstration.comparisons.filter(({ isExpected }) => !isExpected)
  for (const { recipient, expected } of surprises) {
    noteLine(
      `mxpress: expected ${recipient.address} to be ${expected.outcome}, found ${recipient.outcome} ${recipient.status}`,
    )
  }
  return surprises.length === 0 ? exitCodes.ok : exitCodes.software
}
