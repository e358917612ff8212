/**
 * The file that a process touches to tell the others that something is to be done in the queue.
 * One rule: it is a hint. Where a file system tells nobody of changes, the listener looks by itself now and then.
 */
import { type FSWatcher, watch, writeFileSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import path from 'node:path'

/** How often a listener looks although nobody has told it anything; for file systems without notification. */
const LOOK_EVERY_MS = 30_000

/** One directory's. Close it. */
export class WakeFile {
  readonly #file: string
  readonly #onWake: () => void
  #watcher: FSWatcher | null = null
  #timer: NodeJS.Timeout | null = null
  #touching: Promise<void> = Promise.resolve()
  #next: Promise<void> | null = null

  /** Makes the file. */
  constructor(dir: string, onWake: () => void) {
    this.#file = path.join(dir, 'wake')
    this.#onWake = onWake
    writeFileSync(this.#file, '', { flag: 'a', mode: 0o600 })
  }

  /** Begins to listen; the second call does nothing. */
  listen(): void {
    if (this.#timer !== null) return
    this.#timer = setInterval(this.#onWake, LOOK_EVERY_MS).unref()
    try {
      this.#watcher = watch(this.#file, { persistent: false }, this.#onWake)
      // The timer is left.
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // No more watches are to be had, or the file system knows none: the timer is left.
    }
  }

  /** Tells every process that listens; many calls at once are one word. */
  touch(): Promise<void> {
    // One that is under way may have been seen before the latest change: another one follows it.
    this.#next ??= this.#touching.then(() => {
      this.#next = null
      const now = new Date()
      this.#touching = utimes(this.#file, now, now).catch(() => {})
      return this.#touching
    })
    return this.#next
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#watcher?.close()
  }
}
