/** When it is not known what has been begun, all that was leased counts as begun. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Begun } from '../../../src/queue/sqlite/begun.ts'
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { submissionTo } from '../../support/queue-submissions.ts'
import { mountSmallDisk, whyNoSmallDisk } from '../../support/small-disk.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'mxpress-begun-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

const names = (): string[] => readdirSync(dir).filter((name) => name.startsWith('begun.'))

/** Leases two entries as `dead`, begins the first, and closes the store as if the process had died. */
async function leaveBehind(): Promise<void> {
  await using store = await openSqliteQueue(dir, { role: 'daemon' })
  const { entryIds } = await store.add(submissionTo(['begun@one.test', 'waits@one.test']))
  await store.lease({ owner: 'dead', now: 1_000, until: 1e12, max: 9, perSite: 9, room: new Map() })
  await store.begin(entryIds[0] ?? '', 'dead')
}

/** Who is marked when the next life takes over. */
async function markedByTheNext(): Promise<string[]> {
  await using store = await openSqliteQueue(dir, { role: 'daemon' })
  await store.reclaim({ now: 2_000, survivor: 'next', dueAt: 3_000, hold: false })
  const { entries } = await store.list({ selector: { kind: 'all' }, limit: 9 })
  return entries.flatMap(({ uncertain, recipient }) => (uncertain ? recipient.address.localPart : []))
}

test('after the death of the process only what was begun is marked, and the file goes', async () => {
  await leaveBehind()
  expect(names()).toEqual(['begun.dead'])
  expect(await markedByTheNext()).toEqual(['begun'])
  expect(names()).toEqual([])
})

test.each([
  ['the kernel has been started again since', (text: string) => text.replace(/^\S+/, '0-0-0-0')],
  ['the file is empty', () => ''],
])('all are marked when %s', async (_why, change) => {
  await leaveBehind()
  const file = path.join(dir, 'begun.dead')
  writeFileSync(file, change(readFileSync(file, 'latin1')))
  expect(await markedByTheNext()).toEqual(['begun', 'waits'])
})

test('all are marked when there is no file: it was lost, or an earlier version had them', async () => {
  await leaveBehind()
  rmSync(path.join(dir, 'begun.dead'))
  expect(await markedByTheNext()).toEqual(['begun', 'waits'])
})

test('what stands in the way under such a name keeps nobody from taking over', async () => {
  await leaveBehind()
  mkdirSync(path.join(dir, 'begun.nobody'))
  expect(await markedByTheNext()).toEqual(['begun'])
  expect(names()).toEqual(['begun.nobody'])
})

test('a file from another life of the same owner is not believed', () => {
  const first = new Begun(dir)
  first.open('me')
  first.begin('1-1', 'me')
  const second = new Begun(dir)
  second.open('me')
  second.begin('1-2', 'me')
  expect(second.read()).toEqual(new Map())
  for (const begun of [first, second]) begun.close()
})

const reason = whyNoSmallDisk()

describe.skipIf(reason !== null)(`on a full disk${reason === null ? '' : ` (${reason})`}`, () => {
  test('what is in flight by default is noted all the same; what is not is for all to count as begun', async () => {
    using disk = mountSmallDisk(1)
    const begun = new Begun(disk.path)
    begun.open('me')
    await using filler = await open(path.join(disk.path, 'filler'), 'w')
    for (let isFull = false; !isFull; ) {
      isFull = await filler.write(Buffer.alloc(4_096)).then(
        () => false,
        () => true,
      )
    }
    for (let n = 1; n <= 600; n++) begun.begin(`1-${n}`, 'me')
    expect(begun.read().get('me')?.size).toBe(600)
    for (let n = 601; n <= 800; n++) begun.begin(`1-${n}`, 'me')
    expect(begun.read()).toEqual(new Map())
    begun.close()
  })
})
