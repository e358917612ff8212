/** The file that `--transcript` names. One rule: every line is in it before the next is said. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { StartError } from '../errors.ts'

/** Takes whole lines, without their ends. */
export type Transcript = Disposable & { write(line: string): void }

/** Makes the file, readable to its owner only, or empties it. @throws {StartError} */
export function openTranscript(file: string): Transcript {
  try {
    const descriptor = openSync(file, 'w', 0o600)
    return {
      write: (line) => void writeSync(descriptor, `${line}\n`),
      [Symbol.dispose]: () => closeSync(descriptor),
    }
  } catch (cause) {
    const words = `--transcript ${file}: cannot be written: ${(cause as Error).message}`
    throw new StartError(words, { isFile: true, cause })
  }
}
