/**
 * What is wrong with options, in words. One rule: a problem names the key, what was expected and what was found, or the
 * unknown key; whoever knows where the key stands (a line, a variable) adds that.
 */
import type { z } from 'zod'
import { optionList } from './option-list.ts'
import { optionsSchema } from './schema.ts'
import { dkimKeys } from './schema-dkim.ts'
import { suggest } from './suggest.ts'

/** Where in the options: `['sourceAddresses', 0]`. Empty for the options as a whole. */
export type OptionPath = readonly (string | number)[]

/** One thing that is wrong. */
export interface Problem {
  readonly path: OptionPath
  /** A sentence about the option under the given name. */
  describe(name: string): string
}

/** The settings, or all that is wrong. */
export type Checked =
  | { readonly ok: true; readonly values: z.output<typeof optionsSchema> }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Holds `options` against the schema. */
export function checkOptions(options: unknown): Checked {
  const result = optionsSchema.safeParse(options)
  if (result.success) return { ok: true, values: result.data }
  return { ok: false, problems: result.error.issues.flatMap((issue) => problemsOf(issue, options)) }
}

/** `delivery.perSite`, `routes."example.org"`, `sourceAddresses[0]`. */
export function optionName(path: OptionPath): string {
  const keys = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`
    return /^[\w-]+$/.test(key) ? `.${key}` : `.${JSON.stringify(key)}`
  })
  return keys.join('').replace(/^\./, '')
}

function problemsOf(issue: z.core.$ZodIssue, options: unknown): Problem[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownOption([...path, key]))
  const found = path.at(-1) === 'password' ? 'something that is not shown' : show(valueAt(options, path))
  return [{ path, describe: (name) => `Expected ${quote(name)} to be ${issue.message}, got \`${found}\`` }]
}

const quote = (name: string) => (name === '' ? 'the options' : `\`${name}\``)

function unknownOption(path: OptionPath): Problem {
  const meant = suggestOption(path)
  const hint = meant === null ? '' : `; did you mean \`${meant}\`?`
  return { path, describe: (name) => `Unknown option \`${name}\`${hint}` }
}

/** A near name anywhere, or the same key in another section. */
function suggestOption(path: OptionPath): string | null {
  const [section, domain] = path
  if (section === 'dkim' && path.length === 3) return suggestKey(section, String(domain), String(path[2]))
  const names = optionList.map((option) => option.path.join('.'))
  const sections = optionList.map((option) => option.path[0] ?? '')
  const key = String(path.at(-1)).toLowerCase()
  const elsewhere = optionList.find((option) => option.path.at(-1)?.toLowerCase() === key)
  return suggest(path.join('.'), [...names, ...sections]) ?? elsewhere?.path.join('.') ?? null
}

function suggestKey(section: string, domain: string, key: string): string | null {
  const meant = suggest(key, dkimKeys)
  return meant === null ? null : optionName([section, domain, meant])
}

/** What stands there; `undefined` when nothing does. */
export function valueAt(value: unknown, path: OptionPath): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}

/** Longest value shown: a whole file pasted into an option shall not fill the screen. */
const maxShown = 100

function show(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'object' ? asJson(value) : String(value)
  return text.length <= maxShown ? text : `${text.slice(0, maxShown - 1)}…`
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return String(value)
  }
}
