/**
 * How long a full queue takes to start, and what memory it costs. Run: `npx node test/bench/queue-start.ts [ENTRIES]`.
 * The queue is filled first, 20 recipients to a submission, over 10,000 domains; then a new process opens it.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { messageFromBytes } from '../../src/mail/message.ts'
import { openSqliteQueue } from '../../src/queue/sqlite/store.ts'

const PER_SUBMISSION = 20
const DOMAINS = 10_000

async function fill(dir: string, entries: number): Promise<void> {
  await using store = await openSqliteQueue(dir, { role: 'daemon' })
  const message = messageFromBytes(
    Buffer.from(`Subject: x\r\n\r\n${'Lorem ipsum dolor sit amet\r\n'.repeat(70)}`),
  )
  const begun = performance.now()
  for (let filled = 0; filled < entries; ) {
    const adding: Promise<unknown>[] = []
    for (; adding.length < 100 && filled < entries; filled += PER_SUBMISSION) {
      adding.push(store.add(submission(filled, message)))
    }
    await Promise.all(adding)
  }
  const seconds = (performance.now() - begun) / 1000
  const { size } = statSync(path.join(dir, 'queue.db'))
  console.log(
    `filled: ${Math.round(entries / seconds)} entries/s, ${(size / 2 ** 20).toFixed(0)} MiB, ${Math.round(size / entries)} octets each`,
  )
}

function submission(first: number, message: ReturnType<typeof messageFromBytes>) {
  const recipients = Array.from({ length: PER_SUBMISSION }, (_, n) => ({
    address: { localPart: `user${first + n}`, domain: `d${(first + n) % DOMAINS}.test` },
    field: 'to' as const,
    notify: null,
    orcpt: null,
  }))
  const reversePath = { localPart: 'alice', domain: 'sender.test' }
  return { message, reversePath, recipients, createdAt: 1_000 + first, expiresAt: 1e12, warnAt: 1e11 }
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now()
  await work()
  console.log(`${what.padEnd(34)} ${(performance.now() - begun).toFixed(1).padStart(8)} ms`)
}

async function start(dir: string): Promise<void> {
  const before = process.memoryUsage().rss
  const open = Promise.withResolvers<Awaited<ReturnType<typeof openSqliteQueue>>>()
  await timed('open', async () => open.resolve(await openSqliteQueue(dir, { role: 'daemon' })))
  await using store = await open.promise
  await timed('take over leases', () => store.reclaim({ now: 1, survivor: 'me', dueAt: 1, hold: false }))
  const lease = { owner: 'me', now: 1e10, until: 2e10, max: 500, perSite: 2, room: new Map() }
  await timed('first lease of 500', () => store.lease(lease))
  await timed('notices', () => store.leaseNotices(lease))
  await timed('next due', () => store.nextDue(new Map()))
  await timed('page of 100', () => store.list({ selector: { kind: 'all' }, limit: 100 }))
  await timed('page of a domain', () =>
    store.list({ selector: { kind: 'domain', domain: 'd77.test' }, limit: 100 }),
  )
  await timed('counts', () => store.counts())
  await timed('stats', () => store.stats())
  console.log(`memory for it: ${((process.memoryUsage().rss - before) / 2 ** 20).toFixed(0)} MiB`)
}

const [, , first = '1000000', dirToStart] = process.argv
if (first === 'start' && dirToStart !== undefined) await start(dirToStart)
else {
  const dir = mkdtempSync(path.join(process.cwd(), '.bench-queue-'))
  try {
    await fill(dir, Number(first))
    execFileSync(process.execPath, [import.meta.filename, 'start', dir], { stdio: 'inherit' })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
