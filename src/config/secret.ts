/**
 * Where a password comes from. One rule: it is read when it is needed, and no setting, log or error carries it; so a new
 * one counts from the next login on.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError } from './errors.ts'

/** What says the password. */
export type SecretSource =
  /** The first line of a file, which may have no second one. */
  | { readonly kind: 'file'; readonly file: string }
  /** An environment variable. */
  | { readonly kind: 'variable'; readonly name: string }
  /** What systemd hands to a service: `LoadCredential=` of systemd.exec(5). */
  | { readonly kind: 'credential'; readonly name: string }
  /** The program that uses the library. */
  | { readonly kind: 'program'; readonly read: () => string | Promise<string> }

/**
 * Reads the password now.
 * @throws {ConfigError} it is not to be had, or is not one line of text; the message names where, never what
 */
export async function readSecret(
  source: SecretSource,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const secret = withoutLineEnd(await textOf(source, env))
  const where = nameOf(source)
  if (secret === '') throw new ConfigError(`Expected a password in ${where}, found nothing`)
  // RFC 4616 §2: NUL separates; a second line is a file of something else.
  if (/[\0\r\n]/.test(secret)) {
    throw new ConfigError(`Expected a password in ${where} that is one line, found more`)
  }
  return secret
}

async function textOf(
  source: SecretSource,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  switch (source.kind) {
    case 'file':
      return readText(source.file, nameOf(source))
    case 'variable':
      return env[source.name] ?? missing(`the variable ${source.name} is not set`)
    case 'credential': {
      const directory = env.CREDENTIALS_DIRECTORY
      if (directory === undefined) {
        return missing(
          `${nameOf(source)} needs a service with LoadCredential=, and CREDENTIALS_DIRECTORY is not set`,
        )
      }
      return readText(path.join(directory, source.name), nameOf(source))
    }
    case 'program':
      return givenText(await source.read())
    default:
      return source satisfies never
  }
}

/** A program in JavaScript may return anything. */
function givenText(value: unknown): string {
  return typeof value === 'string' ? value : missing('the function `password` did not return a string')
}

function missing(what: string): never {
  throw new ConfigError(`Cannot read a password: ${what}`)
}

async function readText(file: string, name: string): Promise<string> {
  try {
    // Some editors put a byte order mark first, as before a configuration file.
    return (await readFile(file, 'utf8')).replace(/^\ufeff/, '')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new ConfigError(`Cannot read the password in ${name}: ${code ?? message}`, { cause })
  }
}

function nameOf(source: SecretSource): string {
  switch (source.kind) {
    case 'file':
      return `the file ${source.file}`
    case 'variable':
      return `the variable ${source.name}`
    case 'credential':
      return `the credential ${source.name}`
    case 'program':
      return 'what the function `password` returns'
    default:
      return source satisfies never
  }
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}
