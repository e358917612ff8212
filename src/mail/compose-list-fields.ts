/**
 * The List fields of a composed mail (RFC 2369, RFC 2919). One rule: programs take them apart, so no URI and no id is ever
 * put into an encoded-word; nobody would find it there.
 */
import { encodeWords } from 'nodemailer/lib/mime-funcs'
import { printable } from './address-error.ts'
import { MessageError } from './message-error.ts'

const ofUris = /^list-(?:help|subscribe|unsubscribe|post|owner|archive)$/i

/** As long as an encoded-word's text may be with what stands around it (RFC 2047 §2). */
const encodedCharacters = 52

/**
 * The value of a field in ASCII, where it is one of these; any other as it is.
 * @throws {MessageError} for what cannot be written in ASCII without changing what it means
 */
export function makeListValue(key: string, value: string): string {
  const [foreign] = /[^\0-\x7f]+/.exec(value) ?? []
  if (foreign === undefined) return value
  if (ofUris.test(key)) {
    throw new MessageError(
      `the header ${key} holds \`${printable(foreign)}\`: its addresses are ASCII (RFC 3986 §2), write it ` +
        `percent-encoded, \`${printable(percentEncoded(foreign))}\`, or a domain in its A-labels`,
    )
  }
  return /^list-id$/i.test(key) ? makeListId(value) : value
}

/** RFC 2919 §3: `[phrase] "<" list-id ">"`; the phrase alone is text. */
function makeListId(value: string): string {
  const [, phrase, id] = /^(.*?)[ \t]*(<[!-;=?-~]+>)[ \t]*$/s.exec(value) ?? []
  if (phrase === undefined || id === undefined) {
    throw new MessageError(
      `expected the header List-Id to be like \`Our news <news.example.org>\`, its id in ASCII, got \`${printable(value)}\``,
    )
  }
  const text = phrase
    .replace(/^"(.*)"$/s, '$1')
    .replace(/\\(.)/gs, '$1')
    .trim()
  return `${encodeWords(text, 'Q', encodedCharacters, true)} ${id}`
}

/** Half a surrogate pair has no octets. */
function percentEncoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%…'
}
