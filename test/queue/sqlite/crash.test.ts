/** What is left when the process is gone between two instructions. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { messageOf, submissionTo, textOf } from '../../support/queue-submissions.ts'

const victim = path.join(import.meta.dirname, 'victim.ts')

let dir: string
const children = new Set<ChildProcess>()

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'mxpress-queue-'))
})

afterEach(async () => {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  children.clear()
  rmSync(dir, { recursive: true, force: true })
})

/** Runs the victim, kills it after it has said so many lines, and returns all that it said. */
async function killAfter(job: 'add' | 'work', lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [victim, dir, job], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  const said: string[] = []
  const ended = once(child, 'close')
  for await (const line of createInterface(child.stdout)) {
    said.push(line)
    if (said.length === lines) child.kill('SIGKILL')
  }
  await ended
  return said
}

const wordsOf = (said: readonly string[], verb: string): string[][] =>
  said.map((line) => line.split(' ')).filter(([first]) => first === verb)

describe('killed at any moment', () => {
  // Different numbers of lines: different places within commits, checkpoints and files.
  test.each([2, 37, 150, 611])(
    'after %i words no acknowledged submission is lost or cut short',
    async (lines) => {
      const said = await killAfter('add', lines)
      const added = wordsOf(said, 'added')
      expect(added.length).toBeGreaterThan(0)
      await using store = await openSqliteQueue(dir, { role: 'daemon' })
      for (const [, submissionId = '', name = ''] of added) {
        const { entries } = await store.list({ selector: { kind: 'id', id: submissionId }, limit: 5 })
        expect(entries.map(({ recipient, state }) => [recipient.address.localPart, state])).toEqual([
          [`a${name}`, 'ready'],
          [`b${name}`, 'ready'],
        ])
        const octets = name.endsWith('9') ? 200_000 : 1_000
        expect(await textOf(await store.content(submissionId))).toBe(await textOf(messageOf(name, octets)))
      }
      // Whole submissions only.
      const { ready } = await store.counts()
      expect(ready % 2).toBe(0)
      expect(ready).toBe(2 * (await store.stats()).submissions)
    },
  )

  test.each([3, 90, 400])(
    'after %i words what was settled is gone, and what was begun is marked',
    async (lines) => {
      await using adding = await openSqliteQueue(dir)
      const recipients = Array.from({ length: 3_000 }, (_, n) => `u${n}@d${n % 10}.test`)
      const { entryIds } = await adding.add(submissionTo(recipients))
      const said = await killAfter('work', lines)
      const settled = new Set(wordsOf(said, 'settled').map(([, id]) => id))
      const leased = wordsOf(said, 'leased').flatMap(([, id]) =>
        id === undefined || settled.has(id) ? [] : id,
      )
      await using store = await openSqliteQueue(dir, { role: 'daemon' })
      for (const id of settled) expect(await store.get(id ?? '')).toBeNull()
      for (const id of leased) expect((await store.get(id))?.state ?? 'leased').toBe('leased')
      const held = (await store.counts()).leased
      expect(await store.reclaim({ now: 9_000, survivor: 'me', dueAt: 9_000, hold: false })).toBe(held)
      const of = (verb: string) => new Set(wordsOf(said, verb).map(([, id]) => id))
      for (const id of leased) {
        const entry = await store.get(id)
        if (entry === null) continue
        if (of('begun').has(id)) expect(entry.uncertain).toBe(true)
        if (!of('begins').has(id)) expect(entry).toMatchObject({ uncertain: false, dueAt: 1_000 })
      }
      // Settled and not acknowledged: gone without a word, but no more than one round.
      const gone = entryIds.length - (await store.counts()).ready
      expect(gone).toBeGreaterThanOrEqual(settled.size)
      expect(gone - settled.size).toBeLessThanOrEqual(20)
    },
  )

  test('files that no row names are removed when they are old, others are kept', async () => {
    await using store = await openSqliteQueue(dir, { role: 'daemon' })
    const message = messageOf('large', 300_000)
    const { submissionId } = await store.add(submissionTo(['bob@example.test'], { message }))
    const folder = path.join(dir, 'content')
    const [file = ''] = readdirSync(folder)
    for (const name of ['orphan', 'cut-short.tmp', 'young']) writeFileSync(path.join(folder, name), 'x')
    const now = Date.now()
    const old = new Date(now - 2 * 3_600_000)
    for (const name of ['orphan', 'cut-short.tmp', file]) utimesSync(path.join(folder, name), old, old)
    await store.tidy(now)
    expect(readdirSync(folder).sort()).toEqual([file, 'young'].sort())
    expect(await textOf(await store.content(submissionId))).toBe(await textOf(message))
  })

  test('a large content goes with its last entry', async () => {
    await using store = await openSqliteQueue(dir, { role: 'daemon' })
    await store.add(submissionTo(['bob@example.test'], { message: messageOf('large', 300_000) }))
    await store.cancel({ kind: 'all' })
    expect(readdirSync(path.join(dir, 'content'))).toEqual([])
  })

  test('tidying forgets sites for which nothing waits, and only those', async () => {
    await using store = await openSqliteQueue(dir, { role: 'daemon' })
    await store.add(submissionTo(['a@gone.test', 'b@there.test', 'c@held.test']))
    for (const name of ['gone', 'there', 'held']) await store.place(`${name}.test`, `mx.${name}`)
    await store.hold({ kind: 'domain', domain: 'held.test' })
    await store.cancel({ kind: 'domain', domain: 'gone.test' })
    const lease = { owner: 'me', now: 2_000, until: 9_000, max: 9, perSite: 9, room: new Map() }
    await store.lease(lease)
    await store.tidy(Date.now())
    const { entryIds } = await store.add(submissionTo(['d@gone.test', 'e@there.test', 'f@held.test']))
    const sites = await Promise.all(entryIds.map(async (id) => (await store.get(id))?.site))
    expect(sites).toEqual(['@gone.test', 'mx.there', 'mx.held'])
  })
})

describe('several processes', () => {
  test('a second daemon is refused while the first lives, and let in when that is killed', async () => {
    const child = spawn(process.execPath, [victim, dir, 'lock'], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    await once(child.stdout, 'data')
    await expect(openSqliteQueue(dir, { role: 'daemon' })).rejects.toMatchObject({
      code: 'ERR_QUEUE_LOCKED',
      message: `Another daemon (pid ${child.pid}) works on the queue in ${dir}`,
    })
    await using visitor = await openSqliteQueue(dir)
    expect(await visitor.counts()).toEqual({ ready: 0, leased: 0, held: 0, dead: 0 })
    child.kill('SIGKILL')
    await once(child, 'close')
    await using store = await openSqliteQueue(dir, { role: 'daemon' })
    expect(await store.nextDue(new Map())).toBeNull()
  })

  test('a second daemon in the same process is refused too', async () => {
    await using _first = await openSqliteQueue(dir, { role: 'daemon' })
    await expect(openSqliteQueue(dir, { role: 'daemon' })).rejects.toMatchObject({ code: 'ERR_QUEUE_LOCKED' })
  })

  test('what another process adds wakes the daemon', async () => {
    await using daemon = await openSqliteQueue(dir, { role: 'daemon' })
    await daemon.changed()
    const woken = daemon.changed()
    const said = killAfter('add', 30)
    await woken
    expect((await said)[0]).toBe('open')
    expect((await daemon.counts()).ready).toBeGreaterThan(0)
  })

  test('what a visitor holds, releases and retries, the daemon sees', async () => {
    await using daemon = await openSqliteQueue(dir, { role: 'daemon' })
    await using visitor = await openSqliteQueue(dir)
    await daemon.add(submissionTo(['bob@example.test']))
    await visitor.hold({ kind: 'all' })
    expect((await daemon.counts()).held).toBe(1)
    await daemon.changed()
    const woken = daemon.changed()
    await visitor.release({ kind: 'all' }, 3_000)
    await woken
    const { entries } = await daemon.list({ selector: { kind: 'all' }, limit: 9 })
    expect(entries).toMatchObject([{ state: 'ready', dueAt: 3_000 }])
  })
})
