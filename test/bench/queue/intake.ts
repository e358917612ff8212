/** Mail taken in over SMTP and kept: rates, flushes to disk, memory. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Start, startMxpress } from './contenders.ts'
import { handIn } from './hand-in.ts'
import { Rates } from './rates.ts'

/** How much mail, and by how many at once. */
export interface Intake {
  readonly messages: number
  readonly octets: number
  readonly rounds: number
  readonly clientCounts: readonly number[]
}

/** Nobody listens there: one probe, and the site is left alone. */
const nowhere = { addresses: ['127.82.0.1'], port: 9 }
const domain = 'd0.test'

/** Prints the rate of each contender with each number of clients. */
export async function measureIntake(
  contenders: readonly Start[],
  { messages, octets, rounds, clientCounts }: Intake,
): Promise<void> {
  console.log(
    `In: ${messages} messages of ${octets} octets, accepted and durable, messages/s (median of ${rounds})`,
  )
  for (const clients of clientCounts) {
    const rates = new Rates()
    for (let round = 0; round < rounds; round++) {
      for (const start of contenders) {
        await using contender = await start(nowhere)
        if (contender === null) continue
        rates.note(contender.name, await handIn(contender, { clients, messages, octets, domain }))
      }
    }
    console.log(`  ${String(clients).padStart(2)} clients  ${rates}`)
  }
}

/** Prints how often mxpress flushes. Under strace, which is slow: it tells no rates. */
export async function countFlushes({
  messages,
  octets,
  clientCounts,
}: Omit<Intake, 'rounds'>): Promise<void> {
  console.log(`fsyncs of mxpress while ${messages} messages of ${octets} octets come in (under strace)`)
  for (const clients of clientCounts) {
    const directory = await mkdtemp(path.join(tmpdir(), 'mxpress-strace-'))
    const file = path.join(directory, 'calls')
    {
      const prefix = ['strace', '-f', '-c', '-o', file, '-e', 'trace=fsync,fdatasync']
      await using contender = await startMxpress(nowhere, prefix)
      await handIn(contender, { clients, messages, octets, domain })
    }
    const calls = countCalls(await readFile(file, 'utf8'))
    console.log(
      `  ${String(clients).padStart(2)} clients  ${(calls / messages).toFixed(3)} a message (${calls})`,
    )
    await rm(directory, { recursive: true, force: true })
  }
}

/** The fourth column of strace's summary. */
function countCalls(summary: string): number {
  return summary
    .split('\n')
    .filter((line) => /\b(fsync|fdatasync)$/.test(line))
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[3]), 0)
}
