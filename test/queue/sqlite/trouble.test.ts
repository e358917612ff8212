/** Directories and disks that are not as they should be. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { messageOf, submissionTo, textOf } from '../../support/queue-submissions.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'mxpress-queue-'))
})

afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

/** A small disk of its own, where this process may mount one. */
function mountSmallDisk(where: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', where]).status === 0
}

const probe = mkdtempSync(path.join(tmpdir(), 'mxpress-mount-'))
const canMount = mountSmallDisk(probe)
if (canMount) execFileSync('umount', [probe])
rmSync(probe, { recursive: true })

describe.skipIf(!canMount)('a disk that is full', () => {
  beforeEach(() => {
    mountSmallDisk(dir)
  })

  afterEach(() => {
    execFileSync('umount', [dir])
  })

  test.each([20_000, 100_000, 500_000])(
    'refuses a content of %i octets whole, and keeps what it has',
    async (octets) => {
      await using store = await openSqliteQueue(dir, { role: 'daemon', reserveOctets: 0 })
      const message = messageOf('fill', octets)
      const added: string[] = []
      let failure: unknown = null
      while (failure === null) {
        await store.add(submissionTo(['bob@example.test'], { message })).then(
          ({ submissionId }) => added.push(submissionId),
          (error: unknown) => {
            failure = error
          },
        )
      }
      expect(failure).toMatchObject({ code: 'ERR_QUEUE_FULL', dir })
      expect((await store.counts()).ready).toBe(added.length)
      expect(await textOf(await store.content(added.at(-1) ?? ''))).toBe(await textOf(message))
      const files = readdirSync(path.join(dir, 'content'))
      expect(files).toHaveLength(octets > 128 * 1024 ? added.length : 0)
    },
  )

  test('what is kept free lets verdicts be written although nothing more is taken in', async () => {
    await using store = await openSqliteQueue(dir, { role: 'daemon', reserveOctets: 12 * 1024 * 1024 })
    let failure: unknown = null
    while (failure === null) {
      await store
        .add(submissionTo(['bob@example.test'], { message: messageOf('fill', 50_000) }))
        .catch((error) => {
          failure = error
        })
    }
    expect(failure).toMatchObject({ code: 'ERR_QUEUE_FULL' })
    const lease = { owner: 'me', now: 2_000, until: 9_000, max: 1_000, perSite: 1_000, room: new Map() }
    const leased = await store.lease(lease)
    expect(leased.length).toBeGreaterThan(10)
    for (const { entry } of leased) {
      expect(await store.settle({ kind: 'delivered', id: entry.id, owner: 'me', attempt: null })).toBe(true)
    }
  })
})

test('one submission that fails takes none of those along that share its commit', async () => {
  await using store = await openSqliteQueue(dir, { role: 'daemon' })
  const broken = { ...submissionTo(['bob@example.test']), createdAt: Number.NaN }
  const results = await Promise.allSettled([
    store.add(submissionTo(['a@one.test'])),
    store.add(broken),
    store.add(submissionTo(['c@three.test'])),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((await store.counts()).ready).toBe(2)
})

describe('a directory', () => {
  test.each([
    ['is gone', 'none', (file: string) => rmSync(file)],
    ['was emptied', 'an empty one', (file: string) => truncateSync(file)],
  ])('whose database %s keeps its contents, and is not taken for a new one', async (_what, found, lose) => {
    {
      await using store = await openSqliteQueue(dir, { role: 'daemon' })
      await store.add(submissionTo(['bob@example.test'], { message: messageOf('large', 200_000) }))
    }
    const contents = readdirSync(path.join(dir, 'content'))
    expect(contents).toHaveLength(1)
    lose(path.join(dir, 'queue.db'))
    for (const role of ['daemon', 'visitor'] as const) {
      await expect(openSqliteQueue(dir, { role })).rejects.toMatchObject({
        code: 'ERR_QUEUE_DAMAGED',
        message: `Expected queue.db in ${dir}, where content/ holds 1 of its messages, found ${found}: bring it back, or move content/ away to begin with an empty queue`,
      })
    }
    expect(readdirSync(path.join(dir, 'content'))).toEqual(contents)
    rmSync(path.join(dir, 'content'), { recursive: true })
    await using fresh = await openSqliteQueue(dir, { role: 'daemon' })
    expect((await fresh.counts()).ready).toBe(0)
  })

  test('that cannot be made is unwritable', async () => {
    writeFileSync(path.join(dir, 'file'), '')
    await expect(openSqliteQueue(path.join(dir, 'file', 'queue'))).rejects.toMatchObject({
      code: 'ERR_QUEUE_UNWRITABLE',
    })
  })

  test('that is not there is not made by who only wants to look', async () => {
    const missing = path.join(dir, 'missing')
    await expect(openSqliteQueue(missing, { create: false })).rejects.toMatchObject({
      code: 'ERR_QUEUE_UNWRITABLE',
      message: `There is no queue in ${missing}`,
    })
    expect(existsSync(missing)).toBe(false)
  })

  test.skipIf(process.getuid?.() === 0 && !canMount)('that is read-only is unwritable', async () => {
    if (process.getuid?.() === 0) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', dir])
    } else chmodSync(dir, 0o500)
    try {
      await expect(openSqliteQueue(dir)).rejects.toMatchObject({ code: 'ERR_QUEUE_UNWRITABLE' })
    } finally {
      if (process.getuid?.() === 0) execFileSync('umount', [dir])
      else chmodSync(dir, 0o700)
    }
  })

  test('is closed to other users', async () => {
    const queue = path.join(dir, 'queue')
    await using store = await openSqliteQueue(queue)
    await store.add(submissionTo(['bob@example.test'], { message: messageOf('large', 200_000) }))
    expect(statSync(queue).mode & 0o077).toBe(0)
    for (const file of ['queue.db', 'queue.db-wal'])
      expect(statSync(path.join(queue, file)).mode & 0o077).toBe(0)
  })

  test.skipIf(process.getuid?.() !== 0)(
    'that is another user’s lets him read what root hands in',
    async () => {
      const [uid, gid] = [12_345, 23_456]
      await using store = await openSqliteQueue(dir)
      for (const name of ['.', 'content']) chownSync(path.join(dir, name), uid, gid)
      await store.add(submissionTo(['bob@example.test'], { message: messageOf('large', 200_000) }))
      const [file = ''] = readdirSync(path.join(dir, 'content'))
      expect(statSync(path.join(dir, 'content', file))).toMatchObject({ uid, gid })
    },
  )
})

describe('a database', () => {
  test('that is none is damaged, and left as it is', async () => {
    mkdirSync(path.join(dir, 'content'))
    writeFileSync(path.join(dir, 'queue.db'), 'Lorem ipsum dolor sit amet'.repeat(100))
    await expect(openSqliteQueue(dir)).rejects.toMatchObject({ code: 'ERR_QUEUE_DAMAGED' })
    expect(statSync(path.join(dir, 'queue.db')).size).toBe(2_600)
  })

  test('of a later version is refused and left as it is', async () => {
    await (await openSqliteQueue(dir)).close()
    const db = new DatabaseSync(path.join(dir, 'queue.db'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect(openSqliteQueue(dir)).rejects.toMatchObject({
      code: 'ERR_QUEUE_DAMAGED',
      message: expect.stringContaining('later version'),
    })
  })

  test('that has been cut short is damaged', async () => {
    const store = await openSqliteQueue(dir)
    await store.add(submissionTo(Array.from({ length: 500 }, (_, n) => `u${n}@d${n}.test`)))
    await store.close()
    truncateSync(path.join(dir, 'queue.db'), 8_192)
    const reading = openSqliteQueue(dir).then(async (cut) => {
      await using open = cut
      return open.list({ selector: { kind: 'all' }, limit: 100 })
    })
    await expect(reading).rejects.toMatchObject({ code: 'ERR_QUEUE_DAMAGED' })
  })
})

describe('a row with text that is no JSON any more', () => {
  const request = { owner: 'me', now: 5_000, until: 60_000, max: 10, perSite: 10, room: new Map() }

  const damage = (statement: string): void => {
    const db = new DatabaseSync(path.join(dir, 'queue.db'))
    db.exec(statement)
    db.close()
  }

  test('holds up neither its own entry nor the others', async () => {
    await using store = await openSqliteQueue(dir, { role: 'daemon' })
    const { entryIds } = await store.add(submissionTo(['a@one.test', 'b@one.test', 'c@two.test']))
    damage(`UPDATE entry SET last = '{"at":', attempts = 1; INSERT INTO attempt SELECT id, 1, '{' FROM entry`)
    const leased = await store.lease(request)
    expect(leased.map(({ entry }) => [entry.id, entry.last])).toEqual(entryIds.map((id) => [id, null]))
    expect(await store.history(entryIds[0] ?? '')).toEqual([])
    expect((await store.list({ selector: { kind: 'all' }, limit: 10 })).entries).toHaveLength(3)
  })

  test('as the trouble of a site is no trouble', async () => {
    await using store = await openSqliteQueue(dir, { role: 'daemon' })
    const { entryIds } = await store.add(submissionTo(['a@one.test']))
    damage(`UPDATE lane SET trouble = '{"until":', not_before = 4000`)
    await store.catchUp({ now: 5_000, graceUntil: 6_000, latestDueAt: 7_000 })
    const [probe] = await store.lease(request)
    expect(probe?.trouble).toBe(null)
    await store.giveBack(entryIds, 'me')
    expect(await store.lease(request)).toHaveLength(1)
  })
})

test('another daemon is told of without its number where nobody knows it', async () => {
  await using _ = await openSqliteQueue(dir, { role: 'daemon' })
  writeFileSync(path.join(dir, 'daemon.pid'), 'nonsense')
  await expect(openSqliteQueue(dir, { role: 'daemon' })).rejects.toThrow(
    `Another daemon works on the queue in ${dir}`,
  )
})
