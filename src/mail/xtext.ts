/**
 * xtext (RFC 3461 §4): how text with blanks, `+`, `=` or other octets stands in a parameter of MAIL or RCPT.
 * One rule: what is not xtext is not guessed at.
 */

const form = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/

/** Whether the text is xtext as it stands. */
export function isXtext(text: string): boolean {
  return form.test(text)
}

/** The text as xtext; characters beyond US-ASCII as the octets of their UTF-8. */
export function encodeXtext(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^!-*,-<>-~]/g, (octet) => `+${hex(octet.charCodeAt(0))}`)
}

/** What xtext stands for; `null` when the text is none. Octets that are no UTF-8 become U+FFFD. */
export function decodeXtext(text: string): string | null {
  if (!isXtext(text)) return null
  const octets = text.replace(/\+(..)/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
  return Buffer.from(octets, 'latin1').toString('utf8')
}

function hex(octet: number): string {
  return octet.toString(16).toUpperCase().padStart(2, '0')
}
