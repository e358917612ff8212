/**
 * The words and signs of a structured header field (RFC 5322 §3.2, §4.1), without its comments and white space.
 * One rule: one pass, no recursion, no backtracking, so that hostile input costs time in proportion to its length.
 */
import { AddressError } from './address-error.ts'

/** `atom` and `dot` make words and domains; `quoted` and `literal` keep their delimiters; `special` is one of `<>@,;:`. */
export interface Token {
  readonly kind: 'atom' | 'dot' | 'quoted' | 'literal' | 'special'
  readonly text: string
  /** Offsets into the unfolded text; words are apart when the end of one is not the start of the next. */
  readonly start: number
  readonly end: number
}

/** People nest once or twice; whoever nests deeper is trying out parsers. */
const commentDepthLimit = 50

/** How much of the text on either side of the offending place an error shows. */
const contextCharacters = 40

/**
 * The tokens of unfolded text.
 * @throws {AddressError} for control characters, what is left open, and what stands where it cannot
 */
export function tokenise(text: string): readonly Token[] {
  refuseControls(text)
  const tokens: Token[] = []
  let start = 0
  while (start < text.length) {
    const character = text.charAt(start)
    const end = findEnd(text, start)
    const kind = tokenKinds[character] ?? 'atom'
    if (kind !== 'blank') tokens.push({ kind, text: text.slice(start, end), start, end })
    start = end
  }
  return tokens
}

const tokenKinds: Readonly<Record<string, Token['kind'] | 'blank'>> = {
  ' ': 'blank',
  '\t': 'blank',
  '(': 'blank',
  '"': 'quoted',
  '[': 'literal',
  '.': 'dot',
  '<': 'special',
  '>': 'special',
  '@': 'special',
  ',': 'special',
  ';': 'special',
  ':': 'special',
}

function findEnd(text: string, start: number): number {
  switch (text.charAt(start)) {
    case '(':
      return findCommentEnd(text, start)
    case '"':
      return findDelimited(text, start, '"')
    case '[':
      return findDelimited(text, start, ']')
    case ')':
    case ']':
    case '\\':
      throw errorAt(
        text,
        start,
        `\`${text.charAt(start)}\` without what it closes or escapes; put quotes around it`,
      )
    default:
      return tokenKinds[text.charAt(start)] ? start + 1 : findAtomEnd(text, start)
  }
}

function findAtomEnd(text: string, start: number): number {
  const delimiter = /[ \t"(),.:;<>@[\\\]]/g
  delimiter.lastIndex = start
  return delimiter.exec(text)?.index ?? text.length
}

function findDelimited(text: string, start: number, closing: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\') at += 1
    else if (text.charAt(at) === closing) return at + 1
  }
  throw errorAt(text, start, `expected \`${closing}\` to close what \`${text.charAt(start)}\` opens`)
}

/** RFC 5322 §3.2.2: comments nest. */
function findCommentEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '\\') at += 1
    else if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    if (depth === 0) return at + 1
    if (depth > commentDepthLimit)
      throw errorAt(text, start, `comments nested more than ${commentDepthLimit} deep`)
  }
  throw errorAt(text, start, 'expected `)` to close the comment that `(` opens')
}

/** Not even in quotes, although RFC 5322 §4.1 once had them: they are how a second field or command gets smuggled in. */
function refuseControls(text: string): void {
  const control = /(?!\t)[\p{Cc}\p{Cs}]/u.exec(text)
  if (control === null) return
  const reason = /[\r\n]/.test(control[0])
    ? 'a line end that no blank follows; a folded line goes on with one'
    : 'a control character or half a surrogate pair'
  throw errorAt(text, control.index, reason)
}

/** An error that shows the surroundings of the offending place. */
export function errorAt(text: string, at: number, reason: string): AddressError {
  return new AddressError(text.slice(Math.max(0, at - contextCharacters), at + contextCharacters), reason)
}
