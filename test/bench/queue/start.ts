/** How long a daemon with a full queue takes until it accepts mail, and what memory it then has. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { messageFromBytes } from '../../../src/mail/message.ts'
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { makeContent } from '../content.ts'
import { startMxpressIn } from './contenders.ts'
import { residentOctets } from './memory.ts'

const recipientsEach = 1_000
const domains = 1_000

/** Prints both, for so many entries that are due in an hour. */
export async function measureStart(entries: number): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'mxpress-start-'))
  try {
    await fill(path.join(home, 'queue'), entries)
    const begun = performance.now()
    await using mxpress = await startMxpressIn(home, { addresses: [], port: 9 })
    const readyMs = Math.round(performance.now() - begun)
    const residentMiB = Math.round((await residentOctets(mxpress.pid)) / 2 ** 20)
    console.log(`Start with ${entries} entries: ready after ${readyMs} ms, RSS ${residentMiB} MiB`)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function fill(dir: string, entries: number): Promise<void> {
  await using store = await openSqliteQueue(dir)
  const message = messageFromBytes(makeContent(2_048))
  const createdAt = Date.now()
  const dueAt = createdAt + 3_600_000
  for (let first = 0; first < entries; first += recipientsEach) {
    const recipients = Array.from({ length: recipientsEach }, (_, index) => ({
      address: { localPart: `u${first + index}`, domain: `d${(first + index) % domains}.test` },
      field: 'to' as const,
      notify: null,
      orcpt: null,
    }))
    await store.add({ message, reversePath: null, recipients, createdAt, dueAt, expiresAt: 2 * dueAt })
  }
}
