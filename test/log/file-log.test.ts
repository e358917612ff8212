import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LogFileError } from '../../src/log/errors.ts'
import { backlogLimit, openFileLog } from '../../src/log/file-log.ts'
import type { Log } from '../../src/log/log.ts'
import { verdict } from './sample-events.ts'

const clock = { now: () => 0 }
const diskIsFull = existsSync('/dev/full')
const isRoot = process.getuid?.() === 0

let directory: string
let file: string

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'mxpress-log-'))
  file = path.join(directory, 'mxpress.log')
})

afterEach(() => rm(directory, { recursive: true }))

/** The `to` of every line, in the order of the file; fails on a line that is not whole. */
async function recipients(name = file): Promise<string[]> {
  const text = await readFile(name, 'utf8')
  expect(text === '' || text.endsWith('\n')).toBe(true)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).to)
}

function writeTo(log: Log, to: string): void {
  log.write({ ...verdict, to })
}

describe('an open log', () => {
  test('appends to what is there, in the order of writing', async () => {
    for (const to of ['first@b.test', 'second@b.test']) {
      const log = await openFileLog({ file, format: 'json', clock })
      writeTo(log, to)
      writeTo(log, `after-${to}`)
      await log.close()
    }
    expect(await recipients()).toEqual([
      'first@b.test',
      'after-first@b.test',
      'second@b.test',
      'after-second@b.test',
    ])
  })

  test('is classic unless told otherwise', async () => {
    const log = await openFileLog({ file, clock })
    log.write(verdict)
    await log.close()
    expect(await readFile(file, 'utf8')).toMatch(
      /^1970-01-01T00:00:00\.000Z .+\]: 4D1A to=<bob@example\.test> .*"\n$/,
    )
  })

  test('has its lines in the file after flush, and without being asked', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    writeTo(log, 'a@b.test')
    await log.flush()
    expect(await recipients()).toEqual(['a@b.test'])
    writeTo(log, 'c@d.test')
    await expect.poll(() => recipients()).toEqual(['a@b.test', 'c@d.test'])
    await log.close()
  })

  test('is readable by owner and group only: it names people', async () => {
    const log = await openFileLog({ file })
    await log.close()
    expect((await stat(file)).mode & 0o007).toBe(0)
  })

  test('takes 100,000 lines in bursts, and loses none', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    const expected: string[] = []
    for (let index = 0; index < 100_000; index++) {
      expected.push(`${index}@b.test`)
      writeTo(log, `${index}@b.test`)
      if (index % 10_000 === 0) await log.flush()
    }
    await log.close()
    expect(await recipients()).toEqual(expected)
  })

  test('gives up what is written faster than any disk could take it, and counts it', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    const written = 100_000
    for (let index = 0; index < written; index++) writeTo(log, `${index}@b.test`)
    await log.close()
    const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
    const last = JSON.parse(lines.at(-1) ?? '')
    expect(last).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      kind: 'lost',
      lines: written - (lines.length - 1),
      error: 'the disk was too slow',
    })
  })

  test('ignores what comes after close, which may be called twice', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    await Promise.all([log.close(), log.close()])
    writeTo(log, 'late@b.test')
    log.reopen()
    await log.flush()
    expect(await recipients()).toEqual([])
  })

  test('stands whole line by whole line beside what another process appends', async () => {
    const program = fileURLToPath(new URL('append-lines.ts', import.meta.url))
    const run = (name: string) => promisify(execFile)(process.execPath, [program, file, name, '2000'])
    await Promise.all([run('one'), run('two')])
    const lines = (await readFile(file, 'utf8')).split('\n')
    expect(lines.pop()).toBe('')
    const whole = /\]: (one|two) to=<(\d+)@example\.test> field=to .* reply="250 2\.0\.0 Ok: queued as 4D1"$/
    const seen: Record<string, number[]> = { one: [], two: [] }
    for (const line of lines) {
      const [, name = line, index] = whole.exec(line) ?? []
      seen[name]?.push(Number(index))
    }
    const inOrder = Array.from({ length: 2_000 }, (_, index) => index)
    expect(seen).toEqual({ one: inOrder, two: inOrder })
  })
})

describe('reopening', () => {
  test('goes on in a new file under the old name, after logrotate has moved the old one', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    writeTo(log, 'old@b.test')
    await log.flush()
    await rename(file, `${file}.1`)
    log.reopen()
    writeTo(log, 'new@b.test')
    await log.close()
    expect(await recipients(`${file}.1`)).toEqual(['old@b.test'])
    expect(await recipients()).toEqual(['new@b.test'])
  })

  test('leaves in the old file what was said before', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    writeTo(log, 'old@b.test')
    await rename(file, `${file}.1`)
    log.reopen()
    writeTo(log, 'new@b.test')
    await log.close()
    expect(await recipients(`${file}.1`)).toEqual(['old@b.test'])
    expect(await recipients()).toEqual(['new@b.test'])
  })

  test('in the middle of writing loses no line and cuts none, twice at once too', async () => {
    const log = await openFileLog({ file, format: 'json', clock })
    for (let index = 0; index < 3_000; index++) writeTo(log, `${index}@b.test`)
    await rename(file, `${file}.1`)
    log.reopen()
    log.reopen()
    for (let index = 3_000; index < 6_000; index++) writeTo(log, `${index}@b.test`)
    await log.close()
    const all = [...(await recipients(`${file}.1`)), ...(await recipients())]
    expect(all).toEqual(Array.from({ length: 6_000 }, (_, index) => `${index}@b.test`))
  })

  test('stays with the file it has when the new one cannot be opened, says so, and can try again', async () => {
    const errors: Error[] = []
    const log = await openFileLog({ file, format: 'json', clock, onError: (error) => errors.push(error) })
    const elsewhere = `${directory}.away`
    await rename(directory, elsewhere)
    log.reopen()
    writeTo(log, 'one@b.test')
    await log.flush()
    expect(errors.map((error) => error.message)).toEqual([
      `Cannot open the log file ${file}: the directory ${directory} does not exist`,
    ])
    await rename(elsewhere, directory)
    expect(await recipients()).toEqual(['one@b.test'])
    await rename(file, `${file}.1`)
    log.reopen()
    writeTo(log, 'two@b.test')
    await log.close()
    expect(await recipients()).toEqual(['two@b.test'])
    expect(errors).toHaveLength(1)
  })
})

describe('a file that cannot be opened is an error before anything is sent', () => {
  test('a missing directory', async () => {
    const missing = path.join(directory, 'no', 'mxpress.log')
    const error = await openFileLog({ file: missing }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(LogFileError)
    expect(error).toMatchObject({
      code: 'ERR_LOG_FILE',
      file: missing,
      message: `Cannot open the log file ${missing}: the directory ${path.dirname(missing)} does not exist`,
    })
  })

  test('a directory', async () => {
    await expect(openFileLog({ file: directory })).rejects.toThrow(
      `Cannot open the log file ${directory}: EISDIR`,
    )
  })

  test.skipIf(isRoot)('a directory without permission (root may write anywhere: skipped)', async () => {
    await chmod(directory, 0o500)
    await expect(openFileLog({ file })).rejects.toThrow('EACCES')
    await chmod(directory, 0o700)
  })
})

describe.skipIf(!diskIsFull)('a disk that is full (skipped where there is no /dev/full)', () => {
  /** The log goes through a symbolic link, which the test points elsewhere when the disk shall have room. */
  async function openFull(onError: (error: Error) => void): Promise<Log> {
    await symlink('/dev/full', file)
    return openFileLog({ file, format: 'json', clock, onError })
  }

  async function makeRoom(log: Log): Promise<void> {
    await rm(file)
    log.reopen()
  }

  test('is reported once, and the lines are there when it has room again', async () => {
    const errors: string[] = []
    const log = await openFull((error) => errors.push(error.message))
    const expected: string[] = []
    for (let index = 0; index < 10; index++) {
      expected.push(`${index}@b.test`)
      writeTo(log, `${index}@b.test`)
      await log.flush()
    }
    expect(errors).toEqual([`Cannot write the log file ${file}: ENOSPC`])
    await makeRoom(log)
    await log.close()
    expect(await recipients()).toEqual(expected)
    expect(errors).toHaveLength(1)
  })

  test('holds a bounded backlog; the lines given up are counted in the log', async () => {
    const log = await openFull(() => {})
    const written = 100_000
    for (let index = 0; index < written; index++) writeTo(log, `${index}@b.test`)
    await log.flush()
    await makeRoom(log)
    writeTo(log, 'last@b.test')
    await log.close()
    expect((await stat(file)).size).toBeLessThan(backlogLimit + 1_000)
    const records = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const lost = records.findIndex((record) => record.kind === 'lost')
    expect(records[lost]).toMatchObject({
      error: 'ENOSPC: no space left on device, write',
      lines: written - lost,
    })
    expect(records.slice(0, lost).map((record) => record.to)).toEqual(
      Array.from({ length: lost }, (_, index) => `${index}@b.test`),
    )
    expect(records.slice(lost + 1).map((record) => record.to)).toEqual(['last@b.test'])
  })

  test('does not keep the log from reopening while a write fails', async () => {
    const log = await openFull(() => {})
    writeTo(log, 'a@b.test')
    await makeRoom(log)
    await log.close()
    expect(await recipients()).toEqual(['a@b.test'])
  })

  test('at close costs the lines, a report of how many, and nothing else', async () => {
    const errors: string[] = []
    const log = await openFull((error) => errors.push(error.message))
    for (const to of ['a@b.test', 'c@b.test']) writeTo(log, to)
    await log.close()
    expect(errors).toEqual([
      `Cannot write the log file ${file}: ENOSPC`,
      `Cannot write the log file ${file}: ENOSPC; its last 2 lines are missing`,
    ])
  })
})
