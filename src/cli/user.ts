/** `mxpress user`: who may hand in mail from elsewhere. One rule: a password is read, never given as an argument. */
import type { Command } from 'commander'
import { resolveSettings } from '../config/settings.ts'
import { hashPassword } from '../submission/password.ts'
import { isUserName, putUser, readUsers, removeUser } from '../submission/users-file.ts'
import { readAgentOptions } from './agent-options.ts'
import { type CommonOptions, newCommand, newGroup } from './command.ts'
import { InputDataError, UsageError } from './errors.ts'
import { given } from './option-values.ts'
import { readNewPassword } from './password-input.ts'
import { formatJson, printLine } from './terminal.ts'

/** The command with its subcommands. */
export function userCommand(): Command {
  return newGroup({
    name: 'user',
    summary: 'say who may log in to hand in mail',
    description:
      'Keeps the users file that `mxpress serve` asks when a client logs in; a change counts at once. FILE is ' +
      'submission.usersFile of the configuration unless it is named.',
    examples: ['mxpress user add alice', 'mxpress user list /etc/mxpress/users'],
  })
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(listCommand())
}

function addCommand(): Command {
  return newCommand({
    name: 'user add',
    summary: 'add a user, or change a password',
    description:
      'Adds a user or gives one another password, which is asked for, or is the first line of standard input.',
    examples: ['mxpress user add alice', 'pass show mail/alice | mxpress user add alice /etc/mxpress/users'],
  })
    .argument('<name>')
    .argument('[file]')
    .action(async (name: string, file: string | undefined, options: CommonOptions) => {
      if (!isUserName(name))
        throw new UsageError(`'${name}': expected a name without blanks, colons and control characters`)
      const users = await usersFile(file, options)
      const isNew = await putUser(users, name, await hashPassword(await readNewPassword()))
      say(
        options,
        { user: name, change: isNew ? 'added' : 'changed' },
        isNew ? `${name} added` : `${name}: password changed`,
      )
    })
}

function removeCommand(): Command {
  return newCommand({
    name: 'user remove',
    summary: 'take a user out',
    description: 'Takes a user out, who cannot log in from then on.',
    examples: ['mxpress user remove alice'],
  })
    .argument('<name>')
    .argument('[file]')
    .action(async (name: string, file: string | undefined, options: CommonOptions) => {
      const users = await usersFile(file, options)
      if (!(await removeUser(users, name))) throw new InputDataError(`no user '${name}' in ${users}`)
      say(options, { user: name, change: 'removed' }, `${name} removed`)
    })
}

function listCommand(): Command {
  return newCommand({
    name: 'user list',
    summary: 'who there is',
    description: 'Prints the names, one a line.',
    examples: ['mxpress user list', 'mxpress user list --json'],
  })
    .argument('[file]')
    .action(async (file: string | undefined, options: CommonOptions) => {
      const names = [...(await readUsers(await usersFile(file, options))).keys()]
      if (options.json) printLine(formatJson({ users: names }))
      else for (const name of names) printLine(name)
    })
}

async function usersFile(named: string | undefined, { config }: CommonOptions): Promise<string> {
  if (named !== undefined) return named
  const { submission } = resolveSettings(await readAgentOptions(given({ config })))
  if (submission.usersFile !== null) return submission.usersFile
  throw new UsageError('no users file: name one, or set submission.usersFile in the configuration')
}

function say({ json }: CommonOptions, document: object, sentence: string): void {
  printLine(json ? formatJson(document) : sentence)
}
