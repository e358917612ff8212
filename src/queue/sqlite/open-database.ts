/**
 * Opens the database of a queue directory, and keeps a second daemon out of it.
 *
 * One rule: the lock is the kernel's, on a file that only SQLite touches, so that it ends with the process however that
 * ends. (Locks of this kind would be lost if another descriptor of the file were closed in this process.)
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeDirectory } from '../../files/make-directory.ts'
import { QueueDamagedError, QueueLockedError, QueueUnwritableError } from '../errors.ts'
import { migrate } from './schema.ts'

/** How a directory is opened. */
export interface OpenRequest {
  readonly dir: string
  /** `daemon`: nobody else may be one here. `visitor`: looks, steers and adds, with or without a daemon. */
  readonly role: 'daemon' | 'visitor'
  /** Make the directory if there is none. */
  readonly create: boolean
}

/** The database, and the lock if there is one. */
export interface OpenDatabase {
  readonly db: DatabaseSync
  close(): void
}

/** How long a commit of another process is waited for; one takes milliseconds, a page of steering tens of them. */
const BUSY_TIMEOUT_MS = 30_000

/** @throws {QueueError} or SQLite's own error */
export function openDatabase({ dir, role, create }: OpenRequest): OpenDatabase {
  demandAccess(dir, role)
  prepareDirectory(dir, create)
  const lock = role === 'daemon' ? lockDirectory(dir) : null
  let db: DatabaseSync | null = null
  try {
    demandDatabase(dir)
    db = new DatabaseSync(path.join(dir, 'queue.db'), { timeout: BUSY_TIMEOUT_MS })
    // Whoever may not read mail may not read this either.
    chmodSync(path.join(dir, 'queue.db'), 0o600)
    db.exec('PRAGMA journal_mode = WAL')
    // FULL: in WAL mode each commit is flushed; NORMAL would lose the last ones with the power.
    db.exec('PRAGMA synchronous = FULL')
    db.exec('PRAGMA cache_size = -16000')
    // In pages of 4 KB. Each checkpoint costs two flushes; the default, 1,000, is reached by some 400 messages.
    db.exec('PRAGMA wal_autocheckpoint = 2000')
    db.exec('PRAGMA journal_size_limit = 67108864')
    migrate(db, dir)
  } catch (error) {
    db?.close()
    lock?.close()
    throw error
  }
  const opened = db
  return {
    db: opened,
    close() {
      opened.close()
      lock?.close()
    },
  }
}

/** The system's words name neither whose the directory is nor who we are; as root, sendmail may have made it. */
function demandAccess(dir: string, role: OpenRequest['role']): void {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const own = process.getuid?.()
    const owner = ownerOf(dir)
    const isOthers = (cause as NodeJS.ErrnoException).code === 'EACCES' && owner !== own
    // Whatever else is wrong shows when it is used.
    if (!isOthers || owner === null || own === undefined) return
    const remedy = role === 'daemon' ? `; if the daemon is to be this user: chown -R ${own} ${dir}` : ''
    throw new QueueUnwritableError(
      dir,
      `Cannot write to the queue in ${dir}: permission denied: it belongs to user ${owner}, and this is user ${own}${remedy}`,
      { cause },
    )
  }
}

function ownerOf(dir: string): number | null {
  try {
    return statSync(dir).uid
  } catch {
    return null
  }
}

function prepareDirectory(dir: string, create: boolean): void {
  if (create) {
    makeDirectory(path.join(dir, 'content'), { mode: 0o700 })
    return
  }
  try {
    readFileSync(path.join(dir, 'wake'))
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    // There may be one; whoever asks is not to see it, and that is what he can have changed.
    if (!['ENOENT', 'ENOTDIR'].includes(code)) throw cause
    throw new QueueUnwritableError(dir, `There is no queue in ${dir}`, { cause })
  }
}

/** Contents without their database would pass for rubbish, and be removed: whoever lost it may still bring it back. */
function demandDatabase(dir: string): void {
  const size = statSync(path.join(dir, 'queue.db'), { throwIfNoEntry: false })?.size
  const folder = path.join(dir, 'content')
  if (size || !existsSync(folder)) return
  const { length } = readdirSync(folder)
  if (length === 0) return
  throw new QueueDamagedError(
    dir,
    `Expected queue.db in ${dir}, where content/ holds ${length} of its messages, found ${size === 0 ? 'an empty one' : 'none'}: bring it back, or move content/ away to begin with an empty queue`,
  )
}

function lockDirectory(dir: string): DatabaseSync {
  const pidFile = path.join(dir, 'daemon.pid')
  const lock = new DatabaseSync(path.join(dir, 'daemon.lock'), { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    // SQLITE_BUSY
    if ((error as { readonly errcode?: number }).errcode !== 5) throw error
    throw new QueueLockedError(dir, `Another daemon${pidOf(pidFile)} works on the queue in ${dir}`)
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return lock
}

/** Only for the message: the lock is what counts. */
function pidOf(pidFile: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
    return Number.isNaN(pid) ? '' : ` (pid ${pid})`
  } catch {
    return ''
  }
}
