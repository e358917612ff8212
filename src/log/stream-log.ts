/** A log that goes line by line to a stream such as stderr: for a person who watches, not for volume. */
import { createFormat, type LogFormat } from './format.ts'
import type { Log } from './log.ts'
import { type WallClock, wallClock } from './timestamp.ts'

/** How a stream's lines look. */
export interface StreamLogOptions {
  /** Default `classic`. */
  readonly format?: LogFormat
  readonly clock?: WallClock
}

/** What is needed of a stream, or the function itself. */
export type LineSink = ((line: string) => unknown) | { write(line: string): unknown }

/**
 * Writes each event at once as one line. The stream stays its owner's: it is neither closed nor listened to, and what
 * it holds back is its own business; `flush` and `close` have nothing to wait for.
 */
export function createStreamLog(sink: LineSink, options: StreamLogOptions = {}): Log {
  const { format = 'classic', clock = wallClock } = options
  const formatLine = createFormat(format)
  const write = typeof sink === 'function' ? sink : (line: string) => sink.write(line)
  return {
    write: (event) => {
      const epochMs = clock.now()
      write(formatLine(event, epochMs))
    },
    flush: async () => {},
    reopen: () => {},
    close: async () => {},
  }
}
