/**
 * What `mxpress probe` asks about: arguments, then the lines of `--file`. One rule: what can be checked before anything is
 * connected to is; a stream cannot be read twice, so there a malformed line is named, left out, and paid for at the end.
 */
import { stat } from 'node:fs/promises'
import { escapeText } from '../../log/escape.ts'
import { AddressError } from '../../mail/address-error.ts'
import { parseProbeTarget } from '../../probe/target.ts'
import { InputDataError, UsageError } from '../errors.ts'
import { checkReadable, type NamedFile, STDIN } from '../input.ts'
import { type Line, linesOf } from '../line-input.ts'
import { noteLine } from '../terminal.ts'

/** The targets of one call. */
export class ProbeTargets implements AsyncIterable<string> {
  readonly #args: readonly string[]
  readonly #file: NamedFile | null
  /** How many there are; `null` for a stream, whose end nobody knows. */
  readonly total: number | null
  /** Lines that were left out. */
  malformed = 0

  private constructor(args: readonly string[], file: NamedFile | null, total: number | null) {
    this.#args = args
    this.#file = file
    this.total = total
  }

  /** @throws {UsageError} {InputFileError} {InputDataError} */
  static async check(args: readonly string[], path: string | undefined): Promise<ProbeTargets> {
    if (args.length === 0 && path === undefined)
      throw new UsageError('a target is missing: which address or domain is to be probed?')
    for (const text of args) checkArgument(text)
    if (path === undefined) return new ProbeTargets(args, null, args.length)
    const file = { option: '--file', path }
    if (path !== STDIN) await checkReadable(file)
    const isStream = path === STDIN || !(await stat(path)).isFile()
    return new ProbeTargets(args, file, isStream ? null : args.length + (await checkLines(file)))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    yield* this.#args
    if (this.#file === null) return
    for await (const line of linesOf(this.#file)) {
      const target = targetOf(line)
      if (target === null) continue
      const problem = problemOf(target)
      if (problem === null) yield target
      else {
        this.malformed++
        const text = escapeText(complaint(this.#file, line, problem), { context: 'complaint' })
        noteLine(`mxpress: ${text}; left out`)
      }
    }
  }
}

function checkArgument(text: string): void {
  const problem = problemOf(text)
  if (problem !== null) throw new UsageError(problem)
}

/** @returns how many targets the file holds */
async function checkLines(file: NamedFile): Promise<number> {
  let targets = 0
  for await (const line of linesOf(file)) {
    const target = targetOf(line)
    if (target === null) continue
    const problem = problemOf(target)
    if (problem !== null) throw new InputDataError(complaint(file, line, problem))
    targets++
  }
  return targets
}

/** A target a line; blank lines, and what follows a `#` at the beginning of one, are for people. */
function targetOf({ text }: Line): string | null {
  const trimmed = text.trim()
  return trimmed === '' || trimmed.startsWith('#') ? null : trimmed
}

function problemOf(text: string): string | null {
  try {
    parseProbeTarget(text)
    return null
  } catch (error) {
    if (error instanceof AddressError) return error.message
    throw error
  }
}

function complaint({ option, path }: NamedFile, { number }: Line, problem: string): string {
  return `${option} ${path}: line ${number}: ${problem}`
}
