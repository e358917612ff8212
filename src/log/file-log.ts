/**
 * The log as a file that others may append to, follow and rotate.
 * One rule: the log never costs a mail. What the disk does not take is kept up to `backlogLimit`, tried again, then
 * given up and counted; it is an error only before anything was sent.
 *
 * sonic-boom opens with O_APPEND and hands each batch to one write(2), so lines of several processes stand whole
 * beside each other; it writes the rest of a batch by itself where the disk took only a part (a disk just full: the
 * one case in which another process's line can come between).
 */
import path from 'node:path'
import sonicBoom, { type SonicBoom } from 'sonic-boom'
import { LogFileError } from './errors.ts'
import type { LogEvent } from './events.ts'
import { createFormat, type FormatLine, type LogFormat } from './format.ts'
import { LineBuffer } from './line-buffer.ts'
import type { Log } from './log.ts'
import { type WallClock, wallClock } from './timestamp.ts'

/** Where the log goes and how it looks. */
export interface FileLogOptions {
  /** Path; relative to the working directory at the time of opening. Created with mode 0640 (it names people). */
  readonly file: string
  /** Default `classic`. */
  readonly format?: LogFormat
  readonly clock?: WallClock
  /**
   * Told once when writing begins to fail, once more after each recovery, and at `close` if lines are missing then.
   * Default: a process warning.
   */
  readonly onError?: (error: LogFileError) => void
}

/** Octets kept while the disk does not take them: about 80,000 lines, 3 seconds at 25,000 a second. */
export const backlogLimit = 16 * 1024 * 1024

/** Octets in one write(2) at most. A busy event loop lets one write through per turn, so it must hold many batches. */
const writeSize = 1024 * 1024

/** While the disk refuses, one write a second asks whether it still does. */
const retryDelayMs = 1_000

/**
 * Opens the file for appending.
 * @throws {LogFileError} It cannot be opened: no such directory, no permission, a directory itself.
 */
export async function openFileLog(options: FileLogOptions): Promise<Log> {
  const file = path.resolve(options.file)
  const sonic = new sonicBoom.SonicBoom({
    dest: file,
    append: true,
    mode: 0o640,
    maxWrite: writeSize,
    maxLength: backlogLimit,
  })
  await new Promise<void>((resolve, reject) => {
    sonic.once('ready', resolve)
    sonic.once('error', (error) => reject(openError(file, error)))
  })
  sonic.removeAllListeners('error')
  return new FileLog(file, sonic, options)
}

function openError(file: string, cause: NodeJS.ErrnoException): LogFileError {
  const why =
    cause.code === 'ENOENT'
      ? `the directory ${path.dirname(file)} does not exist`
      : (cause.code ?? cause.message)
  return new LogFileError(file, `Cannot open the log file ${file}: ${why}`, { cause })
}

function writeError(file: string, cause: NodeJS.ErrnoException, missingLines?: number): LogFileError {
  const missing = missingLines === undefined ? '' : `; its last ${missingLines} lines are missing`
  return new LogFileError(
    file,
    `Cannot write the log file ${file}: ${cause.code ?? cause.message}${missing}`,
    { cause },
  )
}

class FileLog implements Log {
  readonly #file: string
  readonly #sonic: SonicBoom
  readonly #format: FormatLine
  readonly #clock: WallClock
  readonly #onError: (error: LogFileError) => void
  readonly #buffer = new LineBuffer((text, lines) => this.#hand(text, lines))
  /** Lines handed to sonic-boom since the file was last complete. */
  #unwritten = 0
  /** Lines given up since the last one that was kept. */
  #lost = 0
  #accepted = true
  #failure: Error | null = null
  #retryTimer: NodeJS.Timeout | undefined
  #reopening: PromiseWithResolvers<void> | null = null
  #closing: Promise<void> | null = null

  constructor(file: string, sonic: SonicBoom, options: FileLogOptions) {
    this.#file = file
    this.#sonic = sonic
    this.#format = createFormat(options.format ?? 'classic')
    this.#clock = options.clock ?? wallClock
    this.#onError = options.onError ?? ((error) => process.emitWarning(error))
    // Each flush listens while it waits, and any number of callers may flush at once.
    sonic.setMaxListeners(0)
    sonic.on('error', (error: NodeJS.ErrnoException) => this.#failed(error))
    sonic.on('drain', () => this.#written())
    sonic.on('drop', () => {
      this.#accepted = false
    })
  }

  write(event: LogEvent): void {
    if (this.#closing === null) this.#buffer.add(this.#format(event, this.#clock.now()))
  }

  /** Resolves also when the disk does not take the lines: that is said through `onError`. */
  async flush(): Promise<void> {
    if (this.#closing !== null) return this.#closing
    this.#buffer.handOver()
    await this.#drain()
  }

  /** When the file cannot be opened under its name, the log goes on in the file it has, and `onError` is told. */
  reopen(): void {
    if (this.#closing !== null || this.#reopening !== null) return
    // What was said before the rotation belongs into the old file; sonic-boom finishes only the write in flight there.
    this.#buffer.handOver()
    this.#reopening = Promise.withResolvers()
    this.#startReopening()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#buffer.handOver()
    const error = await this.#drain()
    clearTimeout(this.#retryTimer)
    if (error !== null) this.#onError(writeError(this.#file, error, this.#unwritten + this.#lost))
    await new Promise((resolve) => {
      this.#sonic.once('close', resolve).once('error', resolve)
      if (error === null) this.#sonic.end()
      else this.#sonic.destroy()
    })
  }

  /** Hands a batch on, preceded by the number of lines lost before it. */
  #hand(text: string, lines: number): void {
    this.#accepted = true
    this.#sonic.write(this.#lost === 0 ? text : this.#lostLine() + text)
    if (this.#accepted) {
      this.#lost = 0
      this.#unwritten += lines
    } else {
      this.#lost += lines
    }
  }

  #lostLine(): string {
    const error = this.#failure?.message ?? 'the disk was too slow'
    return this.#format({ kind: 'lost', lines: this.#lost, error }, this.#clock.now())
  }

  /** Resolves to what kept the lines from the file, or `null` when they are there. */
  async #drain(): Promise<Error | null> {
    while (this.#reopening !== null) await this.#reopening.promise
    return new Promise((resolve) => this.#sonic.flush((error) => resolve(error ?? null)))
  }

  #startReopening(): void {
    this.#sonic.once('ready', () => this.#endReopening())
    this.#sonic.reopen()
  }

  #endReopening(): void {
    this.#reopening?.resolve()
    this.#reopening = null
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#retryTimer ??= setTimeout(() => this.#retry(), retryDelayMs).unref()
    if (this.#failure === null) this.#onError(this.#describe(error))
    this.#failure = error
    if (this.#reopening === null) return
    // Else sonic-boom would, at the next reopening, close the old descriptor once for each one that failed.
    this.#sonic.removeAllListeners('ready')
    if (error.syscall === 'open') this.#endReopening()
    else this.#startReopening()
  }

  #retry(): void {
    this.#retryTimer = undefined
    if (this.#closing === null) this.#sonic.flush()
  }

  /** Everything handed on stands in the file. */
  #written(): void {
    if (this.#lost > 0) this.#hand('', 0)
    this.#unwritten = 0
    this.#failure = null
  }

  #describe(error: NodeJS.ErrnoException): LogFileError {
    return error.syscall === 'open' ? openError(this.#file, error) : writeError(this.#file, error)
  }
}
