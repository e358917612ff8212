/**
 * The header section of a message or of a MIME part (RFC 5322 §2.2), by offsets: nothing is copied or changed.
 * One rule: a field is its octets; what they mean is asked for one field at a time.
 */
import { parseHeaderValue } from 'nodemailer/lib/mime-funcs'
import { MessageError } from './message-error.ts'
import { type Line, lineNumberAt, linesOf } from './message-lines.ts'

/** One field with its folded lines: octets `[start, end)`, line ends included. */
export interface Field {
  /** In lower case. */
  readonly name: string
  readonly start: number
  /** Where the body begins, after the colon. */
  readonly valueStart: number
  end: number
}

/** A header section: fields in order. */
export interface Header {
  readonly fields: readonly Field[]
  readonly start: number
  /** Where the fields end; the blank line, if there is one, begins here. */
  readonly end: number
  /** Where the body begins, after the blank line. */
  readonly bodyStart: number
}

const COLON = 58
const SPACE = 32
const TAB = 9

/** Collects the fields of one header section line by line. */
export class FieldCollector {
  readonly fields: Field[] = []
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Takes a line that is not blank; `false` when it is neither a field nor the continuation of one. */
  take({ start, end, next }: Line): boolean {
    const last = this.fields.at(-1)
    const first = this.#bytes[start]
    if (last && (first === SPACE || first === TAB)) {
      last.end = next
      return true
    }
    const colon = this.#bytes.subarray(start, end).indexOf(COLON)
    const name = colon < 1 ? null : fieldName(this.#bytes.subarray(start, start + colon))
    if (name === null) return false
    this.fields.push({ name, start, valueStart: start + colon + 1, end: next })
    return true
  }
}

/** Printable ASCII without the colon, blanks before the colon dropped as RFC 5322 §4.5 has it. */
function fieldName(octets: Uint8Array): string | null {
  const [, name] = /^([!-9;-~]+)[ \t]*$/.exec(Buffer.from(octets).toString('latin1')) ?? []
  return name?.toLowerCase() ?? null
}

/**
 * The header section that begins at `from`.
 * @throws {MessageError} when there is none, or a line in it is no field.
 */
export function parseHeader(bytes: Uint8Array, from = 0): Header {
  const collector = new FieldCollector(bytes)
  for (const line of linesOf(bytes, from)) {
    if (line.start === line.end && collector.fields.length > 0) {
      return { fields: collector.fields, start: from, end: line.start, bodyStart: line.next }
    }
    if (line.start === line.end || !collector.take(line)) throw noField(bytes, line.start, collector)
  }
  if (collector.fields.length === 0) throw new MessageError('the message is empty')
  return { fields: collector.fields, start: from, end: bytes.length, bodyStart: bytes.length }
}

function noField(bytes: Uint8Array, offset: number, { fields }: FieldCollector): MessageError {
  const expected = 'expected a header field such as `Subject: text`'
  const reason = fields.length === 0 ? 'the message has no header section' : 'not a header field'
  return new MessageError(
    `${reason}; ${expected}, and a blank line after the last`,
    lineNumberAt(bytes, offset),
  )
}

/** A field's body as text, unfolded (RFC 5322 §2.2.3) and without blanks around it. */
export function fieldText(bytes: Uint8Array, field: Field): string {
  return Buffer.from(bytes.subarray(field.valueStart, field.end))
    .toString('utf8')
    .replace(/[\r\n]+/g, '')
    .trim()
}

/** The text of the first field of that name (given in lower case), `null` when there is none. */
export function firstFieldText(bytes: Uint8Array, fields: readonly Field[], name: string): string | null {
  const field = fields.find((candidate) => candidate.name === name)
  return field ? fieldText(bytes, field) : null
}

/** A structured MIME field (RFC 2045 §5.1): its value in lower case and its parameters. */
export function parseParameters(text: string): { value: string; params: Record<string, string> } {
  const { value, params } = parseHeaderValue(text, { stripComments: true })
  return { value: value.trim().toLowerCase(), params }
}
