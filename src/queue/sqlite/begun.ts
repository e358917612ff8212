/**
 * Which leased entries have been begun, that is: may have reached a peer. For whoever takes over after a crash.
 *
 * One rule: in doubt an entry has been begun. A file for each owner of leases names them; where there is none, or it
 * cannot be trusted, all that the owner has leased count as begun.
 *
 * The file is written and never flushed: what a process has written, the kernel keeps when the process dies. Only with
 * the kernel itself can it be lost, and then the boot id in the file is not the current one. Measured in turns with
 * `test/bench/queue/drain-loop.ts` (8,000 messages, 2 cores, ext4; the drain rate beside that without marks, medians of five):
 *
 *                                     rate    flushes a message
 *     no marks                        1       0.03
 *     this                            1.02    0.03
 *     this, fdatasync shared          0.99    0.07
 *     a column, by the thread         0.97    0.05
 */
import { closeSync, openSync, readdirSync, readFileSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { QueueClosedError } from '../errors.ts'

const PREFIX = 'begun.'

/** A line for each entry: its id, padded. */
const SLOT_OCTETS = 24
/** The first line: the boot id. */
const HEAD_OCTETS = 2 * SLOT_OCTETS
/** Written at the beginning, so that a full disk is no obstacle later; more than are ever in flight by default. */
const SLOTS = 600

/** The files of one queue directory. Close it. */
export class Begun {
  readonly #dir: string
  readonly #files = new Map<string, BegunFile | null>()

  constructor(dir: string) {
    this.#dir = dir
  }

  /** The owner is about to lease something; the first call counts. @throws as `begin` */
  open(owner: string): void {
    if (!this.#files.has(owner)) this.#files.set(owner, this.#make(owner))
  }

  /** @throws when it can neither be noted nor brought about that all of the owner's leases count as begun */
  begin(id: string, owner: string): void {
    const file = this.#files.get(owner)
    if (file === undefined) throw new QueueClosedError(this.#dir, `The queue in ${this.#dir} is closed`)
    try {
      file?.begin(id)
    } catch {
      this.#remove(owner)
      file?.close()
      this.#files.set(owner, null)
    }
  }

  /** The owner has no longer a lease on it. `isGone`: nobody will ever have one. */
  end(id: string, owner: string, { isGone }: { readonly isGone: boolean }): void {
    this.#files.get(owner)?.end(id, isGone)
  }

  /** Begun entries by owner; of owners that are missing, all are. */
  read(): ReadonlyMap<string, ReadonlySet<string>> {
    const begun = new Map<string, ReadonlySet<string>>()
    for (const owner of this.#owners()) {
      const ids = readIds(this.#pathOf(owner))
      if (ids !== null) begun.set(owner, new Set(ids.filter((id) => id !== '')))
    }
    return begun
  }

  /** Nobody but the survivor has a lease any more. What cannot be removed stays: its name is never asked for again. */
  removeOthers(survivor: string | null): void {
    for (const owner of this.#owners()) {
      if (owner === survivor) continue
      this.#files.get(owner)?.close()
      this.#files.delete(owner)
      try {
        this.#remove(owner)
      } catch {
        // A directory of that name, or somebody else's file: no reason not to deliver.
      }
    }
  }

  /** Leaves the files: there may be leases that were not given back. */
  close(): void {
    for (const file of this.#files.values()) file?.close()
    this.#files.clear()
  }

  #make(owner: string): BegunFile | null {
    const boot = bootId()
    try {
      if (boot !== null) return BegunFile.make(this.#pathOf(owner), boot)
    } catch {
      // Half a file, or one that is not of this life of the owner.
    }
    this.#remove(owner)
    return null
  }

  #remove(owner: string): void {
    try {
      unlinkSync(this.#pathOf(owner))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  #owners(): string[] {
    return readdirSync(this.#dir).flatMap((name) => ownerOf(name) ?? [])
  }

  #pathOf(owner: string): string {
    return path.join(this.#dir, PREFIX + encodeURIComponent(owner))
  }
}

/** One owner's. */
class BegunFile {
  readonly #descriptor: number
  readonly #slots = new Map<string, number>()
  readonly #free: number[] = []
  #count = 0

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  static make(file: string, boot: string): BegunFile {
    writeFileSync(file, boot.padEnd(HEAD_OCTETS - 1).concat('\n', lineOf('').repeat(SLOTS)), {
      flag: 'wx',
      mode: 0o600,
    })
    return new BegunFile(openSync(file, 'r+'))
  }

  begin(id: string): void {
    if (this.#slots.has(id)) return
    const slot = this.#free.pop() ?? this.#count++
    this.#write(slot, id)
    this.#slots.set(id, slot)
  }

  end(id: string, isGone: boolean): void {
    const slot = this.#slots.get(id)
    if (slot === undefined) return
    this.#slots.delete(id)
    this.#free.push(slot)
    if (isGone) return
    try {
      this.#write(slot, '')
    } catch {
      // Marked without need, should it be leased again and the program then die.
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #write(slot: number, id: string): void {
    const written = writeSync(this.#descriptor, lineOf(id), HEAD_OCTETS + slot * SLOT_OCTETS, 'latin1')
    if (written !== SLOT_OCTETS) throw new Error('half an entry was written')
  }
}

function lineOf(id: string): string {
  return `${id.padEnd(SLOT_OCTETS - 1)}\n`
}

/** `null`: not to be trusted. */
function readIds(file: string): string[] | null {
  try {
    const [boot, ...ids] = readFileSync(file, 'latin1').split('\n')
    return boot?.trim() === bootId() ? ids.map((id) => id.trim()) : null
  } catch {
    return null
  }
}

/** What names this life of the kernel; `null` where it has none. */
function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() || null
  } catch {
    return null
  }
}

function ownerOf(name: string): string | null {
  if (!name.startsWith(PREFIX)) return null
  try {
    return decodeURIComponent(name.slice(PREFIX.length))
  } catch {
    return null
  }
}
