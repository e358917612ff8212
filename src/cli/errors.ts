/** What a command finds wrong with what it was called with. `exit-code.ts` gives each its code. */

/** The command line is wrong. The message names the offending text. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'ERR_USAGE'
}

/** A file named as input cannot be read. */
export class InputFileError extends Error {
  override readonly name = 'InputFileError'
  readonly code = 'ERR_INPUT_FILE'
}

/** What was read is not what it should be. */
export class InputDataError extends Error {
  override readonly name = 'InputDataError'
  readonly code = 'ERR_INPUT_DATA'
}

/** An id names nothing in the queue: delivered, bounced, cancelled, or never there. */
export class NotQueuedError extends Error {
  override readonly name = 'NotQueuedError'
  readonly code = 'ERR_NOT_QUEUED'
}

/** The machine does not let a command begin: a port is taken, a directory cannot be made. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code = 'ERR_START'
  /** It was a file or directory, not the network. */
  readonly isFile: boolean

  constructor(message: string, { isFile, cause }: { readonly isFile: boolean; readonly cause: unknown }) {
    super(message, { cause })
    this.isFile = isFile
  }
}

/** Neither the queue nor the listener of this host takes the mail. */
export class NoWayInError extends Error {
  override readonly name = 'NoWayInError'
  readonly code = 'ERR_NO_WAY_IN'
  /** This user may not write to the queue; another one may, and then there will be a listener. */
  readonly isForbidden: boolean

  constructor(
    message: string,
    { isForbidden, cause }: { readonly isForbidden: boolean; readonly cause: unknown },
  ) {
    super(message, { cause })
    this.isForbidden = isForbidden
  }
}
