/** The process that probes, and nothing else: what it holds is what the probe holds. */
import { once } from 'node:events'
import type { Resolver } from '../../../src/dns/resolver.ts'
import type { ProbeCourse, ProbeJob } from './bench.ts'

const { probe }: typeof import('../../../src/index.ts') = await import(
  new URL('../../../dist/index.js', import.meta.url).href
)
const [{ port, targets }] = (await once(process, 'message')) as [ProbeJob]

/** A hundred domains to a site. */
const resolver: Resolver = {
  ...({} as Resolver),
  resolveMx: async (domain) => [
    { host: `mx${Math.floor(Number(/\d+/.exec(domain)?.[0]) / 100)}.bench.test`, preference: 10 },
  ],
  resolve4: async () => ['127.0.0.1'],
  resolve6: async () => ['127.0.0.1'],
}

function* domains(): Generator<string> {
  for (let at = 0; at < targets; at++) yield `user@d${at}.bench.test`
}

const heapOctets: number[] = []
const begun = performance.now()
let taken = 0
let accepted = 0
const agent = { hostname: 'prober.test', smtp: { port, allowLocalAddresses: true } }
for await (const { verdict } of probe(domains(), { agent }, { resolver })) {
  taken++
  if (verdict === 'accepts') accepted++
  if (taken % Math.ceil(targets / 10) === 0) {
    global.gc?.()
    heapOctets.push(process.memoryUsage().heapUsed)
  }
}
const course: ProbeCourse = {
  peakRssOctets: process.resourceUsage().maxRSS * 1024,
  heapOctets,
  elapsedMs: performance.now() - begun,
  accepted,
}
process.send?.(course)
process.disconnect?.()
