/**
 * Where contents lie. Small ones are BLOBs in the transaction of their entries; large ones are files.
 *
 * One rule: a file is whole and on disk, its name too, before a row names it; a file that no row names is rubbish.
 *
 * Measured (`node test/bench/queue/content-stores.ts`, 2 cores, ext4, messages a second with 1/10/50 to a commit):
 *
 *     octets    BLOB               log + row          file + row
 *     2,048     889/5,675/9,355    566/1,833/8,489    230/847/654
 *     10,240    1,174/4,050/7,817  613/3,174/10,830   348/631/474
 *     65,536    768/1,232/1,112    603/931/1,426      266/296/394
 *     262,144   347/244/420        220/417/382        120/203/180
 *     1 Mi      81/69/67           149/177/103        77/53/71
 *
 * BLOBs need one flush where a log needs two, and no compaction; files need three. Towards a megabyte it makes no
 * difference, and a file can be streamed in and out without being held in memory.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises'
import path from 'node:path'
import type { Message, Requirement } from '../../mail/message.ts'
import { QueueDamagedError, QueueFullError } from '../errors.ts'
import type { PreparedSubmission } from './adding.ts'
import { errorOf, failureOf } from './failures.ts'
import type { StoredContent } from './reading.ts'

/** Contents above this are files; see the measurement above. */
export const FILE_THRESHOLD_OCTETS = 128 * 1024

/** Rubbish is removed when it is this old: a younger file may be one whose row is still on its way. */
const RUBBISH_AGE_MS = 3_600_000

/** The free room is asked for at most this often. */
const FREE_ROOM_LIFE_MS = 1_000

/** What the rows of a small submission take up in table, indexes and log. */
const ROW_OCTETS = 4_096

/** What is free on the disk, less what was let in since that was asked. */
interface Room {
  octets: number
  readonly until: number
}

/** The contents of one queue directory. */
export class Contents {
  readonly #dir: string
  readonly #folder: string
  readonly #reserveOctets: number
  #room: Room | null = null
  #asking: Promise<Room> | null = null

  constructor(dir: string, reserveOctets: number) {
    this.#dir = dir
    this.#folder = path.join(dir, 'content')
    this.#reserveOctets = reserveOctets
  }

  /**
   * Reads a content into memory, or into a file that is on disk when it resolves.
   * @throws {QueueFullError} {QueueUnwritableError}, and whatever reading the message throws; no file is left then
   */
  async store(message: Message): Promise<PreparedSubmission['content']> {
    await this.#demandRoom(message.size)
    // A copy of its own: its memory is handed to the other thread.
    if (message.content !== undefined && message.size <= FILE_THRESHOLD_OCTETS) {
      return { octets: new Uint8Array(message.content) }
    }
    if (message.size <= FILE_THRESHOLD_OCTETS) {
      const chunks: Uint8Array[] = []
      for await (const chunk of message.open()) chunks.push(chunk)
      return { octets: new Uint8Array(Buffer.concat(chunks)) }
    }
    return { file: await this.#write(message) }
  }

  /** What was stored, as a message again. */
  read(stored: StoredContent): Message {
    const { messageId, size, octets, file } = stored
    const requires = new Set(stored.requires.split(',').filter((word) => word !== '') as Requirement[])
    const common = { messageId, size, requires }
    if (octets !== null) return { ...common, content: octets, open: () => once(octets) }
    if (file === null)
      throw new QueueDamagedError(this.#dir, `A content is missing in the queue in ${this.#dir}`)
    return { ...common, open: () => createReadStream(path.join(this.#folder, file)) }
  }

  /** Removes files; what is left after a crash is removed by `removeRubbish`. */
  async remove(files: readonly string[]): Promise<void> {
    for (const file of files) await unlink(path.join(this.#folder, file)).catch(() => {})
  }

  /** Removes what a crash has left: `unnamed` tells which of some files no row names. */
  async removeRubbish(
    now: number,
    unnamed: (files: readonly string[]) => Promise<readonly string[]>,
  ): Promise<void> {
    const old: string[] = []
    for (const file of await readdir(this.#folder)) {
      const { mtimeMs } = await stat(path.join(this.#folder, file)).catch(() => ({ mtimeMs: now }))
      if (now - mtimeMs > RUBBISH_AGE_MS) old.push(file)
    }
    for (let at = 0; at < old.length; at += 500) await this.remove(await unnamed(old.slice(at, at + 500)))
  }

  /**
   * Refuses while there is still room for verdicts to be written: a delivery that cannot be recorded is worse than mail
   * that is not taken in.
   */
  async #demandRoom(octets: number): Promise<void> {
    const room = await this.#roomNow()
    // Twice: a BLOB is written to the log first. What is let in before the next look is counted here.
    const left = room.octets - 2 * octets - ROW_OCTETS
    if (left >= this.#reserveOctets) {
      room.octets = left
      return
    }
    throw new QueueFullError(
      this.#dir,
      `There is no room for the queue in ${this.#dir}: ${room.octets} octets are free, and ${this.#reserveOctets} are kept for what it holds already`,
    )
  }

  #roomNow(): Room | Promise<Room> {
    if (this.#room !== null && this.#room.until >= performance.now()) return this.#room
    // Asked once for all who come meanwhile, so that they go on in their order.
    this.#asking ??= this.#ask()
    return this.#asking
  }

  async #ask(): Promise<Room> {
    const { bavail, bsize } = await statfs(this.#dir).catch(() => ({
      bavail: Number.POSITIVE_INFINITY,
      bsize: 1,
    }))
    this.#room = { octets: bavail * bsize, until: performance.now() + FREE_ROOM_LIFE_MS }
    this.#asking = null
    return this.#room
  }

  async #write(message: Message): Promise<string> {
    const file = randomUUID()
    const temporary = path.join(this.#folder, `${file}.tmp`)
    try {
      const handle = await open(temporary, 'wx', 0o600)
      try {
        await giveToOwnerOf(this.#folder, handle)
        for await (const chunk of message.open()) await writeWhole(handle, chunk)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, path.join(this.#folder, file))
      await this.#flushNames()
      return file
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw isSystemError(error) ? errorOf(failureOf(error), this.#dir) : error
    }
  }

  async #flushNames(): Promise<void> {
    const folder = await open(this.#folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written)).bytesWritten
  }
}

/** What root hands in, as cron does, has to be read by the daemon, which is another user. */
async function giveToOwnerOf(folder: string, handle: FileHandle): Promise<void> {
  const [ours, theirs] = await Promise.all([handle.stat(), stat(folder)])
  if (ours.uid === 0 && theirs.uid !== 0) await handle.chown(theirs.uid, theirs.gid)
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

async function* once(octets: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield octets
}
