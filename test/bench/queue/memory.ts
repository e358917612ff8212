/** The daemon's memory over one long intake and one long drain: does it grow with what passes through? */
import { readFile } from 'node:fs/promises'
import { setInterval as every } from 'node:timers/promises'
import { memoryCourse } from '../memory.ts'
import type { RssSample } from '../usage.ts'
import { startMxpress } from './contenders.ts'
import { arrival, fill, sitesOf, startSink } from './drain.ts'

const sampleMs = 200

/** Resident memory of a process. @throws {Error} when it is gone */
export async function residentOctets(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

/** Prints the course of memory while so many messages come in, and while they go out again. */
export async function measureMemory(given: { messages: number; octets: number }): Promise<void> {
  await using sink = startSink()
  await using mxpress = await startMxpress(await sitesOf(sink))
  let count = 0
  const taken = await sampled(mxpress.pid, async () => {
    count = await fill(mxpress, given)
  })
  print('in', taken, count)
  await mxpress.deliver()
  const delivered = await sampled(mxpress.pid, () => arrival(sink, count))
  print('out', delivered, count)
}

async function sampled(pid: number, work: () => Promise<void>): Promise<readonly RssSample[]> {
  const samples: RssSample[] = []
  const over = new AbortController()
  const sampling = (async () => {
    for await (const _ of every(sampleMs, null, { signal: over.signal })) {
      samples.push({ delivered: samples.length, rssOctets: await residentOctets(pid) })
    }
  })().catch(() => {})
  await work()
  over.abort()
  await sampling
  return samples
}

function print(direction: string, samples: readonly RssSample[], messages: number): void {
  const peakRssOctets = Math.max(...samples.map(({ rssOctets }) => rssOctets))
  const { peakRssMiB, rssMiBByTenth } = memoryCourse({ peakRssOctets, rssSamples: samples })
  const tenths = rssMiBByTenth.map((figure) => Math.round(figure)).join(' ')
  console.log(
    `Memory, ${messages} messages ${direction}: peak RSS ${Math.round(peakRssMiB)} MiB, by tenths of the time: ${tenths}`,
  )
}
