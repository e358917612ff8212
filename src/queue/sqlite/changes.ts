/**
 * Word that something may have become due, for whoever waits for it.
 * One rule: a change while nobody waits is told to the next who does; many are one word.
 */
import { WakeFile } from './wake-file.ts'

/** One store's. Close it. */
export class Changes {
  readonly #wake: WakeFile
  readonly #isDaemon: boolean
  #hasChanged = true
  #onChange: (() => void) | null = null

  constructor(dir: string, { isDaemon }: { readonly isDaemon: boolean }) {
    this.#isDaemon = isDaemon
    this.#wake = new WakeFile(dir, () => this.note())
  }

  /** The next change, here or by another process. Rejects with `signal.reason`. */
  next(signal?: AbortSignal): Promise<void> {
    this.#wake.listen()
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#hasChanged) {
      this.#hasChanged = false
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#onChange = null
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#onChange = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
    })
  }

  /** For whoever waits in this process. */
  note(): void {
    const onChange = this.#onChange
    this.#onChange = null
    if (onChange === null) this.#hasChanged = true
    else onChange()
  }

  /** For whoever waits: in this process at once, in others by the file. The daemon is the one that waits. */
  async tell(): Promise<void> {
    this.note()
    if (!this.#isDaemon) await this.#wake.touch()
  }

  close(): void {
    this.#wake.close()
  }
}
