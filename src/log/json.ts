/**
 * The log as NDJSON: `time`, then the event as it is. One rule: every line parses to the event's own text, and yet
 * holds no character that `escapeText` would not let pass.
 */
import { defaultMaxLength } from './escape.ts'
import type { LogRecord } from './events.ts'
import { timestamp } from './timestamp.ts'

// JSON.stringify escapes C0 and lone surrogates (ECMA-262 §25.5.2.3) but lets DEL, C1 and format characters pass.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const everyUnsafe = new RegExp(unsafe, 'gu')

/** Above this the strings of an event are cut one by one, to `defaultMaxLength` and a `…`. */
const longLine = 8_192

/** One event as a line of JSON. */
export function formatJson(record: LogRecord, epochMs: number): string {
  let json = JSON.stringify(record)
  if (json.length > longLine) json = JSON.stringify(record, cutLongText)
  if (unsafe.test(json)) json = json.replace(everyUnsafe, escapeAsJson)
  return `{"time":"${timestamp(epochMs)}",${json.slice(1)}\n`
}

function cutLongText(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= defaultMaxLength) return value
  return `${value.slice(0, defaultMaxLength - 1)}…`
}

/** Outside strings JSON has no such character, so the escape always stands inside one. */
function escapeAsJson(character: string): string {
  let escaped = ''
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }
  return escaped
}
