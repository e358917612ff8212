/**
 * A whole file in memory, but no more than mail can hold. One rule: what ends in time may be read, be it a file, a pipe
 * such as `<(generate)` or a terminal; what has no end, as /dev/zero, is given up at the limit.
 */
import { open } from 'node:fs/promises'

/** Nobody takes mail of this size (large providers 25 to 150 MB), and a process has memory for it a few times over. */
export const readLimitOctets: number = 256 * 1024 * 1024
const limitText = '256 MiB'

/** More than the limit: nothing of it is kept. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
  readonly code = 'ERR_TOO_LARGE'

  /** @param found `300000000 octets`, or what else is known of it */
  constructor(found: string) {
    super(`expected at most ${limitText}, found ${found}; name something smaller, or send a link to it`)
  }
}

/** @throws {TooLargeError} @throws {Error} of the file system, with its code */
export async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path)
  const stats = await file.stat()
  if (stats.isFile() && stats.size > readLimitOctets) throw new TooLargeError(`${stats.size} octets`)
  const kind = stats.isFIFO() ? 'a pipe' : 'a device'
  return await collect(file.createReadStream(), stats.isFile() ? 'more' : `more in ${kind}`)
}

/** What comes, to its end. @throws {TooLargeError} and destroys the stream */
export async function collect(input: AsyncIterable<Uint8Array>, tooLarge = 'more'): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of input) {
    length += chunk.length
    if (length > readLimitOctets) throw new TooLargeError(tooLarge)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
