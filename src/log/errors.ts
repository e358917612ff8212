/** What can go wrong with the log itself; never a reason for mail to fail. */

/** The log file cannot be opened (found before anything is sent) or, later, written to. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError'
  readonly code = 'ERR_LOG_FILE'
  /** Absolute path. */
  readonly file: string

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.file = file
  }
}
