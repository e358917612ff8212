/** The two shapes of the log: chosen by name, one function each from a record to one whole line. */
import { createClassicFormat } from './classic.ts'
import type { LogRecord } from './events.ts'
import { formatJson } from './json.ts'

/** `classic`: for people and grep. `json`: NDJSON, for programs. */
export type LogFormat = 'classic' | 'json'

/** A record at a time (milliseconds since the epoch) as one line, its line feed included. */
export type FormatLine = (record: LogRecord, epochMs: number) => string

/** The function for a format's name. */
export function createFormat(format: LogFormat): FormatLine {
  return format === 'json' ? formatJson : createClassicFormat()
}
