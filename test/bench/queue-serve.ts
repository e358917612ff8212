/**
 * `node test/bench/queue-serve.ts` (after `npm run build`): mxpress beside Postfix on the same disk, fsync on. First mail
 * taken in over SMTP and kept, by 1, 10 and 50 clients; then a queue of many messages over 20 domains worked off.
 * One rule: contenders take turns within one run, and a figure is the median of the rounds.
 *
 *   --messages N   taken in by each number of clients; default 10,000
 *   --octets N     of a message; default 2,048 in, 10,240 out
 *   --rounds N     default 3
 *   --only in|out  one of the two
 *   --clients N    mail taken in by so many clients only
 *   --strace       instead: count the fsyncs of mxpress while it takes mail in (slow, tells no rates)
 *   --start N      instead: fill a queue with N entries, and tell how long `serve` takes to be ready, and its memory
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { messageFromBytes } from '../../src/mail/message.ts'
import { openSqliteQueue } from '../../src/queue/sqlite/store.ts'
import { findInstallation } from '../support/mta/installation.ts'
import { Child } from './child.ts'
import { makeContent } from './content.ts'
import { type QueueContender, type Sites, startMxpress, startPostfixQueue } from './queue-contenders.ts'
import type { SinkReady, SinkReport } from './sink/sink.ts'
import { findSmtpSource } from './smtp-source.ts'

const domains = 20
const addresses = Array.from({ length: domains }, (_, index) => `127.82.0.${index + 1}`)
const keywords = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES', 'CHUNKING']

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    octets: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    strace: { type: 'boolean', default: false },
    start: { type: 'string' },
    clients: { type: 'string' },
  },
})
const clientCounts = values.clients === undefined ? [1, 10, 50] : [Number(values.clients)]
const messages = Number(values.messages)
const rounds = Number(values.rounds)

type Start = (sites: Sites) => Promise<QueueContender | null>

const contenders: readonly Start[] = [(sites) => startMxpress(sites), startPostfixQueue]

function medianOf(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
}

function smtpSource(): string {
  const installation = findInstallation('postfix')
  const unpacked = installation.kind === 'found' ? path.join(installation.root, 'usr/sbin/smtp-source') : null
  const found = unpacked ?? findSmtpSource()
  if (found === null) throw new Error('smtp-source of Postfix is needed: .ci/system-packages puts it there')
  return found
}

/** Hands mail in over kept sessions. @returns messages a second */
async function handIn(
  { ip, port }: QueueContender,
  { clients, count, octets, domain }: { clients: number; count: number; octets: number; domain: string },
): Promise<number> {
  const binary = smtpSource()
  const flags = ['-d', '-N', '-M', 'bench.test', '-f', 'a@sender.test', '-t', `u@${domain}`]
  const sizes = ['-s', clients, '-m', count, '-l', octets].map(String)
  const begun = performance.now()
  const client = spawn(binary, [...flags, ...sizes, `${ip}:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LD_LIBRARY_PATH: path.join(path.dirname(binary), '../lib/postfix') },
  })
  const [code] = await once(client, 'close')
  if (code !== 0) throw new Error(`smtp-source exited with ${code}`)
  return count / ((performance.now() - begun) / 1000)
}

async function measureIntake(octets: number): Promise<void> {
  console.log(
    `In: ${messages} messages of ${octets} octets, accepted and durable, messages/s (median of ${rounds})`,
  )
  for (const clients of clientCounts) {
    const rates = new Map<string, number[]>()
    for (let round = 0; round < rounds; round++) {
      for (const start of contenders) {
        await using contender = await start({ addresses, port: 9 })
        if (contender === null) continue
        const rate = await handIn(contender, { clients, count: messages, octets, domain: 'd0.test' })
        rates.set(contender.name, [...(rates.get(contender.name) ?? []), rate])
      }
    }
    console.log(`  ${String(clients).padStart(2)} clients  ${ratesText(rates)}`)
  }
}

async function measureDrain(octets: number): Promise<void> {
  console.log(
    `Out: ${messages} messages of ${octets} octets over ${domains} domains, messages/s (median of ${rounds})`,
  )
  const rates = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const start of contenders) {
      const module = new URL('sink/sink.ts', import.meta.url)
      await using sink = new Child({
        module,
        job: { keywords, octets: null, addresses },
        deadlineMs: 600_000,
      })
      const { port } = await sink.receive<SinkReady>()
      await using contender = await start({ addresses, port })
      if (contender === null) continue
      for (let index = 0; index < domains; index++) {
        const count = Math.floor(messages / domains)
        await handIn(contender, { clients: 20, count, octets, domain: `d${index}.test` })
      }
      const begun = performance.now()
      await contender.deliver()
      await arrival(sink, Math.floor(messages / domains) * domains)
      const rate = messages / ((performance.now() - begun) / 1000)
      rates.set(contender.name, [...(rates.get(contender.name) ?? []), rate])
    }
  }
  console.log(`  ${ratesText(rates)}`)
}

async function arrival(sink: Child, count: number): Promise<void> {
  for (;;) {
    sink.send('report')
    const report = await sink.receive<SinkReport>()
    if (report.messages >= count) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function ratesText(rates: ReadonlyMap<string, readonly number[]>): string {
  const medians = [...rates].map(([name, figures]) => ({ name, rate: medianOf(figures) }))
  const [ours, theirs] = medians
  const texts = medians.map(({ name, rate }) => `${name} ${Math.round(rate).toLocaleString('en')}`)
  const ratio =
    ours === undefined || theirs === undefined ? '' : `  ratio ${(ours.rate / theirs.rate).toFixed(2)}`
  return texts.join('  ') + ratio
}

async function countFlushes(octets: number): Promise<void> {
  console.log(`fsyncs of mxpress while ${messages} messages of ${octets} octets come in (under strace)`)
  for (const clients of clientCounts) {
    const directory = await mkdtemp(path.join(tmpdir(), 'mxpress-strace-'))
    const file = path.join(directory, 'calls')
    {
      const prefix = ['strace', '-f', '-c', '-o', file, '-e', 'trace=fsync,fdatasync']
      await using contender = await startMxpress({ addresses, port: 9 }, prefix)
      await handIn(contender, { clients, count: messages, octets, domain: 'd0.test' })
    }
    const lines = (await readFile(file, 'utf8'))
      .split('\n')
      .filter((line) => /\b(fsync|fdatasync)$/.test(line))
    const calls = lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[3]), 0)
    console.log(
      `  ${String(clients).padStart(2)} clients  ${(calls / messages).toFixed(3)} a message (${calls})`,
    )
    await rm(directory, { recursive: true, force: true })
  }
}

async function measureStart(entries: number): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'mxpress-start-'))
  const dir = path.join(home, 'queue')
  {
    await using store = await openSqliteQueue(dir)
    const message = messageFromBytes(makeContent(2_048))
    const later = Date.now() + 3_600_000
    for (let done = 0; done < entries; done += 1_000) {
      const recipients = Array.from({ length: 1_000 }, (_, index) => ({
        address: { localPart: `u${done + index}`, domain: `d${(done + index) % 1_000}.test` },
        field: 'to' as const,
        notify: null,
        orcpt: null,
      }))
      const submission = { message, reversePath: null, recipients, createdAt: Date.now(), dueAt: later }
      await store.add({ ...submission, expiresAt: later * 2 })
    }
  }
  const bin = new URL('../../dist/cli/bin.js', import.meta.url).pathname
  const begun = performance.now()
  const args = [bin, 'serve', '--queue', dir, '--listen', '127.0.0.1:0', '--hostname', 'bench.sender.test']
  const daemon = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(daemon.stdout, 'data')
  const readyMs = performance.now() - begun
  const status = await readFile(`/proc/${daemon.pid}/status`, 'latin1')
  const residentMiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
  daemon.kill('SIGTERM')
  await once(daemon, 'exit')
  await rm(home, { recursive: true, force: true })
  console.log(`${entries} entries: ready after ${Math.round(readyMs)} ms, RSS ${Math.round(residentMiB)} MiB`)
}

// Ending through `exit` ends the daemons too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

if (values.start !== undefined) await measureStart(Number(values.start))
else if (values.strace) await countFlushes(Number(values.octets ?? 2_048))
else {
  if (values.only !== 'out') await measureIntake(Number(values.octets ?? 2_048))
  if (values.only !== 'in') await measureDrain(Number(values.octets ?? 10_240))
}
