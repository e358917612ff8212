/** Tag lists (RFC 6376 §3.2), of records and of signatures. */

/** The tags in their order; `null` for what is no tag list, or has a tag twice, which makes all of it void. */
export function splitTags(text: string): ReadonlyMap<string, string> | null {
  const specs = text.split(';')
  // One semicolon may stand at the end.
  if (specs.at(-1)?.trim() === '') specs.pop()
  const tags = new Map<string, string>()
  for (const spec of specs) {
    const [, name, value] = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=(.*)$/s.exec(spec) ?? []
    if (name === undefined || value === undefined || tags.has(name)) return null
    tags.set(name, value.trim())
  }
  return tags.size === 0 ? null : tags
}
