/**
 * A script looked through before anybody is connected to. One rule: what is certainly wrong is found here, with the number
 * of its line; what depends on the server is not guessed at.
 */
import { TalkInputError } from './errors.ts'
import { type Expectation, meets } from './expectation.ts'
import { type Input, parseInput } from './input.ts'

/** Lines without their ends; the last one may lack its own. */
export function linesOfScript(text: string): readonly string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** The files that it names. @throws {TalkInputError} naming the line */
export function checkScript(lines: readonly string[]): readonly string[] {
  const files: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const input = parseAt(lines, at)
    if (input.kind === 'data' || input.kind === 'bdat') files.push(input.file)
    if (input.kind !== 'command' || !/^data\s*$/i.test(input.line) || isRefusalExpected(lines[at + 1]))
      continue
    const end = lines.indexOf('.', at)
    if (end === -1)
      throw new TalkInputError(`line ${at + 1}: expected a line with a single dot behind DATA, found none`)
    at = end
  }
  return files
}

function parseAt(lines: readonly string[], at: number): Input {
  try {
    return parseInput(lines[at] ?? '')
  } catch (error) {
    if (error instanceof TalkInputError)
      throw new TalkInputError(`line ${at + 1}: ${error.message}`, { cause: error })
    throw error
  }
}

function isRefusalExpected(next: string | undefined): boolean {
  const expectation = expectationOf(next ?? '')
  return (
    expectation !== null &&
    !meets(
      { code: 354, status: null, lines: [expectation.kind === 'reply' ? expectation.text : ''] },
      expectation,
    )
  )
}

/** What a line behind DATA expects; `null` when it is something else. */
export function expectationOf(line: string): Expectation | null {
  if (!/^:\s*expect\s/i.test(line)) return null
  const input = parseInput(line)
  return input.kind === 'expect' ? input.expectation : null
}
