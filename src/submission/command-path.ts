/**
 * The arguments of MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3): a path and parameters.
 * One rule: everything is kept as it came. smtp-server's own reading lower-cases recipients to compare them, turns
 * A-labels into U-labels, decodes xtext and knows no quoted local part with a blank or `@`; mail would get lost by that.
 */

/** Upper-case keyword to value; `true` where there is none. */
export type Parameters = Readonly<Record<string, string | true>>

/** What was said. */
export interface PathCommand {
  /** Without angle brackets; not yet judged. */
  readonly path: string
  readonly parameters: Parameters
  /** A keyword that was said twice. */
  readonly duplicate: string | null
}

// A quoted string may hold anything, angle brackets too. The colon may stand apart, and the brackets be missing:
// RFC 5321 §4.1.1.2 has neither, old programs do both, and nothing else can be meant.
const form =
  /^(MAIL[ \t]+FROM|RCPT[ \t]+TO)[ \t]*:[ \t]*(?:<((?:[^"<>]|"(?:[^"\\]|\\.)*")*)>|([^\s<>"]+))(?:[ \t]+(.*))?$/i

/** `null` for what is no MAIL or RCPT, or not UTF-8. */
export function parsePathCommand(command: Uint8Array): PathCommand | null {
  const line = Buffer.from(command).toString('utf8').trimEnd()
  const match = form.exec(line)
  // U+FFFD stands for octets that are no UTF-8: whom they meant cannot be known.
  if (match === null || line.includes('\ufffd')) return null
  const [, , bracketed, bare = '', rest = ''] = match
  const parameters: Record<string, string | true> = Object.create(null)
  let duplicate: string | null = null
  for (const word of rest.split(/[ \t]+/).filter(Boolean)) {
    const [, keyword = word, value] = /^([^=]*)=(.*)$/s.exec(word) ?? []
    const key = keyword.toUpperCase()
    if (key in parameters) duplicate = key
    parameters[key] = value === undefined ? true : value
  }
  return { path: bracketed ?? bare, parameters, duplicate }
}
