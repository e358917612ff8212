/**
 * On which line of a TOML document a key is set. The parser does not say, so it is asked: the key stands in the first
 * line whose addition brings it into being. Only for messages, so the cost (a parse a line) does not matter.
 */
import { parse } from 'smol-toml'

/** Line of the key, counted from 1, or of the table around it; `null` when neither is in the document. */
export function findKeyLine(toml: string, path: readonly (string | number)[]): number | null {
  const lines = toml.split(/\r?\n/)
  for (let depth = path.length; depth > 0; depth--) {
    const line = firstLineWith(lines, path.slice(0, depth))
    if (line !== null) return line
  }
  return null
}

function firstLineWith(lines: readonly string[], path: readonly (string | number)[]): number | null {
  let complete = 0
  for (let count = 1; count <= lines.length; count++) {
    const document = tryParse(lines.slice(0, count).join('\n'))
    // Within a value of several lines: it began after the last line that made a document.
    if (document === null) continue
    if (has(document, path)) return complete + 1
    complete = count
  }
  return null
}

function tryParse(toml: string): unknown {
  try {
    return parse(toml)
  } catch {
    return null
  }
}

function has(value: unknown, [key, ...rest]: readonly (string | number)[]): boolean {
  if (key === undefined) return true
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
  return has(Reflect.get(value, key), rest)
}
