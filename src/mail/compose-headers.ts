/**
 * The `headers` option. One rule: a field that has an option of its own becomes that option, so that no field a
 * message may hold once can be there twice (RFC 5322 §3.6), and a Bcc given as a header hides its recipients too.
 */
import { checkFieldName, checkFieldText } from './compose-checks.ts'
import { makeListValue } from './compose-list-fields.ts'
import { makeFoldable } from './compose-long-words.ts'
import type { HeaderInput, Mail } from './mail.ts'
import { MessageError } from './message-error.ts'

/** A field of the user's, checked. */
export interface ExtraField {
  readonly key: string
  readonly value: string
}

const optionOf = {
  from: 'from',
  sender: 'sender',
  to: 'to',
  cc: 'cc',
  bcc: 'bcc',
  'reply-to': 'replyTo',
  subject: 'subject',
  date: 'date',
  'message-id': 'messageId',
} as const satisfies Record<string, keyof Mail>

/** MIME-Version is always written (RFC 2045 §4), and a Resent-Bcc is nobody else's business (RFC 5322 §3.6.6). */
const unneeded = new Set(['mime-version', 'resent-bcc'])
/** They say what mxpress does to the body. */
const reserved = new Set(['content-type', 'content-transfer-encoding', 'content-disposition'])

/**
 * The mail with the fields among its `headers` that are options moved to these, and the fields that remain.
 * @throws {MessageError} for a malformed name, a CR, LF or NUL, a word that no line can hold, or a field given twice
 */
export function spreadHeaders(mail: Mail): { mail: Mail; extra: readonly ExtraField[] } {
  const options = new Map<keyof Mail, string>()
  const extra: ExtraField[] = []
  for (const [name, text] of listHeaders(mail.headers ?? [])) {
    const key = checkFieldName(name)
    const value = checkFieldText(`the header ${key}`, text)
    const option = findOption(key.toLowerCase())
    if (reserved.has(key.toLowerCase()))
      throw new MessageError(`the header ${key} cannot be set: mxpress does`)
    if (option === null) {
      if (!unneeded.has(key.toLowerCase()))
        extra.push({ key, value: makeFoldable(key, makeListValue(key, value)) })
    } else if (mail[option] !== undefined || options.has(option)) {
      throw new MessageError(`${key} is given twice, a message holds it once`)
    } else options.set(option, value)
  }
  return { mail: { ...mail, ...Object.fromEntries(options) }, extra }
}

function findOption(name: string): keyof Mail | null {
  return Object.hasOwn(optionOf, name) ? optionOf[name as keyof typeof optionOf] : null
}

function listHeaders(headers: HeaderInput): readonly (readonly [string, unknown])[] {
  if (isList(headers)) return headers
  return Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === 'string' ? [values] : [...values]).map((value) => [name, value] as const),
  )
}

function isList(headers: HeaderInput): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers)
}
