/**
 * Address lists as people write them (RFC 5322 §3.4 with the obsolete forms of §4.4), from a command line, a program
 * or a header field.
 * One rule: never guess. What could be read in two ways is refused with the advice how to write it; a list that is read
 * names exactly the mailboxes a careful reader would name.
 *
 * Beyond the grammar: separators may be doubled, stand at the ends, and be semicolons, as in Outlook; an address may
 * stand for its own display name without quotes (`bob@x <bob@x>`); line ends may be LF before a blank.
 */
import { type Address, parseAddress } from './address.ts'
import { AddressError } from './address-error.ts'
import { quoteLocalPart, unquoteLocalPart } from './address-local-part.ts'
import { errorAt, type Token, tokenise } from './address-tokens.ts'

/** One entry of an address list. */
export interface Mailbox {
  /**
   * The display name without its quotes, blanks between words made one; encoded-words (RFC 2047) are left as written.
   * `null` when there is none. Never with control characters.
   */
  readonly name: string | null
  readonly address: Address
}

/** Twenty times what the largest header field of other agents may have (Postfix `header_size_limit` is 100 KiB). */
const limitCharacters = 2 * 1024 * 1024

/** What stands between two separators. */
interface Entry {
  readonly source: string
  readonly tokens: readonly Token[]
}

/**
 * Reads a list of mailboxes and groups, in order. Groups (`Team: a@x, b@y;`) are replaced by their members, so
 * `undisclosed-recipients:;` is an empty list, as is a blank text. Comments are dropped, also where old programs put
 * the name into one (RFC 5322 §3.4 advises against reading it).
 * @param text unfolded or folded, without a final line end; at most 2 Mi characters
 * @throws {AddressError} when any of it is malformed; nothing is skipped
 */
export function parseAddressList(text: string): readonly Mailbox[] {
  if (text.length > limitCharacters) {
    throw new AddressError(text, `the list is longer than ${limitCharacters} characters; split it`)
  }
  // RFC 5322 §2.2.3: a line end before white space is not part of the value.
  const source = text.replace(/\r?\n(?=[ \t])/g, '')
  return splitEntries(source, tokenise(source)).map(readMailbox)
}

/** Cuts at separators outside angle brackets, and checks that groups open and close. */
function splitEntries(source: string, tokens: readonly Token[]): readonly Entry[] {
  const entries: Entry[] = []
  let collected: Token[] = []
  let group: Token | null = null
  let inBrackets = false

  const endEntry = (): void => {
    if (collected.length > 0) entries.push({ source, tokens: collected })
    collected = []
  }

  for (const token of tokens) {
    const sign = token.kind === 'special' ? token.text : ''
    if (sign === '<' || sign === '>') inBrackets = sign === '<'
    // Inside brackets commas and colons belong to a source route.
    if (!inBrackets && (sign === ',' || sign === ';')) {
      endEntry()
      if (sign === ';') group = null
    } else if (!inBrackets && sign === ':') {
      group = openGroup(source, collected, token, group)
      collected = []
    } else {
      collected.push(token)
    }
  }
  if (group) throw errorAt(source, group.start, 'expected `;` to close the group that `:` opens')
  endEntry()
  return entries
}

/** RFC 5322 §3.4: a group has a name and holds mailboxes only. */
function openGroup(source: string, name: readonly Token[], colon: Token, open: Token | null): Token {
  if (open) throw errorAt(source, colon.start, 'a group inside a group; close the first with `;`')
  if (name.length === 0 || name.some((token) => !isPhrase(token))) {
    throw errorAt(
      source,
      colon.start,
      'expected the name of a group before `:`; quote a name that contains it',
    )
  }
  return colon
}

function readMailbox(entry: Entry): Mailbox {
  const { tokens } = entry
  const opening = tokens.findIndex((token) => isSign(token, '<'))
  if (opening === -1) return { name: null, address: readAddress(entry, tokens) }
  const closing = tokens.findIndex((token) => isSign(token, '>'))
  if (closing < opening) throw failure(entry, 'expected `>` after what `<` opens')
  if (closing < tokens.length - 1) throw failure(entry, 'expected a comma after `>`')
  const path = tokens.slice(opening + 1, closing)
  return {
    name: readName(entry, tokens.slice(0, opening), path),
    address: readAddress(entry, withoutSourceRoute(entry, path)),
  }
}

/** RFC 5322 §3.2.5, with the dots of §4.1 (`Joe Q. Public`). */
function readName(entry: Entry, tokens: readonly Token[], path: readonly Token[]): string | null {
  const isOwnAddress =
    written(tokens)
      .replace(/^'(.*)'$/s, '$1')
      .toLowerCase() === written(path).toLowerCase()
  if (!isOwnAddress && tokens.some((token) => !isPhrase(token))) {
    throw failure(
      entry,
      'expected a display name before `<`; separate addresses by commas, quote names with signs in them',
    )
  }
  const words = tokens.map((token, index) => {
    const isApart = index > 0 && tokens[index - 1]?.end !== token.start
    return `${isApart ? ' ' : ''}${unquoteWord(token)}`
  })
  return words.join('') || null
}

/** RFC 5322 §4.4 `obs-route`; dropped as RFC 5321 §3.6.1 asks. */
function withoutSourceRoute(entry: Entry, path: readonly Token[]): readonly Token[] {
  const [first] = path
  if (first === undefined || !isSign(first, '@')) return path
  const colon = path.findIndex((token) => isSign(token, ':'))
  if (colon === -1) throw failure(entry, 'expected `:` after the source route that `@` begins')
  return path.slice(colon + 1)
}

/** RFC 5322 §3.4.1 with the blanks and comments of §4.4 around dots and `@`; the halves are judged by `parseAddress`. */
function readAddress(entry: Entry, tokens: readonly Token[]): Address {
  const at = tokens.findIndex((token) => isSign(token, '@'))
  if (at === -1) {
    throw failure(
      entry,
      'expected an address such as `bob@example.test`; quote a display name with a comma in it',
    )
  }
  const localPart = tokens.slice(0, at)
  const domain = tokens.slice(at + 1)
  for (const half of [localPart, domain]) refuseGaps(entry, half)
  if (domain.some((token) => token.kind === 'quoted')) throw failure(entry, 'quotes after the `@`')
  return parseAddress(`${joinLocalPart(localPart)}@${domain.map((token) => token.text).join('')}`)
}

/** Words and dots take turns; anything else is two things where one is expected. */
function refuseGaps(entry: Entry, half: readonly Token[]): void {
  half.forEach((token, index) => {
    if (token.kind === 'special') throw failure(entry, `\`${token.text}\` inside an address`)
    const previous = half[index - 1]
    if (previous && previous.kind !== 'dot' && token.kind !== 'dot') {
      throw failure(entry, `expected a comma or \`<\` before \`${token.text}\``)
    }
  })
}

/** Quotes around a part of it (RFC 5322 §4.4 `obs-local-part`) become quotes around the whole: SMTP knows no other. */
function joinLocalPart(tokens: readonly Token[]): string {
  const text = tokens.map((token) => token.text).join('')
  if (tokens.length === 1 || tokens.every((token) => token.kind !== 'quoted')) return text
  return quoteLocalPart(tokens.map(unquoteWord).join(''))
}

function unquoteWord(token: Token): string {
  return token.kind === 'quoted' ? unquoteLocalPart(token.text).replaceAll('\t', ' ') : token.text
}

function isPhrase(token: Token): boolean {
  return token.kind === 'atom' || token.kind === 'dot' || token.kind === 'quoted'
}

function isSign(token: Token, sign: string): boolean {
  return token.kind === 'special' && token.text === sign
}

/** The tokens without the blanks and comments between them. */
function written(tokens: readonly Token[]): string {
  return tokens.map((token) => token.text).join('')
}

function failure({ source, tokens }: Entry, reason: string): AddressError {
  return new AddressError(source.slice(tokens.at(0)?.start, tokens.at(-1)?.end), reason)
}
