/**
 * The gate between what users write and header fields.
 * One rule: nothing with a CR, LF or NUL passes; the error names the option and shows the text.
 */
import { printable } from './address-error.ts'
import type { Mail } from './mail.ts'
import { MessageError } from './message-error.ts'

const keys = {
  from: true,
  sender: true,
  to: true,
  cc: true,
  bcc: true,
  replyTo: true,
  subject: true,
  text: true,
  html: true,
  attachments: true,
  headers: true,
  date: true,
  messageId: true,
  raw: true,
  envelopeFrom: true,
} as const satisfies Record<keyof Mail, true>

/**
 * No key but those of a mail: what another mailer's users know (`envelope`, `body`) would be left out without a word, and
 * the mail go to others than was meant.
 * @throws {TypeError}
 */
export function checkKeys(mail: Mail): void {
  if (typeof mail !== 'object' || mail === null) throw new TypeError('Expected a mail to be an object')
  const [unknown] =
    Object.entries(mail).find(([key, value]) => value !== undefined && !Object.hasOwn(keys, key)) ?? []
  if (unknown === undefined) return
  throw new TypeError(
    `Unknown key \`${printable(unknown)}\` of a mail; there are ${Object.keys(keys).join(', ')}`,
  )
}

/**
 * The text, if it may stand in a header field.
 * @param what the option or field, as the user knows it
 * @throws {MessageError} for CR, LF or NUL @throws {TypeError} when it is no string
 */
export function checkFieldText(what: string, text: unknown): string {
  const value = checkString(what, text)
  const found = /[\r\n\0]/.exec(value)
  if (found) {
    throw new MessageError(`${what} must not contain \`${printable(found[0])}\`, got \`${printable(value)}\``)
  }
  return value
}

/** @throws {TypeError} */
export function checkString(what: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError(`Expected ${what} to be a string, got ${value === null ? 'null' : typeof value}`)
}

/** RFC 5322 §3.6.8: printable ASCII without the colon. @throws {MessageError} */
export function checkFieldName(name: string): string {
  if (/^[!-9;-~]{1,200}$/.test(name)) return name
  const expected = 'expected 1 to 200 printable ASCII characters without space and colon'
  throw new MessageError(`\`${printable(name)}\` is no header field name: ${expected}`)
}
