/**
 * Options from `MXPRESS_*` variables: `delivery.perSite` is `MXPRESS_DELIVERY_PER_SITE`.
 * One rule: a variable that begins with `MXPRESS_` and is none of ours is an error, as an unknown key in the file is;
 * unless the caller says otherwise, because whoever starts him has not set the variables for him.
 */
import { ConfigError } from './errors.ts'
import { mergeOptions, type OptionTree } from './merge.ts'
import { type OptionEntry, type OptionKind, optionList } from './option-list.ts'
import type { AgentOptions } from './options.ts'
import { checkOptions, type OptionPath } from './problems.ts'
import { suggest } from './suggest.ts'

/** Variables as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

const prefix = 'MXPRESS_'

const variables: ReadonlyMap<string, OptionEntry> = new Map(
  optionList.flatMap((option) => (option.path[0] === 'dkim' ? [] : [[variableName(option.path), option]])),
)

/** A domain has a table of its own, and its name says nothing in capitals and underscores. */
const ofDkim = /^MXPRESS_DKIM(?:_|$)/

/**
 * The options that the variables set. Lists and routes are comma-separated (`example.org=10.0.0.5:2525,…`); booleans
 * are `true`, `false`, `yes`, `no`, `1` or `0`; an empty variable is as if not set.
 * @param onUnknown told of each variable that is unknown; default: that is an error too
 * @throws {ConfigError} naming each variable that is unknown or has a wrong value.
 */
export function readEnvironment(env: Environment, onUnknown?: (complaint: string) => void): AgentOptions {
  const given = Object.entries(env).filter(([name, value]) => name.startsWith(prefix) && value)
  const unknown = given.flatMap(([name]) => (variables.has(name) ? [] : unknownVariable(name)))
  const complaints = onUnknown === undefined ? unknown : []
  if (onUnknown !== undefined) unknown.forEach((complaint) => void onUnknown(complaint))
  const options = mergeOptions(...given.map(([name, text]) => readVariable(name, text ?? '')))
  const checked = checkOptions(options)
  if (!checked.ok) complaints.push(...checked.problems.map(({ path, describe }) => describe(nameOf(path))))
  if (complaints.length > 0) throw new ConfigError(complaints.join('\n'))
  return options
}

function variableName(path: readonly string[]): string {
  return prefix + path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')
}

function nameOf(path: OptionPath): string {
  const option = optionList.find((entry) => entry.path.every((key, index) => key === path[index]))
  return option === undefined ? path.join('.') : variableName(option.path)
}

function unknownVariable(name: string): string {
  if (ofDkim.test(name)) {
    return `Unknown variable \`${name}\`; the keys of a domain stand in the configuration file: a table [dkim."example.org"] with \`selector\` and \`keyFile\``
  }
  const meant = suggest(name, [...variables.keys()])
  return `Unknown variable \`${name}\`${meant === null ? '' : `; did you mean \`${meant}\`?`}`
}

function readVariable(name: string, text: string): OptionTree {
  const option = variables.get(name)
  if (option === undefined) return {}
  return option.path.reduceRight<unknown>(
    (value, key) => ({ [key]: value }),
    readers[option.kind](text),
  ) as OptionTree
}

/** What cannot be read stays text: the schema then says what was expected instead. */
const readers: Readonly<Record<OptionKind, (text: string) => unknown>> = {
  text: (text) => text,
  number: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
  boolean: (text) => booleans.get(text.toLowerCase()) ?? text,
  list: (text) => parts(text),
  table: (text) => {
    const pairs = parts(text).map((part) => part.split(/=(.*)/s).map((side) => side.trim()))
    return pairs.every((pair) => pair.length > 1) ? Object.fromEntries(pairs) : text
  },
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
])

function parts(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
