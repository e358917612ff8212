/**
 * Words of strangers on their way into a report, and lines that hold them. One rule: whatever comes in, what goes out has
 * no control character, no line over 998 octets and no line that could be taken for a blank one.
 */
import { defaultMaxLength } from '../log/escape.ts'

// As in log/escape.ts; but the backslashes and quotes of a reply stay as they are, since a Diagnostic-Code is verbatim.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const beyondAscii = /[^ -~]/gu

/** Characters of a word that one line may hold: 960 octets if each has four. */
const longestWord = 240

/** Text on one line: blanks in a row become one, what cannot be seen is escaped (`\x0d`, `\u{202e}`), the end is cut. */
export function printableLine(text: string): string {
  return shorten(text).replace(unprintable, escapeCharacter)
}

/** The same in US-ASCII. */
export function asciiLine(text: string): string {
  return printableLine(text).replace(beyondAscii, escapeCharacter)
}

function shorten(text: string): string {
  const cut = text.length > defaultMaxLength ? `${text.slice(0, defaultMaxLength)} [...]` : text
  return cut.replace(/[ \t]+/g, ' ').trim()
}

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`
}

/** How lines are made. */
export interface Wrapping {
  /** Before the first line, before all others. */
  readonly indent: readonly [string, string]
  /** Characters a line should have at most, indent included. */
  readonly width: number
}

/** Breaks one line into several between words; a word that no line could hold is broken too. */
export function wrap(line: string, { indent, width }: Wrapping): readonly string[] {
  const lines: string[] = []
  let current = indent[0]
  let isEmpty = true
  for (const word of line.split(' ').flatMap(breakWord)) {
    if (!isEmpty && current.length + 1 + word.length > width) {
      lines.push(current)
      current = indent[1]
      isEmpty = true
    }
    current += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, current]
}

function breakWord(word: string): readonly string[] {
  if (word.length <= longestWord) return [word]
  // By code points, so that no surrogate pair is torn apart.
  const characters = [...word]
  const pieces: string[] = []
  for (let at = 0; at < characters.length; at += longestWord) {
    pieces.push(characters.slice(at, at + longestWord).join(''))
  }
  return pieces
}

/** A field with its CRLF, folded before words (RFC 5322 §2.2.3); unfolding gives `value` back. */
export function foldField(name: string, value: string): string {
  return `${wrap(`${name}: ${value}`, { indent: ['', ' '], width: 76 }).join('\r\n')}\r\n`
}
