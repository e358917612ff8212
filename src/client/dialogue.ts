/** What `--debug` shows: the lines of a dialogue as they go over the wire. The content of a message is never among them. */
import { inspect } from 'node:util'

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

/** Takes the lines of all sessions. */
export type DialogueListener = (line: DialogueLine) => void

/**
 * A program's listener, unable to harm the dialogue: what it throws, or rejects with, would end the process from within
 * an event of the socket. `onFailure` is told of the first time only; the listener goes on getting lines.
 */
export function harmless(listener: DialogueListener, onFailure: (text: string) => void): DialogueListener {
  let hasFailed = false
  const fail = (error: unknown): void => {
    if (hasFailed) return
    hasFailed = true
    onFailure(`\`trace\` failed, nothing else did: ${error instanceof Error ? error : inspect(error)}`)
  }
  return (line) => {
    try {
      const result: unknown = listener(line)
      if (result instanceof Promise) result.catch(fail)
    } catch (error) {
      fail(error)
    }
  }
}

/** Takes the lines of one session. */
export type Trace = (direction: DialogueLine['direction'], text: string) => void
