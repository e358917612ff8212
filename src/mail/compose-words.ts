/** Encoded-words (RFC 2047) back to text, so that a name is encoded once and not twice. */

/**
 * The text with its encoded-words decoded; blanks between two of them are dropped (RFC 2047 §6.2). A word in an
 * unknown charset or of another form stays as it is.
 */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text
  return text
    .replace(/(\?=)[ \t]+(?==\?)/g, '$1')
    .replace(/=\?([\w-]+)(?:\*[\w-]*)?\?([QB])\?([!->@-~]*)\?=/gi, (word, charset, encoding, encoded) => {
      return decodeWord(String(charset), String(encoding), String(encoded)) ?? word
    })
}

function decodeWord(charset: string, encoding: string, encoded: string): string | null {
  const octets = encoding.toUpperCase() === 'B' ? Buffer.from(encoded, 'base64') : fromQ(encoded)
  try {
    return new TextDecoder(charset, { fatal: true }).decode(octets)
  } catch {
    // An unknown charset, or octets that are not of it: the reader may know better.
    return null
  }
}

/** RFC 2047 §4.2. */
function fromQ(encoded: string): Buffer {
  const latin1 = encoded
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1')
}
