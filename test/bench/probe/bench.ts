/**
 * `npm run bench -- probe`: does the memory of a probe grow with the number of its targets? So many domains (default
 * 10,000), a hundred to a site, against a server on loopback that costs nearly nothing; what is held at each tenth (the heap after a
 * collection), and the most that was resident.
 *
 *   npm run bench -- probe 40000
 */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Child } from '../child.ts'

/** What the process that probes is told. */
export interface ProbeJob {
  readonly port: number
  readonly targets: number
}

/** What it tells. */
export interface ProbeCourse {
  readonly peakRssOctets: number
  /** Octets in use after a garbage collection, at each tenth of the targets. */
  readonly heapOctets: readonly number[]
  readonly elapsedMs: number
  readonly accepted: number
}

const DEADLINE_MS = 20 * 60_000
const replies: Readonly<Record<string, string>> = { EHLO: '250 mx.bench.test', QUIT: '221 bye' }

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  socket.write('220 mx.bench.test\r\n')
  // A probe says one command at a time, so each arrives alone.
  socket.setEncoding('latin1').on('data', (line: string) => {
    const verb = line.slice(0, 4)
    socket.write(`${replies[verb] ?? '250 2.0.0 ok'}\r\n`)
    if (verb === 'QUIT') socket.end()
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const targets = Number(process.argv[2] ?? 10_000)
const job: ProbeJob = { port: (server.address() as AddressInfo).port, targets }
await using child = new Child({
  module: new URL('prober.ts', import.meta.url),
  job,
  deadlineMs: DEADLINE_MS,
  execArgv: ['--expose-gc'],
})
const course = await child.receive<ProbeCourse>()
const mib = (octets: number): string => (octets / 1024 ** 2).toFixed(1)
process.stdout.write(
  `${targets} targets, ${course.accepted} accept, ${(course.elapsedMs / 1000).toFixed(1)} s\n` +
    `heap in MiB at each tenth: ${course.heapOctets.map(mib).join(' ')}; peak resident ${mib(course.peakRssOctets)}\n`,
)
server.close()
