/**
 * Writing to people and to other programs. One rule: a reader that goes away (`| head`) costs the reader the rest of
 * the text and never a recipient his mail, so a broken pipe is noted and writing goes on into nothing.
 */
import { styleText } from 'node:util'
import { escapeText } from '../log/escape.ts'
import { exitCodes } from './exit-code.ts'

/** Names of `util.inspect.colors` that are used here. */
export type Style = 'green' | 'yellow' | 'red' | 'bold' | 'dim' | 'cyan'

/** Colours text for a stream; gives it back unchanged where colour is not wanted. */
export type Paint = (style: Style, text: string) => string

/** Colours for a terminal, none elsewhere; `NO_COLOR` and `FORCE_COLOR` are obeyed (`util.styleText` asks them). */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream })
}

/** Leaves text as it is. */
export const plain: Paint = (_style, text) => text

/**
 * Takes away what a failing output would do: end the program in the middle of a delivery. Call once, first of all. A
 * reader that left is no error; a disk that took no more is said once, and ends with 73 what would have ended with 0.
 */
export function outliveReaders(): void {
  let isSaid = false
  const outlive = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE' || isSaid) return
    isSaid = true
    process.once('exit', (code) => {
      if (code === exitCodes.ok) process.exitCode = exitCodes.cannotCreate
    })
    noteLine(
      `mxpress: the output could not be written (${error.code}); what was to be done was done all the same`,
    )
  }
  for (const stream of [process.stdout, process.stderr]) stream.on('error', outlive)
}

/** One line for people or programs on standard output. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

/**
 * Text of any length on standard output, as fast as the reader takes it. @returns whether there still is a reader: who
 * prints a million lines may stop when there is none
 */
export function printText(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => resolve(error === null || error === undefined))
  })
}

/** One line beside the result, for people. */
export function noteLine(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** A message of ours for a terminal, of one line or several; what it quotes is harmless and not escaped twice. */
export function complaintText(text: string): string {
  return text
    .split('\n')
    .map((line) => escapeText(line, { context: 'complaint' }))
    .join('\n')
}

/** What somebody should put right some day, beside the result. */
export function warn(text: string): void {
  noteLine(`mxpress: warning: ${escapeText(text, { context: 'complaint' })}`)
}

// JSON leaves DEL, C1 controls (U+009B begins a terminal sequence) and direction marks as they are.
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** The one JSON document of a command; the same value for every parser, harmless on a terminal. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    UNSAFE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
