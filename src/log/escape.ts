/**
 * Makes text that came from the network safe to show in a log or on a terminal.
 * One rule: what comes out has no control, format or separator character and no lone surrogate, is of bounded
 * length, and can be read back: a backslash in the output always begins one of `\\`, `\"`, `\xNN`, `\u{N…}`, or
 * stands before `…` where the text was cut. Only a complaint cannot: it repeats to people what they wrote.
 */

/**
 * Where the text will stand: `text` in running text · `quoted` between double quotes · `angle` between `<` and `>` ·
 * `token` bare after `key=`, so without spaces, quotes and angle brackets too · `complaint` in a message of ours that
 * quotes what somebody wrote, perhaps escaped already: backslashes stay as they are.
 */
export type EscapeContext = 'text' | 'quoted' | 'angle' | 'token' | 'complaint'

/** How to escape. */
export interface EscapeOptions {
  /** Default `text`. */
  readonly context?: EscapeContext
  /** Longest output in UTF-16 code units, the cut mark included. Default 2,000. */
  readonly maxLength?: number
}

/** Holds the longest useful replies: receivers explain themselves in up to 1,000 characters, a hostile one in 1 MiB. */
export const defaultMaxLength = 2_000

const cutMark = '\\…'

// Cc: C0, DEL, C1 · Cf: bidi overrides and isolates, zero-width characters, tags · Cs: lone surrogates ·
// Zl, Zp: U+2028, U+2029. Ranges before properties would not be faster: both compile to the same table.
const unsafe: Readonly<Record<EscapeContext, RegExp>> = {
  text: /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/u,
  quoted: /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\"]/u,
  angle: /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\<>]/u,
  token: /[\p{Cc}\p{Cf}\p{Cs}\p{Z}\\<>"]/u,
  complaint: /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u,
}

/** `text`, made safe to show; the same string when there is nothing to escape. */
export function escapeText(text: string, options: EscapeOptions = {}): string {
  const { context = 'text', maxLength = defaultMaxLength } = options
  const pattern = unsafe[context]
  if (text.length <= maxLength && !pattern.test(text)) return text
  return escapeSlowly(text, pattern, maxLength)
}

function escapeSlowly(text: string, pattern: RegExp, maxLength: number): string {
  let escaped = ''
  let fits = ''
  for (const character of text) {
    escaped += pattern.test(character) ? escapeCharacter(character) : character
    if (escaped.length > maxLength) return fits + cutMark.slice(0, maxLength - fits.length)
    if (escaped.length <= maxLength - cutMark.length) fits = escaped
  }
  return escaped
}

function escapeCharacter(character: string): string {
  if (character === '\\' || character === '"') return `\\${character}`
  const codePoint = character.codePointAt(0) ?? 0
  const hex = codePoint.toString(16)
  return codePoint <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
}
