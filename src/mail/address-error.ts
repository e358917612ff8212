/** What is thrown for text that is no address: it always names the text, in a form that is safe to print. */

/** Enough to recognise an address by: the longest local part is 64 octets (RFC 5321 §4.5.3.1.1). */
const shownCharacters = 100

/**
 * Text that is not an address, or not a list of them. The message names the text, says what is wrong with it and
 * what to write instead.
 */
export class AddressError extends Error {
  override readonly name = 'AddressError'
  readonly code = 'ERR_ADDRESS'
  /** The offending text, safe to print: control characters escaped, shortened to 100 characters. */
  readonly text: string

  constructor(text: string, reason: string) {
    const shown = printable(text)
    super(`Malformed address \`${shown}\`: ${reason}`)
    this.text = shown
  }
}

/**
 * The text with everything escaped that could move a terminal's cursor, hide, or break a line; shortened. For the person
 * who typed it, so unlike log/escape.ts it leaves the backslashes of quoted local parts alone and shows blanks that only
 * look like spaces.
 */
export function printable(text: string): string {
  const characters = [...text.slice(0, 2 * shownCharacters)]
  const isLonger = characters.length > shownCharacters || text.length > 2 * shownCharacters
  const shown = characters.slice(0, shownCharacters).map(escapeCharacter).join('')
  return isLonger ? `${shown}…` : shown
}

function escapeCharacter(character: string): string {
  if (character === '\r') return '\\r'
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  // Besides control characters: format characters (bidi, zero width), lone surrogates, separators but the space.
  if (!/[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u.test(character) || character === ' ') return character
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}
