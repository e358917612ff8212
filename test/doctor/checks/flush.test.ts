/** A disk that takes what is written and fails to flush it: nothing here can make one, so fsync(2) is played. */
import type { FileHandle } from 'node:fs/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { resolveSettings } from '../../../src/config/settings.ts'
import { judgeQueueDirectory, observeQueueDirectory } from '../../../src/doctor/checks/queue-directory.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** Flushes by flags of opening: `wx` is the file's, `r` the directory's. */
const failing = vi.hoisted(() => new Set<string>())

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>()
  return {
    ...original,
    async open(...args: Parameters<typeof original.open>): Promise<FileHandle> {
      const handle = await original.open(...args)
      if (failing.has(String(args[1])))
        handle.sync = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
      return handle
    },
  }
})

afterEach(() => failing.clear())

test.each([
  ['wx', 'writing a file'],
  ['r', 'flushing the directory'],
])('a flush that fails (%s) is a problem', async (flags, step) => {
  failing.add(flags)
  const dir = await temporaryDirectory()
  const observed = await observeQueueDirectory(resolveSettings({ queue: { dir } }))
  expect(judgeQueueDirectory(observed)).toMatchObject([
    { code: 'queue-unwritable', status: 'problem', summary: `${step} in ${dir} fails: EIO.` },
  ])
})
