/**
 * What stands before the `@` (RFC 5321 §4.1.2, widened to UTF-8 by RFC 6531 §3.3): a dot-string or a quoted string.
 * One rule: what passes is left as it was written, because only the receiving host may interpret it (RFC 5321 §2.3.11).
 */
import { AddressError, printable } from './address-error.ts'

// No limit of its own: RFC 5321 §4.5.3.1.1 names 64 octets as what every server takes, §4.5.3.1 asks to impose none
// where possible, and VERP addresses of more are in use. The limit of the whole path stands in address.ts.

// Legal by RFC 6531, which admits every non-ASCII character, but outside quotes nothing a person meant to write:
// pasted blanks and zero-width characters would only come back as a refusal nobody can see the reason of.
const unseen = /[\p{Z}\u200b\u2060\ufeff]/u
const broken = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u
const atom = /^[^\0- "(),.:;<>@[\\\]\x7f]+$/
const quotedString = /^"(?:[ !#-[\]-~\x80-\uffff]|\\[ -~])*"$/

/**
 * Refuses a local part that could not be sent as it stands.
 * @param address what the error names
 * @throws {AddressError}
 */
export function checkLocalPart(localPart: string, address: string): void {
  const problem = findProblem(localPart)
  if (problem !== null) throw new AddressError(address, problem)
}

function findProblem(localPart: string): string | null {
  if (localPart === '') return 'nothing stands before the `@`'
  const control = broken.exec(localPart)
  if (control) return `\`${printable(control[0])}\` cannot be part of an address`
  return localPart.startsWith('"') ? findQuotedProblem(localPart) : findDotStringProblem(localPart)
}

function findQuotedProblem(localPart: string): string | null {
  if (quotedString.test(localPart)) return null
  return 'expected a closing `"` right before the `@`, and a `\\` before each `"` or `\\` between the quotes'
}

function findDotStringProblem(localPart: string): string | null {
  if (localPart.split('.').every((text) => atom.test(text)) && !unseen.test(localPart)) return null
  if (/[<>]/.test(localPart)) return 'expected the address alone, angle brackets only around all of it'
  const asQuoted = `write \`${printable(quoteLocalPart(localPart))}@…\` if it is meant`
  const found = [...localPart].find((character) => character !== '.' && !atom.test(character))
  const stray = found ?? unseen.exec(localPart)?.[0]
  if (stray === undefined) return `a dot at the start, at the end or twice in a row; ${asQuoted}`
  return `\`${printable(stray)}\` is not allowed before the \`@\` without quotes; ${asQuoted}`
}

/** The local part that means `content`, in quotes. */
export function quoteLocalPart(content: string): string {
  return `"${content.replace(/["\\]/g, '\\$&')}"`
}

/** What a local part means: without its quotes and the backslashes in them (RFC 5321 §4.1.2). */
export function unquoteLocalPart(localPart: string): string {
  return localPart.startsWith('"') ? localPart.slice(1, -1).replace(/\\(.)/gsu, '$1') : localPart
}
