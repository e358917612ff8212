/**
 * Addresses of the type `utf-8` in reports and in ORCPT (RFC 6533 §3): characters that the place cannot hold stand there
 * as `\x{HEXPOINT}`. One rule: nothing decodes to a control character or to half of a surrogate pair.
 */

const embedded = /\\x\{([0-9A-F]{2,6})\}/g
/** QUCHAR and embedded characters; a `+` or `=` in the clear is no ORCPT (RFC 3461 §4). */
const form = /^(?:[!-*,-<>-[\]-~]|[^\0-\x7f]|\\x\{[0-9A-F]{2,6}\})+$/u
const forbidden = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u

/** What a utf-8-addr-xtext or utf-8-addr-unitext stands for; `null` when the text is neither. */
export function decodeUnitext(text: string): string | null {
  if (!form.test(text)) return null
  let isSound = true
  const decoded = text.replace(embedded, (_, digits: string) => {
    const point = Number.parseInt(digits, 16)
    if (point <= 0x10ffff) return String.fromCodePoint(point)
    isSound = false
    return ''
  })
  return isSound && !forbidden.test(decoded) ? decoded : null
}

/** utf-8-addr-unitext of an address: what a parameter of RCPT cannot hold is escaped. */
export function embedSpecials(address: string): string {
  return address.replace(/[\0- \x7f\\+=]/g, escapeCharacter)
}

/** The text with its characters beyond US-ASCII escaped: makes utf-8-addr-xtext of utf-8-addr-unitext. */
export function encodeUnitext(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, escapeCharacter)
}

function escapeCharacter(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  return `\\x{${digits.padStart(2, '0')}}`
}
