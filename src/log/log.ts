/** The log seam: whoever has something to say takes a `Log`. */
import type { LogEvent } from './events.ts'

/** Takes events in the order they happen; writing never blocks and never throws. */
export interface Log {
  write(event: LogEvent): void
  /** Resolves when everything written so far is in the file. */
  flush(): Promise<void>
  /** Opens the file anew under its name, for logrotate. */
  reopen(): void
  close(): Promise<void>
}

/** Says nothing. */
export const silentLog: Log = {
  write: () => {},
  flush: async () => {},
  reopen: () => {},
  close: async () => {},
}
