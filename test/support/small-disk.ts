/** A file system of the test's own that can be filled and made read-only; wants root, for mount(8). */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A mounted tmpfs. */
export interface SmallDisk extends Disposable {
  readonly path: string
  makeReadOnly(): void
}

/** Mounts one. @throws when this process may not mount */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const place = mkdtempSync(path.join(tmpdir(), 'mxpress-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', place], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(place)
    throw error
  }
  return {
    path: place,
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', place], { stdio: 'pipe' }),
    [Symbol.dispose]() {
      // Lazily: whatever a failed test has left open shall not keep it.
      execFileSync('umount', ['-l', place], { stdio: 'pipe' })
      rmdirSync(place)
    },
  }
}

/** Why there can be no small disk here; `null` when there can. */
export function whyNoSmallDisk(): string | null {
  try {
    mountSmallDisk(1)[Symbol.dispose]()
    return null
  } catch (error) {
    return `tmpfs cannot be mounted: ${(error as Error).message.split('\n')[0]}`
  }
}
