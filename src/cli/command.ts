/**
 * What all commands have in common: how they are called, how they say what is wrong with the call, and the options
 * that every one of them takes.
 */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { UsageError } from './errors.ts'
import { complaintText } from './terminal.ts'

// The same two steps up from src/cli/ and from dist/cli/.
const packageFile = new URL('../../package.json', import.meta.url)

/** The version of the package. */
export const version: string = JSON.parse(readFileSync(packageFile, 'utf8')).version

/** Options that every command takes. */
export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
}

/** What `--help` says of a command. */
export interface CommandText {
  /** With the words before it: `send`, `queue list`. */
  readonly name: string
  readonly summary: string
  readonly description: string
  /** Shown under `Examples:`; a line break within one goes behind a backslash, as in a shell. */
  readonly examples: readonly string[]
}

/** A command with help, `--version`, `--config` and `--json`; with no positional arguments but those declared on it. */
export function newCommand({ name, summary, description, examples }: CommandText): Command {
  return bareCommand(name.split(' ').at(-1) ?? name)
    .summary(summary)
    .description(description)
    .option('--config <file>', 'configuration instead of ./mxpress.toml or /etc/mxpress/mxpress.toml')
    .option('--json', 'one JSON document on standard output and nothing else there')
    .showHelpAfterError(`(mxpress ${name} --help tells more)`)
    .hook('preAction', (_program, command) => refuseArguments(command, name))
    .addHelpText('after', examplesText(examples))
}

/** A command that is nothing but its subcommands. */
export function newGroup({ name, summary, description, examples }: CommandText): Command {
  return bareCommand(name)
    .summary(summary)
    .description(description)
    .showHelpAfterError(`(mxpress ${name} --help tells more)`)
    .addHelpText('after', examplesText(examples))
}

/** The end of a help text. */
export function examplesText(examples: readonly string[]): string {
  const lines = examples.flatMap((example) => example.split('\n'))
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
}

/** A command that throws instead of ending the process, so that `exit-code.ts` alone decides how it ends. */
export function bareCommand(name: string): Command {
  return new Command(name)
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .exitOverride()
    .allowExcessArguments()
    .configureOutput({
      outputError: (text, write) => write(complaintText(text.replace(/^error: /, 'mxpress: '))),
    })
}

// commander would only count them; a usage error names the offending text.
function refuseArguments({ args, registeredArguments }: Command, name: string): void {
  if (registeredArguments.some(({ variadic }) => variadic)) return
  const extra = args[registeredArguments.length]
  if (extra !== undefined)
    throw new UsageError(`unexpected argument '${extra}' (mxpress ${name} --help tells more)`)
}
