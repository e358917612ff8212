/** SQLite's errors as the queue's. One rule: the class is chosen by SQLite's result code, never by its words. */
import {
  QueueClosedError,
  QueueDamagedError,
  type QueueError,
  QueueFullError,
  QueueLockedError,
  QueueUnwritableError,
} from '../errors.ts'

/** A failure as it travels between threads. */
export interface Failure {
  readonly kind: 'full' | 'unwritable' | 'locked' | 'damaged' | 'closed' | 'defect'
  readonly message: string
  /** The message is a sentence of ours that names the directory. */
  readonly isSentence?: true
}

// Primary result codes: https://sqlite.org/rescode.html; extended ones carry them in the low octet.
const PERM = 3
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26
// SQLite calls only ENOSPC full; a quota (EDQUOT) or a limit on file size (EFBIG) is a write that failed.
const IOERR_WRITE = 778
const IOERR_SHMSIZE = 4874

const kinds: ReadonlyMap<number, Failure['kind']> = new Map([
  [FULL, 'full'],
  [PERM, 'unwritable'],
  [READONLY, 'unwritable'],
  [IOERR, 'unwritable'],
  [CANTOPEN, 'unwritable'],
  [BUSY, 'locked'],
  [LOCKED, 'locked'],
  [CORRUPT, 'damaged'],
  [NOTADB, 'damaged'],
])

const systemKinds: Readonly<Record<string, Failure['kind']>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  // No descriptors are left: it passes, as a full disk does, and is no defect.
  EMFILE: 'full',
  ENFILE: 'full',
  EACCES: 'unwritable',
  EPERM: 'unwritable',
  EROFS: 'unwritable',
  ENOENT: 'unwritable',
  ENOTDIR: 'unwritable',
  EEXIST: 'unwritable',
  EIO: 'unwritable',
}

/** What went wrong, for the other thread. */
export function failureOf(error: unknown): Failure {
  const { message, errcode, code } = error as Error & { readonly errcode?: number; readonly code?: string }
  const isSentence = true
  if (error instanceof QueueDamagedError) return { kind: 'damaged', message, isSentence }
  if (error instanceof QueueLockedError) return { kind: 'locked', message, isSentence }
  if (error instanceof QueueUnwritableError) return { kind: 'unwritable', message, isSentence }
  if (error instanceof QueueClosedError) return { kind: 'closed', message, isSentence }
  if (errcode === IOERR_WRITE || errcode === IOERR_SHMSIZE) return { kind: 'full', message }
  if (errcode !== undefined) return { kind: kinds.get(errcode & 0xff) ?? 'defect', message }
  return { kind: systemKinds[code ?? ''] ?? 'defect', message }
}

const sentences = {
  full: 'There is no room for the queue in',
  unwritable: 'Cannot write to the queue in',
  locked: 'Another process uses the queue in',
  damaged: 'The database is damaged of the queue in',
}

/** The error for whoever asked. */
export function errorOf({ kind, message, isSentence }: Failure, dir: string): QueueError | Error {
  if (kind === 'closed') return new QueueClosedError(dir, message)
  if (kind === 'defect') return new Error(`Defect in the queue: ${message}`)
  const text = isSentence ? message : `${sentences[kind]} ${dir}: ${message}`
  switch (kind) {
    case 'full':
      return new QueueFullError(dir, text)
    case 'unwritable':
      return new QueueUnwritableError(dir, text)
    case 'locked':
      return new QueueLockedError(dir, text)
    case 'damaged':
      return new QueueDamagedError(dir, text)
    default:
      return kind satisfies never
  }
}
