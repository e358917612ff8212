import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectory } from '../../src/sandbox/make-directory.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mxpress-test-'))
})
afterEach(() => rm(home, { recursive: true }))

test('it makes the parents too, and is content with what is there', async () => {
  const path = join(home, 'a', 'b', 'c')
  await makeDirectory(path)
  await makeDirectory(path)
  expect((await stat(path)).isDirectory()).toBe(true)
})

test('a file in the way is an error', async () => {
  await writeFile(join(home, 'a'), '')
  await expect(makeDirectory(join(home, 'a'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeDirectory(join(home, 'a', 'b'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('where no directory can be made it fails instead of trying for ever', async () => {
  await expect(makeDirectory('/proc/mxpress/mail')).rejects.toMatchObject({ code: 'ENOENT' })
})
