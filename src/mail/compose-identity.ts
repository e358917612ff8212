/** Date and Message-ID: what tells one message from all others (RFC 5322 §3.6.1, §3.6.4). */
import { randomUUID } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { printable } from './address-error.ts'
import { checkFieldText } from './compose-checks.ts'
import { MessageError } from './message-error.ts'

/** Where identity comes from. */
export interface ComposeOptions {
  /** Our own name: the right-hand side of a new Message-ID. */
  readonly hostname: string
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number
}

const dateForm =
  /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? [+-]\d{4}(?: \([\w ]*\))?$/

/** The Date field's text; a string that has its form (RFC 5322 §3.3) keeps its time zone. @throws {MessageError} */
export function formatDate(date: Date | string): string {
  const text = typeof date === 'string' ? checkFieldText('date', date).trim() : ''
  const time = typeof date === 'string' ? Date.parse(text) : date.getTime()
  if (Number.isNaN(time)) {
    const found = typeof date === 'string' ? `, got \`${printable(date)}\`` : ''
    throw new MessageError(
      `expected the Date field to be such as \`Sat, 21 Nov 2026 07:00:00 +0000\`${found}`,
    )
  }
  return dateForm.test(text) ? text : new Date(time).toUTCString().replace('GMT', '+0000')
}

/** A new Message-ID in ASCII (RFC 6532 §3.3 asks for that); never the same twice. */
export function newMessageId(hostname: string): string {
  return `<${randomUUID()}@${domainToASCII(hostname) || 'localhost'}>`
}

/** The Message-ID with its angle brackets. @throws {MessageError} when it has not the form of one (RFC 5322 §3.6.4). */
export function checkMessageId(messageId: string): string {
  const [, id] = /^<?([!-;=?A-~]{1,400}@[!-;=?A-~]{1,400})>?$/.exec(messageId.trim()) ?? []
  if (id !== undefined) return `<${id}>`
  const expected = 'expected the Message-ID field to be like `<unique@example.org>`, in ASCII'
  throw new MessageError(`${expected}, got \`${printable(messageId)}\``)
}
