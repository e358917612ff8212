/**
 * The user's own fields as they stand in a composed message. One rule: what can go as it was written does; nodemailer
 * would put every value with a quote into encoded-words, JSON and `"Our news" <news.example.org>` among them, where
 * no program looks for it.
 */
import { foldLines } from 'nodemailer/lib/mime-funcs'
import MimeNode from 'nodemailer/lib/mime-node'
import type { ExtraField } from './compose-headers.ts'

/** Of ids, which get the angle brackets that they lack (RFC 5322 §3.6.4). */
const ofIds = /^(?:in-reply-to|references|content-id)$/i

/** What lines are folded at, where there are blanks (RFC 5322 §2.1.1 advises 78). */
const foldedCharacters = 76

/** The fields, folded, each with its line end; one without a value is left out. */
export function writeFields(fields: readonly ExtraField[]): string {
  return fields
    .filter(({ value }) => value.trim() !== '')
    .map(({ key, value }) => `${foldLines(`${key}: ${written(key, value)}`, foldedCharacters)}\r\n`)
    .join('')
}

function written(key: string, value: string): string {
  // `=?` could be read as the beginning of an encoded-word that nobody meant.
  const isPlain = /^[\t -~]*$/.test(value) && !value.includes('=?') && !ofIds.test(key)
  return isPlain ? value : MimeNode.encodeHeaderValue(key, value)
}
