/**
 * One line of what a person types, or a script holds: a command for the server as it stands, or a word to us behind a
 * colon, with which no SMTP command begins.
 *
 * One rule: inside content everything is for the server, and so is what answers AUTH; this file is asked in between only.
 */
import { durationForms, readDelay } from '../config/duration.ts'
import { TalkInputError } from './errors.ts'
import { type Expectation, expectationForms, parseExpectation } from './expectation.ts'

/** What a line asks for. */
export type Input =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'command'; readonly line: string }
  | { readonly kind: 'ehlo' }
  | { readonly kind: 'expect'; readonly expectation: Expectation }
  | { readonly kind: 'send'; readonly octets: Buffer }
  | { readonly kind: 'data' | 'bdat'; readonly file: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'help' }
  | { readonly kind: 'drop' }

/** A directive of ours: how it is written, and what it does. */
export interface Directive {
  readonly name: string
  readonly usage: string
  readonly meaning: string
}

/** All of them, in the order in which help shows them. */
export const directives: readonly Directive[] = [
  { name: 'ehlo', usage: ':ehlo', meaning: 'EHLO with the name that mail from here is sent under' },
  { name: 'expect', usage: ':expect CODE [TEXT]', meaning: 'judge the oldest reply that is not judged yet:' },
  { name: 'expect', usage: '', meaning: '250 · 250|251 · 2xx · 550 5.1.1 · any · close' },
  { name: 'data', usage: ':data FILE', meaning: 'DATA with the file: CRLF line ends, dots doubled' },
  { name: 'bdat', usage: ':bdat FILE', meaning: 'BDAT … LAST with the file: CRLF line ends' },
  { name: 'send', usage: ':send TEXT', meaning: 'the text as it is, no line end added, no waiting;' },
  { name: 'send', usage: '', meaning: '\\r \\n \\t \\0 \\xNN \\\\ stand for octets' },
  { name: 'wait', usage: ':wait DURATION', meaning: 'say nothing for that long, such as 250ms or 30s' },
  { name: 'drop', usage: ':drop', meaning: 'break the connection without QUIT' },
  { name: 'help', usage: ':help', meaning: 'this list' },
]

/** The names, each once. */
const names = [...new Set(directives.map(({ name }) => name))]

/** The list as lines for people. */
export function directiveLines(): readonly string[] {
  return directives.map(({ usage, meaning }) => `  ${usage.padEnd(22)}${meaning}`)
}

/** Reads a line without its line end. @throws {TalkInputError} */
export function parseInput(line: string): Input {
  if (line.trim() === '' || line.startsWith('#')) return { kind: 'nothing' }
  if (!line.startsWith(':')) return { kind: 'command', line }
  const [, name = '', argument = ''] = /^:\s*(\S*)(?:\s(.*))?$/s.exec(line) ?? []
  switch (name.toLowerCase()) {
    case 'expect':
      return {
        kind: 'expect',
        expectation: demand(parseExpectation(argument), ':expect', expectationForms, argument),
      }
    case 'data':
    case 'bdat':
      return {
        kind: name.toLowerCase() as 'data' | 'bdat',
        file: demand(argument.trim() || null, `:${name}`, 'a file', argument),
      }
    case 'send':
      return { kind: 'send', octets: octetsOf(argument) }
    case 'wait':
      return {
        kind: 'wait',
        ms: demand(readDelay(argument.trim()), ':wait', `${durationForms}, at most 24d`, argument),
      }
    case 'ehlo':
    case 'drop':
    case 'help':
      return { kind: name.toLowerCase() as 'ehlo' | 'drop' | 'help' }
    default:
      throw new TalkInputError(
        `unknown word \`:${name}\`; expected one of ${names.map((known) => `:${known}`).join(' ')}`,
      )
  }
}

function demand<T>(value: T | null, directive: string, forms: string, found: string): T {
  if (value !== null) return value
  throw new TalkInputError(`${directive}: expected ${forms}, found \`${found}\``)
}

const ESCAPE = /\\(?:x([0-9a-f]{2})|([rnt0\\])|(.?))/gis
const LETTERS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' }

/** The octets that the text stands for; what is not escaped is UTF-8. @throws {TalkInputError} */
function octetsOf(text: string): Buffer {
  const octets = Buffer.from(text).toString('latin1')
  const plain = octets.replace(ESCAPE, (whole, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    const octet = LETTERS[letter ?? '']
    if (octet === undefined)
      throw new TalkInputError(`:send: expected \\r \\n \\t \\0 \\xNN or \\\\, found \`${whole}\``)
    return octet
  })
  return Buffer.from(plain, 'latin1')
}
