/**
 * Files and standard input named on the command line. One rule: whatever cannot be read is found out here, before
 * anything is connected to, and the message names the option and the file.
 */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { getSystemErrorMessage } from 'node:util'
import { collect, readBounded, TooLargeError } from '../files/read-bounded.ts'
import { InputDataError, InputFileError, UsageError } from './errors.ts'

/** What stands for standard input where a file is asked for. */
export const STDIN = '-'

/** A file as an option names it. */
export interface NamedFile {
  /** With its dashes: `--raw`. */
  readonly option: string
  readonly path: string
}

/**
 * Standard input can be read once.
 * @throws {UsageError} when more than one option asks for it.
 */
export function checkStandardInput(files: readonly NamedFile[]): void {
  const readers = files.filter(({ path }) => path === STDIN).map(({ option }) => `${option} ${STDIN}`)
  if (readers.length > 1) {
    throw new UsageError(`only one option can read standard input, found ${readers.join(' and ')}`)
  }
}

/** The octets of a file. @throws {InputFileError} */
export async function readOctets(file: NamedFile): Promise<Buffer> {
  try {
    return file.path === STDIN ? await collect(process.stdin) : await readBounded(file.path)
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** The text of a file. @throws {InputFileError} {InputDataError} when it is not UTF-8. */
export async function readText(file: NamedFile): Promise<string> {
  const octets = await readOctets(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch (error) {
    throw noText(file, octets, error)
  }
}

/** What to say of a file that is not UTF-8; `beginning` are its first octets. */
export function noText({ option, path }: NamedFile, beginning: Uint8Array, cause: unknown): InputDataError {
  const [first, second] = beginning
  // A byte order mark, as some editors of Windows save "Unicode".
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  const found = isUtf16 ? 'UTF-16: save it as UTF-8' : 'other octets'
  return new InputDataError(`${option} ${path}: expected text in UTF-8, found ${found}`, { cause })
}

/** Makes sure that a file can be read later. @throws {InputFileError} */
export async function checkReadable(file: NamedFile): Promise<void> {
  const stats = await access(file.path, constants.R_OK)
    .then(() => stat(file.path))
    .catch((error: unknown) => {
      throw unreadable(file, error)
    })
  if (stats.isDirectory()) throw foundDirectory(file)
}

function foundDirectory({ option, path }: NamedFile, options?: ErrorOptions): InputFileError {
  return new InputFileError(`${option} ${path}: expected a file, found a directory`, options)
}

/** What to say of a file that cannot be read. */
export function unreadable(file: NamedFile, error: unknown): InputFileError {
  const { option, path } = file
  if ((error as NodeJS.ErrnoException).code === 'EISDIR') return foundDirectory(file, { cause: error })
  // An empty variable of a shell script, as a rule.
  if (path === '') return new InputFileError(`${option} '': expected the name of a file`, { cause: error })
  const name = path === STDIN ? 'standard input' : path
  return new InputFileError(`${option} ${name}: cannot be read: ${reasonOf(error)}`, { cause: error })
}

function reasonOf(error: unknown): string {
  if (error instanceof TooLargeError) return error.message
  const { errno } = error as NodeJS.ErrnoException
  return errno === undefined ? String(error) : getSystemErrorMessage(errno)
}
