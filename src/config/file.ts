/**
 * The configuration file, and the variables over it.
 * One rule: everything in it is checked where it stands, so that a complaint can name the line.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { type Environment, readEnvironment } from './environment.ts'
import { ConfigError } from './errors.ts'
import { findKeyLine } from './key-line.ts'
import { mergeOptions } from './merge.ts'
import { optionList } from './option-list.ts'
import type { AgentOptions } from './options.ts'
import { checkOptions, type OptionPath, optionName, type Problem, valueAt } from './problems.ts'

/** Where to look. */
export interface LoadConfigOptions {
  /** The file to read instead of the usual ones; must exist. */
  readonly file?: string | undefined
  /** Default: the working directory. */
  readonly cwd?: string
  /** Default: the process's own. */
  readonly env?: Environment
  /** File asked for when there is none in `cwd`. Default `/etc/mxpress/mxpress.toml`. */
  readonly systemFile?: string
  /** Told of `MXPRESS_*` variables that are none of ours. Default: they are an error. */
  readonly onUnknownVariable?: ((complaint: string) => void) | undefined
}

/** What was found. */
export interface LoadedConfig {
  /** File and variables together; put the command line's over them with `mergeOptions`. */
  readonly options: AgentOptions
  /** The file they are from, as it would be opened; `null` when there was none. */
  readonly file: string | null
}

/**
 * Reads `mxpress.toml` of the directory, else `/etc/mxpress/mxpress.toml`, else nothing; `MXPRESS_*` variables win.
 * @throws {ConfigError} A file that was named cannot be read; a file or variable is malformed or has an unknown key.
 */
export async function loadConfig(where: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { cwd = process.cwd(), env = process.env, systemFile = '/etc/mxpress/mxpress.toml' } = where
  const source =
    where.file === undefined
      ? await firstOf([path.join(cwd, 'mxpress.toml'), systemFile])
      : await named(where.file, cwd)
  const fromFile = source === null ? {} : parseConfig(source.toml, source.name)
  return {
    options: mergeOptions(fromFile, readEnvironment(env, where.onUnknownVariable)),
    file: source?.file ?? null,
  }
}

/** A file's text, and its name for messages. */
interface Source {
  readonly file: string
  readonly name: string
  readonly toml: string
}

async function named(name: string, cwd: string): Promise<Source> {
  const file = path.resolve(cwd, name)
  const toml = await read(file, name)
  if (toml === null) throw new ConfigError(`Cannot read the configuration ${name}: there is no such file`)
  return { file, name, toml }
}

async function firstOf(files: readonly string[]): Promise<Source | null> {
  for (const file of files) {
    const toml = await read(file, file)
    if (toml !== null) return { file, name: file, toml }
  }
  return null
}

/** `null` when the file does not exist. One that exists and cannot be read is never passed over. */
async function read(file: string, name: string): Promise<string | null> {
  try {
    const text = await readFile(file, 'utf8')
    return text.replace(/^\ufeff/, '')
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new ConfigError(`Cannot read the configuration ${name}: ${whyUnreadable(code)}`, { cause: error })
  }
}

/** Every user who hands in mail by `sendmail` reads it, which is why no password stands in it. */
function whyUnreadable(code: string): string {
  if (code === 'EISDIR') return 'EISDIR, it is a directory'
  if (code !== 'EACCES') return code
  return 'EACCES, the user that runs mxpress may not. It holds no secrets: let everybody read it'
}

/**
 * The options in a TOML document.
 * @param name of the file, for messages
 * @throws {ConfigError} one line for each thing that is wrong: file, line, key, what was expected and found.
 */
export function parseConfig(toml: string, name: string): AgentOptions {
  const options = parseToml(toml, name)
  const checked = checkOptions(options)
  const problems = [...(checked.ok ? [] : checked.problems), ...unitlessNumbers(options)]
  if (problems.length === 0) return options
  const complaints = problems.map((problem) => {
    const line = findKeyLine(toml, problem.path)
    return `${name}${line === null ? '' : `:${line}`}: ${problem.describe(optionName(problem.path))}`
  })
  throw new ConfigError(complaints.join('\n'))
}

/** In a file `mail = 5` says nothing of minutes or milliseconds; a program that passes a number has read the docs. */
function unitlessNumbers(options: unknown): readonly Problem[] {
  return texts(options).flatMap((path) => {
    const value = valueAt(options, path)
    if (typeof value !== 'number') return []
    const describe = (option: string): string =>
      `Expected \`${option}\` to be written with its unit, such as "5m" or "10MB", got \`${value}\``
    return [{ path, describe }]
  })
}

/** Where text is expected; each domain of `dkim` is a table of its own. */
function texts(options: unknown): readonly OptionPath[] {
  const fixed = optionList.flatMap(({ path, kind }) => (kind === 'text' ? [path] : []))
  const domains = Object.keys(valueAt(options, ['dkim']) ?? {})
  return [...fixed, ...domains.map((domain) => ['dkim', domain, 'expire'])]
}

function parseToml(toml: string, name: string): AgentOptions {
  try {
    return parse(toml)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [what] = error.message.split('\n')
    throw new ConfigError(`${name}:${error.line}: ${what} (column ${error.column})`, { cause: error })
  }
}
