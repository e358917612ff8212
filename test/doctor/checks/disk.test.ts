import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveSettings } from '../../../src/config/settings.ts'
import { judgeLogFile, observeLogFile } from '../../../src/doctor/checks/log-file.ts'
import {
  judgeQueueDirectory,
  observeQueueDirectory,
  type QueueDirectoryObservation,
} from '../../../src/doctor/checks/queue-directory.ts'
import { mountSmallDisk, whyNoSmallDisk } from '../../support/small-disk.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const observe = (dir: string) => observeQueueDirectory(resolveSettings({ queue: { dir } }))

describe('the queue directory', () => {
  const durable: QueueDirectoryObservation = {
    dir: '/q',
    missingBelow: null,
    failure: null,
    kind: 'other',
    freeOctets: 1e12,
    maxMessageOctets: 5e7,
    user: 'mxpress',
  }
  const failure = { step: 'writing a file', code: 'EACCES' }

  test.each([
    [{}, 'queue-durable', 'ok'],
    [{ missingBelow: '/' }, 'queue-not-made', 'ok'],
    [{ failure }, 'queue-unwritable', 'problem'],
    [{ missingBelow: '/', failure }, 'queue-unwritable', 'problem'],
    [{ kind: 'memory' }, 'queue-in-memory', 'warning'],
    [{ kind: 'network' }, 'queue-on-network', 'warning'],
    [{ freeOctets: 4e8 }, 'queue-nearly-full', 'warning'],
  ] as const)('%j', (change, code, status) => {
    expect(judgeQueueDirectory({ ...durable, ...change })).toMatchObject([{ code, status }])
  })

  test('one that is there is written to, and left as it was', async () => {
    const dir = await temporaryDirectory()
    await writeFile(path.join(dir, 'kept'), '')
    expect(await observe(dir)).toMatchObject({ dir, missingBelow: null, failure: null })
    expect(await readdir(dir)).toEqual(['kept'])
  })

  test('one that is not there is not made', async () => {
    const dir = await temporaryDirectory()
    const wanted = path.join(dir, 'some', 'queue')
    expect(await observe(wanted)).toMatchObject({ dir: wanted, missingBelow: dir, failure: null })
    expect(await readdir(dir)).toEqual([])
  })

  test('a file in its place, or above it, is a failure', async () => {
    const file = path.join(await temporaryDirectory(), 'file')
    await writeFile(file, '')
    expect(await observe(file)).toMatchObject({ failure: { step: 'writing a file', code: 'ENOTDIR' } })
    expect(await observe(path.join(file, 'queue'))).toMatchObject({
      missingBelow: file,
      failure: { step: 'making it', code: 'ENOTDIR' },
    })
  })

  test('a place where no file can be made is a failure', async () => {
    expect(await observe('/proc/self')).toMatchObject({ failure: { step: 'writing a file' } })
  })

  test('the command makes a directory of any name', () => {
    const dir = "/srv/it's here; rm -rf"
    const [finding] = judgeQueueDirectory({ ...durable, dir, failure })
    expect(finding?.remedies[0]?.paste).toBe(`install -d -m 700 -o mxpress '/srv/it'\\''s here; rm -rf'`)
  })
})

const reason = whyNoSmallDisk()

describe.skipIf(reason !== null)(`a disk of its own${reason === null ? '' : ` (${reason})`}`, () => {
  test('in memory it is no place for a queue', async () => {
    using disk = mountSmallDisk(1)
    expect(judgeQueueDirectory(await observe(disk.path))).toMatchObject([{ code: 'queue-in-memory' }])
  })

  test('full, it fails to be written', async () => {
    using disk = mountSmallDisk(1)
    await writeFile(path.join(disk.path, 'full'), Buffer.alloc(2 ** 20)).catch(() => {})
    expect(judgeQueueDirectory(await observe(disk.path))).toMatchObject([
      { code: 'queue-unwritable', summary: `writing a file in ${disk.path} fails: ENOSPC.` },
    ])
  })

  test('read-only, it fails whether the directory and the log are there or not', async () => {
    using disk = mountSmallDisk(1)
    const log = path.join(disk.path, 'mxpress.log')
    await writeFile(log, '')
    disk.makeReadOnly()
    expect(await observe(disk.path)).toMatchObject({ failure: { code: 'EROFS' } })
    expect(await observe(path.join(disk.path, 'queue'))).toMatchObject({ failure: { code: 'EROFS' } })
    expect(await observeLogFile(log)).toMatchObject({ exists: true, failure: 'EROFS' })
    expect(await observeLogFile(`${log}.1`)).toMatchObject({ exists: false, failure: 'EROFS' })
  })
})

describe('the log', () => {
  test('one that is there is opened, and left as it was', async () => {
    const file = path.join(await temporaryDirectory(), 'mxpress.log')
    await writeFile(file, 'before\n')
    const observed = await observeLogFile(file)
    expect(judgeLogFile(observed)).toMatchObject([{ code: 'log-writable', status: 'ok' }])
    expect(await readFile(file, 'utf8')).toBe('before\n')
  })

  test('one that is not there is not made', async () => {
    const dir = await temporaryDirectory()
    const observed = await observeLogFile(path.join(dir, 'mxpress.log'))
    expect(judgeLogFile(observed)).toMatchObject([{ code: 'log-writable', status: 'ok' }])
    expect(await readdir(dir)).toEqual([])
  })

  test('a directory in its place, or none around it, is a problem', async () => {
    const dir = await temporaryDirectory()
    await mkdir(path.join(dir, 'log'))
    expect(judgeLogFile(await observeLogFile(path.join(dir, 'log')))).toMatchObject([
      { code: 'log-unwritable', status: 'problem', remedies: [{ paste: `chown mxpress ${dir}/log` }] },
    ])
    expect(judgeLogFile(await observeLogFile(path.join(dir, 'none', 'log')))).toMatchObject([
      {
        code: 'log-unwritable',
        status: 'problem',
        remedies: [{ paste: `install -d -o mxpress ${dir}/none` }],
      },
    ])
  })

  test('no log is no fault', async () => {
    expect(judgeLogFile(await observeLogFile(null))).toMatchObject([{ code: 'log-none', status: 'ok' }])
  })
})
