/** What `--debug` shows: the lines of a dialogue as they go over the wire. The content of a message is never among them. */

/** One line, or a summary of content in square brackets. */
export interface DialogueLine {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Tells sessions apart that run at the same time. */
  readonly session: string
  /** `mx1.example.test [192.0.2.7]:25`. */
  readonly target: string
  readonly direction: 'client' | 'server'
  /** Without line end; not escaped. */
  readonly text: string
}

/** Takes the lines of one session. */
export type Trace = (direction: DialogueLine['direction'], text: string) => void
