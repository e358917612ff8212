import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectory } from '../../src/files/make-directory.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mxpress-test-'))
})
afterEach(() => rm(home, { recursive: true }))

test('it makes the parents too, and is content with what is there', async () => {
  const path = join(home, 'a', 'b', 'c')
  makeDirectory(path, { mode: 0o700 })
  makeDirectory(path)
  for (const made of [path, join(home, 'a')]) {
    const found = await stat(made)
    expect([found.isDirectory(), found.mode & 0o777]).toEqual([true, 0o700])
  }
})

test('a file in the way is an error', async () => {
  await writeFile(join(home, 'a'), '')
  expect(() => makeDirectory(join(home, 'a'))).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  expect(() => makeDirectory(join(home, 'a', 'b'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
})

test('where no directory can be made it fails instead of trying for ever', () => {
  expect(() => makeDirectory('/proc/mxpress/mail')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})
