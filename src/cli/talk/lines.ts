/** Where the lines of `mxpress talk` come from: a person at a terminal, or a pipe. */
import { createInterface, type Interface } from 'node:readline'
import { directives } from '../../talk/input.ts'
import { InputDataError } from '../errors.ts'

/** Commands that the tabulator completes. */
const verbs = [
  'EHLO ',
  'HELO ',
  'MAIL FROM:<',
  'RCPT TO:<',
  'DATA',
  'BDAT ',
  'RSET',
  'NOOP',
  'VRFY ',
  'STARTTLS',
  'AUTH ',
  'HELP',
  'QUIT',
]
const words = [...verbs, ...directives.flatMap(({ usage }) => usage.replace(/[A-Z[].*$/, '') || [])]

/** The terminal with line editing and history. Close it. */
export function openTerminal(): Interface {
  return createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    prompt: 'C: ',
    historySize: 500,
    completer: (line: string) => [
      words.filter((word) => word.toLowerCase().startsWith(line.toLowerCase())),
      line,
    ],
  })
}

/** The lines of standard input, each as soon as it is there. @throws {InputDataError} for what is not UTF-8 */
export async function* pipedLines(): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  try {
    for await (const chunk of process.stdin) {
      const lines = `${rest}${decoder.decode(chunk as Uint8Array, { stream: true })}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield line.replace(/\r$/, '')
    }
    rest += decoder.decode()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new InputDataError(
      'standard input: expected text in UTF-8, found other octets; `:data FILE` sends any',
      { cause: error },
    )
  }
  if (rest !== '') yield rest.replace(/\r$/, '')
}
