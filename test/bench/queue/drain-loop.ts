/**
 * The queue end to end: messages put in with fsync, and a full queue worked off against the benchmark's sink; with the
 * flushes to disk that it took. Run: `npx node test/bench/queue/drain-loop.ts [MESSAGES] [OCTETS] [DOMAINS]`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { createAgent } from '../../../src/agent.ts'
import { messageFromBytes } from '../../../src/mail/message.ts'
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { Child } from '../child.ts'
import { makeContent, reversePath } from '../content.ts'
import type { SinkReady } from '../sink/sink.ts'

const [messages = 10_000, octets = 10_240, domains = 20] = process.argv.slice(2).map(Number)
const dir = mkdtempSync(path.join(process.cwd(), '.bench-queue-'))
const message = messageFromBytes(makeContent(octets))
const domainOf = (n: number): string => `d${n % domains}.test`

/** Writes of this process that reached the disk's cache are no flushes; those are counted by the kernel per device. */
function diskFlushes(): number {
  // Field 18 of each whole device: flush requests completed (Documentation/admin-guide/iostats.rst).
  return readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, minor]) => minor === '0')
    .reduce((sum, fields) => sum + Number(fields[18] ?? 0), 0)
}

async function measure(what: string, work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now()
  const flushes = diskFlushes()
  const cpu = process.cpuUsage()
  await work()
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const figures = [
    `${Math.round(messages / seconds)} messages/s`,
    `${((diskFlushes() - flushes) / messages).toFixed(3)} flushes a message (whole machine)`,
    `${((user + system) / messages).toFixed(0)} us CPU a message`,
    `RSS ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
  ]
  console.log(`${what.padEnd(18)} ${figures.join(', ')}`)
}

async function fill(clients: number): Promise<void> {
  await using store = await openSqliteQueue(dir)
  let next = 0
  await measure(`in, ${clients} at once`, () =>
    Promise.all(
      Array.from({ length: clients }, async () => {
        while (next < messages) {
          const n = next++
          const address = { localPart: `u${n}`, domain: domainOf(n) }
          const recipients = [{ address, field: 'to' as const, notify: null, orcpt: null }]
          const now = Date.now()
          await store.add({ message, reversePath, recipients, createdAt: now, expiresAt: now + 432_000_000 })
        }
      }),
    ),
  )
}

async function drain(port: number): Promise<void> {
  const routes = Object.fromEntries(
    Array.from({ length: domains }, (_, n) => [domainOf(n), `127.0.0.1:${port}`]),
  )
  await using agent = createAgent({
    hostname: 'bench.sender.test',
    routes,
    queue: { dir },
    // The sink has one address, so that all domains are one site.
    delivery: { perSite: 50 },
    log: { file: path.join(dir, 'log') },
  })
  await measure('out', async () => {
    let left = messages
    const results = agent.results()
    for await (const { outcome } of results) {
      if (outcome !== 'delivered') throw new Error(`not delivered: ${outcome}`)
      if (--left === 0) break
    }
  })
}

try {
  const keywords = ['PIPELINING', 'CHUNKING', '8BITMIME', 'ENHANCEDSTATUSCODES']
  const module = new URL('../sink/sink.ts', import.meta.url)
  await using sink = new Child({ module, job: { keywords, octets: null }, deadlineMs: 600_000 })
  const { port } = await sink.receive<SinkReady>()
  for (const clients of [1, 10, 50]) {
    rmSync(path.join(dir, 'queue.db'), { force: true })
    rmSync(path.join(dir, 'queue.db-wal'), { force: true })
    rmSync(path.join(dir, 'queue.db-shm'), { force: true })
    await fill(clients)
  }
  await drain(port)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
