/**
 * Can the queue directory keep mail? A file is written there, flushed, read back and removed. One rule: what was not there
 * is not made: that is for `mxpress serve`, under its own user.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, statfs, unlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Settings } from '../../config/settings.ts'
import { defineCheck } from '../check.ts'
import {
  type Evidence,
  type Finding,
  ok,
  problem,
  type Remedy,
  runCommand,
  setting,
  shellWord,
  warning,
} from '../result.ts'

/** What was tried, and what came of it. */
export interface QueueDirectoryObservation {
  readonly dir: string
  /** `null` when the directory is there; else the nearest one above it that is. */
  readonly missingBelow: string | null
  /** The system's code, and at what step; `null` when all went well. */
  readonly failure: { readonly step: string; readonly code: string } | null
  /** Of the file system, as far as it matters. */
  readonly kind: 'memory' | 'network' | 'other'
  readonly freeOctets: number
  readonly maxMessageOctets: number
  /** Who tried: root may write where the daemon's own user may not. */
  readonly user: string
}

/** Room for a few messages of the size that submission accepts. */
const messagesOfRoom = 10

/** f_type of statfs(2), linux/magic.h. */
const fileSystems: Readonly<Record<number, 'memory' | 'network'>> = {
  16914836: 'memory', // tmpfs
  2240043254: 'memory', // ramfs
  26985: 'network', // NFS
  4283649346: 'network', // CIFS
  4266872130: 'network', // SMB2
  1702057286: 'network', // FUSE: sshfs and the like
}

const elsewhere = setting('Put it on a local disk.', '[queue]\ndir = "/var/lib/mxpress/queue"')

/** One finding; what loses mail stands before what may fill up. */
export function judgeQueueDirectory(observed: QueueDirectoryObservation): readonly Finding[] {
  const { dir, missingBelow, failure, kind, freeOctets, maxMessageOctets } = observed
  const evidence = evidenceFor(observed)
  if (failure !== null) {
    const summary = `${failure.step} in ${missingBelow ?? dir} fails: ${failure.code}.`
    return [problem({ code: 'queue-unwritable', summary, evidence, remedies: makeDirectory(dir) })]
  }
  if (kind === 'memory') {
    const summary = `${dir} is in memory: queued mail is lost when the host restarts.`
    return [warning({ code: 'queue-in-memory', summary, evidence, remedies: [elsewhere] })]
  }
  if (kind === 'network') {
    const summary = `${dir} is on a network file system, whose locks and flushes cannot be relied on.`
    return [warning({ code: 'queue-on-network', summary, evidence, remedies: [elsewhere] })]
  }
  if (freeOctets < messagesOfRoom * maxMessageOctets) {
    const summary = `${dir} has ${megabytes(freeOctets)} left, less than ${messagesOfRoom} messages may need.`
    return [warning({ code: 'queue-nearly-full', summary, evidence, remedies: [elsewhere] })]
  }
  const summary =
    missingBelow === null
      ? `${dir} can be written and flushed; ${megabytes(freeOctets)} left.`
      : `${dir} is not there yet and can be made; ${megabytes(freeOctets)} left.`
  return [ok({ code: missingBelow === null ? 'queue-durable' : 'queue-not-made', summary, evidence })]
}

function evidenceFor({
  dir,
  missingBelow,
  failure,
  freeOctets,
  user,
}: QueueDirectoryObservation): readonly Evidence[] {
  const what = missingBelow === null ? `write and fsync in ${dir}` : `write permission in ${missingBelow}`
  const asked = `${what} as ${user}`
  const answers = failure === null ? ['done', `${megabytes(freeOctets)} free`] : []
  return [{ kind: 'system', asked, answers, failure: failure?.code ?? null }]
}

function makeDirectory(dir: string): readonly Remedy[] {
  return [
    runCommand(
      'Make it, for the user that mxpress runs as.',
      `install -d -m 700 -o mxpress ${shellWord(dir)}`,
    ),
  ]
}

function megabytes(octets: number): string {
  return `${Math.floor(octets / 1_000_000).toLocaleString('en')} MB`
}

/** Tries it. */
export async function observeQueueDirectory(settings: Settings): Promise<QueueDirectoryObservation> {
  const dir = path.resolve(settings.queue.dir)
  const there = await nearestDirectory(dir)
  const failure = there === dir ? await tryWriting(dir) : await mayWrite(there)
  const { type, bavail, bsize } = await statfs(there)
  return {
    dir,
    missingBelow: there === dir ? null : there,
    failure,
    kind: fileSystems[type] ?? 'other',
    freeOctets: bavail * bsize,
    maxMessageOctets: settings.submission.maxSize,
    user: userName(),
  }
}

function userName(): string {
  try {
    return os.userInfo().username
  } catch {
    return `user ${process.getuid?.()}` // without an entry in the system's list
  }
}

/** Itself, or the nearest above it that is there. */
async function nearestDirectory(dir: string): Promise<string> {
  const isThere = await access(dir).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
  )
  return isThere || dir === path.dirname(dir) ? dir : nearestDirectory(path.dirname(dir))
}

async function mayWrite(dir: string): Promise<QueueDirectoryObservation['failure']> {
  return attempt('making it', () => access(`${dir}/.`, constants.W_OK | constants.X_OK))
}

async function tryWriting(dir: string): Promise<QueueDirectoryObservation['failure']> {
  const file = path.join(dir, `.doctor-${randomUUID()}`)
  try {
    return (
      (await attempt('writing a file', () => writeAndFlush(file))) ??
      // What a crash leaves is decided by the directory as well.
      (await attempt('flushing the directory', () => flush(dir)))
    )
  } finally {
    await unlink(file).catch(() => {}) // never written, or another user's by now
  }
}

async function writeAndFlush(file: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.write('mxpress doctor\n')
  await handle.sync()
}

async function flush(dir: string): Promise<void> {
  await using handle = await open(dir, 'r')
  await handle.sync()
}

async function attempt(
  step: string,
  work: () => Promise<void>,
): Promise<QueueDirectoryObservation['failure']> {
  try {
    await work()
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { step, code: code ?? message }
  }
}

export const queueDirectoryCheck = defineCheck({
  name: 'queue-directory',
  title: 'Queue directory',
  observe: ({ settings }) => observeQueueDirectory(settings),
  judge: judgeQueueDirectory,
})
