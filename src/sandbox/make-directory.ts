/** A directory and its parents. By hand, because `mkdir` with `recursive` never returns below /proc (seen in Node 24). */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes the directory unless it is there. @throws {Error} of the file system, with its code. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await isDirectory(path))) return
    // No such parent; where the parent is there, the file system has no place for directories.
    if (code !== 'ENOENT' || (await isDirectory(dirname(path)))) throw error
    await makeDirectory(dirname(path))
    await mkdir(path)
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
