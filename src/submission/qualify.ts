/**
 * Addresses without a domain, as programs of this host write them (`From: root (Cron Daemon)`), get ours (RFC 6409 §4.2).
 * One rule: only what is certainly a bare name is touched; everything else stays as it was written.
 */
import { linesOf } from '../mail/message-lines.ts'

const bareName = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/
const addressFields = /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)[ \t]*:/i

/** `root` becomes `root@host`; what has a domain, or is no bare name, stays. */
export function qualifyAddress(text: string, hostname: string): string {
  const name = text.trim()
  return bareName.test(name) ? `${name}@${hostname}` : text
}

/** The addresses of a list, of which some may be bare: `root, Bob <bob>, carol (Carol)`. */
export function qualifyList(list: string, hostname: string): string {
  return splitList(list)
    .map((item) => qualifyItem(item, hostname))
    .join(',')
}

function qualifyItem(item: string, hostname: string): string {
  const inBrackets = /^([^<>]*<)([^<>@\s]+)(>[^<>]*)$/s.exec(item)
  if (inBrackets !== null) {
    const [, before = '', name = '', after = ''] = inBrackets
    return before + qualifyAddress(name, hostname) + after
  }
  // A name, with a comment behind it or not; two words without brackets are no address that anybody meant.
  const [, before = '', name = '', after = ''] =
    /^(\s*)([^\s()<>@",:;]+)(\s*(?:\([^()]*\)\s*)?)$/s.exec(item) ?? []
  return name === '' ? item : before + qualifyAddress(name, hostname) + after
}

/** At the commas that are not in quotes, comments or brackets. */
function splitList(list: string): string[] {
  const items: string[] = []
  let item = ''
  let depth = 0
  let isQuoted = false
  for (let index = 0; index < list.length; index += 1) {
    const character = list.charAt(index)
    if (character === '\\') {
      item += list.slice(index, index + 2)
      index += 1
      continue
    }
    if (character === '"' && depth === 0) isQuoted = !isQuoted
    else if (!isQuoted && (character === '(' || character === '<')) depth += 1
    else if (!isQuoted && (character === ')' || character === '>')) depth -= 1
    if (character === ',' && !isQuoted && depth === 0) {
      items.push(item)
      item = ''
    } else item += character
  }
  return [...items, item]
}

/** The message with the addresses in its header qualified; the same octets when there is nothing to do. */
export function qualifyHeader(octets: Uint8Array, hostname: string): Uint8Array {
  const pieces: Uint8Array[] = []
  let kept = 0
  let start = -1
  const finish = (end: number) => {
    if (start < 0) return
    const field = Buffer.from(octets.subarray(start, end)).toString('latin1')
    const colon = field.indexOf(':') + 1
    const qualified = field.slice(0, colon) + qualifyField(field.slice(colon), hostname)
    if (qualified !== field) {
      pieces.push(octets.subarray(kept, start), Buffer.from(qualified, 'latin1'))
      kept = end
    }
    start = -1
  }
  for (const line of linesOf(octets)) {
    const text = Buffer.from(octets.subarray(line.start, Math.min(line.end, line.start + 100))).toString(
      'latin1',
    )
    if (/^[ \t]/.test(text)) continue
    finish(line.start)
    // The end of the header: a blank line, or a line that is no field.
    if (!/^(?:[!-9;-~]+[ \t]*:|From )/.test(text)) break
    if (addressFields.test(text)) start = line.start
  }
  finish(octets.length)
  return pieces.length === 0 ? octets : Buffer.concat([...pieces, octets.subarray(kept)])
}

/** Groups (`name: a, b;`) are left alone. */
function qualifyField(value: string, hostname: string): string {
  const [, body = '', end = ''] = /^(.*?)([\r\n]*)$/s.exec(value) ?? []
  return /^[^"<(]*:/s.test(body) ? value : qualifyList(body, hostname) + end
}
