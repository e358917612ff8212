/**
 * `mxpress queue`: look at and steer the queue, whether a daemon works on it or not. One rule: it never makes a queue; a
 * directory without one is most likely the wrong directory.
 */
import path from 'node:path'
import { type Command, Option } from 'commander'
import { resolveSettings } from '../../config/settings.ts'
import { DEAD, type EntryState, HELD, LEASED, type QueueEntry, READY } from '../../queue/entry.ts'
import { openSqliteQueue } from '../../queue/sqlite/store.ts'
import type { QueueStore } from '../../queue/store.ts'
import { type AgentOptionValues, addQueueOption, readAgentOptions } from '../agent-options.ts'
import { type CommandText, type CommonOptions, newCommand, newGroup } from '../command.ts'
import { UsageError } from '../errors.ts'
import type { ExitCode } from '../exit-code.ts'
import { given } from '../option-values.ts'
import { formatJson, paintFor, printLine } from '../terminal.ts'
import { historyDocument, statsDocument } from './json.ts'
import { listAsJson, listForPeople } from './list.ts'
import { addSelectorOptions, readSelectors, type SelectorOptions } from './selector.ts'
import { notQueued, type SteeringAct, steer } from './steer.ts'
import { historyLines, statsLines } from './text.ts'

type StoreOptions = CommonOptions & Pick<AgentOptionValues, 'queue'>

interface ListOptions extends StoreOptions, SelectorOptions {
  readonly state?: EntryState
  readonly dead?: true
}

/** The command with its subcommands; each sets `process.exitCode`. */
export function queueCommand(): Command {
  const command = newGroup({
    name: 'queue',
    summary: 'look at and steer the queue',
    description:
      'Looks at and steers the mail that waits; works while `mxpress serve` runs and while it does not.',
    examples: [
      'mxpress queue list',
      'mxpress queue show 2F7K-1',
      'mxpress queue retry --domain example.net --queue /var/lib/mxpress/queue',
    ],
  })
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(statsCommand())
  for (const act of ['retry', 'hold', 'release', 'cancel'] as const) command.addCommand(steeringCommand(act))
  return command
}

function listCommand(): Command {
  const command = newStoreCommand({
    name: 'queue list',
    summary: 'what waits',
    description:
      'Lists entries, one for each recipient of each message, oldest first. A `?` marks what may have arrived.',
    examples: [
      'mxpress queue list',
      'mxpress queue list --domain example.net',
      'mxpress queue list --dead --json',
    ],
  })
  return addSelectorOptions(command)
    .addOption(new Option('--state <state>', 'only these').choices([READY, LEASED, HELD, DEAD]))
    .addOption(new Option('--dead', 'only reports that could not be delivered').conflicts('state'))
    .action(async (options: ListOptions) => {
      const [selector = { kind: 'all' } as const, another] = readSelectors([], options)
      if (another !== undefined) throw new UsageError('expected one of --domain, --from and --to')
      const state = options.dead ? DEAD : options.state
      const listing = { selector, ...(state === undefined ? {} : { states: [state] }) }
      await using store = await open(options)
      await (options.json ? listAsJson : listForPeople)(store, listing)
    })
}

function showCommand(): Command {
  return newStoreCommand({
    name: 'queue show',
    summary: 'everything about one entry',
    description: 'Shows one entry with every attempt that was made for it.',
    examples: ['mxpress queue show 2F7K-1'],
  })
    .argument('<id>', 'as `queue list` shows it; without its last part if the message has one recipient')
    .action(async (id: string, options: StoreOptions) => {
      await using store = await open(options)
      const entry = await find(store, id)
      const history = await store.history(entry.id)
      if (options.json) printLine(formatJson(historyDocument(entry, history)))
      else {
        const paint = paintFor(process.stdout)
        for (const line of historyLines(entry, history, { now: Date.now(), paint })) printLine(line)
      }
    })
}

function statsCommand(): Command {
  return newStoreCommand({
    name: 'queue stats',
    summary: 'how much waits, and for whom',
    description: 'Counts entries by state and shows the sites for which most of them wait.',
    examples: ['mxpress queue stats', 'mxpress queue stats --json'],
  }).action(async (options: StoreOptions) => {
    await using store = await open(options)
    const stats = await store.stats()
    if (options.json) printLine(formatJson(statsDocument(stats)))
    else for (const line of statsLines(stats, Date.now(), paintFor(process.stdout))) printLine(line)
  })
}

const acts: Readonly<Record<SteeringAct, Pick<CommandText, 'summary' | 'description'>>> = {
  retry: {
    summary: 'try now',
    description: 'Makes entries due now, dead ones too, and forgets that their sites were in trouble.',
  },
  hold: {
    summary: 'do not try until released',
    description: 'Keeps entries from being tried; they do not expire while they are held.',
  },
  release: { summary: 'end a hold', description: 'Makes held entries due now.' },
  cancel: {
    summary: 'remove for good',
    description: 'Removes entries that are not being delivered just now; nobody is told.',
  },
}

function steeringCommand(act: SteeringAct): Command {
  const command = newStoreCommand({
    name: `queue ${act}`,
    ...acts[act],
    examples: [`mxpress queue ${act} 2F7K-1`, `mxpress queue ${act} --domain example.net`],
  })
  return addSelectorOptions(command)
    .argument('[id...]', 'entries, or messages with all their entries')
    .action(async (ids: readonly string[], options: StoreOptions & SelectorOptions) => {
      const selectors = readSelectors(ids, options)
      if (selectors.length === 0) throw new UsageError('expected an id, --domain, --from, --to or --all')
      process.exitCode = await steerIn(options, { act, selectors, json: options.json === true })
    })
}

async function steerIn(options: StoreOptions, command: Parameters<typeof steer>[1]): Promise<ExitCode> {
  await using store = await open(options)
  return await steer(store, command)
}

function newStoreCommand(text: CommandText): Command {
  return addQueueOption(newCommand(text))
}

async function open(options: StoreOptions): Promise<QueueStore> {
  const { config, queue } = options
  const settings = resolveSettings(await readAgentOptions(given({ config, queue })))
  return await openSqliteQueue(path.resolve(settings.queue.dir), { create: false })
}

/** @throws {NotQueuedError} {UsageError} for a message with several recipients */
async function find(store: QueueStore, id: string): Promise<QueueEntry> {
  const { entries } = await store.list({ selector: { kind: 'id', id }, limit: 3 })
  const [entry, another] = entries
  if (entry === undefined) throw notQueued(id)
  if (another === undefined) return entry
  const some = entries.map((one) => one.id).join(', ')
  throw new UsageError(`${id} has several recipients; expected one of ${some}, …`)
}
