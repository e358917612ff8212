/**
 * Lines of a file or of standard input, one by one. One rule: memory does not grow with the input, be it one line without
 * an end.
 */
import { createReadStream } from 'node:fs'
import { InputDataError } from './errors.ts'
import { type NamedFile, noText, STDIN, unreadable } from './input.ts'

/** A line with its number, from 1. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** No address, no domain and no comment that anybody reads is longer. */
const MAX_LINE_LENGTH = 10_000

/**
 * The lines without their ends, CRLF or LF; a byte order mark is dropped.
 * @throws {InputFileError} {InputDataError} for what is not UTF-8, or a line that is too long.
 */
export async function* linesOf(file: NamedFile): AsyncGenerator<Line, void, undefined> {
  let pending = ''
  let number = 0
  for await (const text of textOf(file)) {
    const lines = (pending + text).split('\n')
    pending = lines.pop() ?? ''
    if (pending.length > MAX_LINE_LENGTH) throw tooLong(file, number + 1)
    for (const line of lines) yield { number: ++number, text: line.replace(/\r$/, '') }
  }
  if (pending !== '') yield { number: ++number, text: pending.replace(/\r$/, '') }
}

async function* textOf(file: NamedFile): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let beginning: Uint8Array = new Uint8Array()
  const decode = (octets?: Uint8Array): string => {
    if (beginning.length === 0 && octets !== undefined) beginning = octets
    try {
      return octets === undefined ? decoder.decode() : decoder.decode(octets, { stream: true })
    } catch (cause) {
      throw noText(file, beginning, cause)
    }
  }
  for await (const octets of octetsOf(file)) yield decode(octets)
  yield decode()
}

async function* octetsOf(file: NamedFile): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* file.path === STDIN ? process.stdin : createReadStream(file.path)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function tooLong({ option, path }: NamedFile, number: number): InputDataError {
  return new InputDataError(`${option} ${path}: line ${number} is longer than ${MAX_LINE_LENGTH} characters`)
}
