/** What is thrown for a message that cannot be sent, whether it was written by hand or given as options. */

/**
 * A message that cannot be put on the wire, or options from which none can be made. The text says what is wrong
 * and where; where a line of the input is to blame, `line` counts it from 1 as an editor would.
 */
export class MessageError extends Error {
  override readonly name = 'MessageError'
  readonly code = 'ERR_MESSAGE'
  /** The line of the input, from 1; `null` where no line is to blame. */
  readonly line: number | null

  constructor(reason: string, line: number | null = null) {
    super(line === null ? reason : `line ${line}: ${reason}`)
    this.line = line
  }
}
