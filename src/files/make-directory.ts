/** A directory and its parents. By hand, because `mkdir` with `recursive` never returns below /proc (seen in Node 24). */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** How directories are made. */
export interface MakeDirectoryOptions {
  /** Of all that are made; default 0o777. The process's umask takes away from it. */
  readonly mode?: number
}

/** Makes the directory unless it is there, or comes to be there meanwhile. @throws {Error} of the file system, with its code. */
export function makeDirectory(path: string, { mode = 0o777 }: MakeDirectoryOptions = {}): void {
  try {
    makeOne(path, mode)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    // Where the parent is there, the file system has no place for directories, or another process has just made it.
    if (!isDirectory(parent)) makeDirectory(parent, { mode })
    makeOne(path, mode)
  }
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(path)) throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
