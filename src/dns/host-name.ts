/**
 * Names that an answer brought. An answer is text from the network: whoever owns a zone can put any octets into it.
 * One rule: what leaves here is a name that can be asked for, compared, and printed, or `null`.
 */

/** RFC 1035 §2.3.4: a label has at most 63 octets, a name 255 on the wire, which is 253 characters in text. */
const maxNameLength = 253

// Letters, digits and hyphens (RFC 1123 §2.1); the underscore because real exchangers have it in their names.
// What c-ares escapes (`\013`), spaces and 8-bit text match nothing here.
const hostName = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/

/** Lower case without the final dot, `''` for the root; `null` for what cannot be the name of a host. */
export function parseHostName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name === '') return name
  return name.length <= maxNameLength && hostName.test(name) ? name : null
}
