/** Why the queue cannot do what it was asked. One class per way of failing; none of them leaves anything half done. */

/** What all of them share: a stable `code`, the directory, and the `cause` from below. */
export abstract class QueueError extends Error {
  abstract readonly code: string
  /** The queue directory. */
  readonly dir: string

  constructor(dir: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.dir = dir
  }
}

/** No room on the disk, or a quota is used up. May pass: SMTP says 452, sendmail exits 75. */
export class QueueFullError extends QueueError {
  override readonly name = 'QueueFullError'
  readonly code = 'ERR_QUEUE_FULL'
}

/** The directory or a file in it cannot be written or made. sendmail exits 73. */
export class QueueUnwritableError extends QueueError {
  override readonly name = 'QueueUnwritableError'
  readonly code = 'ERR_QUEUE_UNWRITABLE'
}

/** Another daemon works on this directory; or another process has kept the database to itself for too long. */
export class QueueLockedError extends QueueError {
  override readonly name = 'QueueLockedError'
  readonly code = 'ERR_QUEUE_LOCKED'
}

/** The database is no database, was written by a later version, or fails its own checks; or a content is missing. */
export class QueueDamagedError extends QueueError {
  override readonly name = 'QueueDamagedError'
  readonly code = 'ERR_QUEUE_DAMAGED'
}

/** Something was asked of a store that is closed, or whose thread has died. */
export class QueueClosedError extends QueueError {
  override readonly name = 'QueueClosedError'
  readonly code = 'ERR_QUEUE_CLOSED'
}
