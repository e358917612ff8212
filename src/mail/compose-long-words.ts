/**
 * Words of a header field that no line can hold. One rule: only where a field is text for people, or a field of the
 * user's own, is such a word encoded; in a field that other programs take apart it would mean something else.
 */
import { encodeWord } from 'nodemailer/lib/mime-funcs'
import { MessageError } from './message-error.ts'
import { lineLimitOctets } from './message-lines.ts'

/** RFC 5322 §3.6.5, RFC 2045 §8, RFC 5536 §3.2.8, and what has no registered form; RFC 2047 §5 (1) lets these be encoded. */
const unstructured = /^(?:comments|content-description|organi[sz]ation|thread-topic|x-.+)$/i

/** 64 octets with what stands around it: an encoded-word has at most 75 (RFC 2047 §2). */
const encodedCharacters = 52

/**
 * The value with its blanks where lines can end: itself, or encoded-words that are read back as it.
 * @throws {MessageError} for a long word in a field whose form is somebody else's
 */
export function makeFoldable(key: string, value: string): string {
  // Whatever is not ASCII is encoded as a whole later, and folded between the words.
  if (!/^[\0-\x7f]*$/.test(value)) return value
  if (unstructured.test(key)) {
    // With its blanks: a line cut between two of them would be followed by one that looks blank.
    return longestOf(` ${value}`, /[ \t]+[^ \t]+/g) > lineLimitOctets
      ? encodeWord(value, 'Q', encodedCharacters)
      : value
  }
  const longest = longestOf(value, /[^ \t]+/g)
  // One octet is for the blank that the word was folded at.
  if (longest < lineLimitOctets) return value
  throw new MessageError(
    `the header ${key} has a word of ${longest} octets; a line holds ${lineLimitOctets} (RFC 5322 §2.1.1), and to ` +
      'encode it would change what it means: shorten it, or put blanks where the field allows them',
  )
}

function longestOf(text: string, part: RegExp): number {
  return text.matchAll(part).reduce((longest, [found]) => Math.max(longest, found.length), 0)
}
