/**
 * Unsigned mail, and beside it single messages at an even pace, which are signed or not. One rule: both take turns within
 * one process, many times and for a moment each, so that what else the machine does weighs on both, and but for the
 * signing they do the same.
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { takeJob, tellParent } from '../child.ts'
import { recipientDomain } from '../content.ts'
import { median } from '../summary.ts'
import { type BesidePair, type BesideWindow, percentile } from './beside-figures.ts'
import { contentOf, createLoad, type LoadKind } from './loads.ts'

/** What a child is told. */
export interface BesideJob {
  readonly ports: readonly [unsigned: number, beside: number]
  readonly load: LoadKind
  readonly octets: number
  /** Messages a second beside; those of `signed` are signed with RSA. */
  readonly pace: number
  /** How often both have their turn, after three that do not count. */
  readonly pairs: number
  readonly windowMs: number
  readonly directory: string
}

const dist = new URL('../../../dist/', import.meta.url)
const { createAgent }: typeof import('../../../src/index.ts') = await import(new URL('index.js', dist).href)

/** What is compiled at first would weigh on whoever comes first. */
const warmUpPairs = 3

const besideDomain = 'beside.test'
const signedDomain = 'sender.test'
const plainDomain = 'plainer.test'

const job = await takeJob<BesideJob>()
const keyFile = join(job.directory, 'rsa.pem')
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
writeFileSync(keyFile, String(privateKey.export({ format: 'pem', type: 'pkcs8' })), { mode: 0o600 })
await using agent = createAgent({
  hostname: 'bench.sender.test',
  routes: {
    [recipientDomain]: `127.0.0.1:${job.ports[0]}`,
    [besideDomain]: `127.0.0.1:${job.ports[1]}`,
  },
  delivery: { concurrency: 20, perSite: 10, messagesPerSession: Number.MAX_SAFE_INTEGER },
  dkim: { [signedDomain]: { selector: 'bench', keyFile } },
})
const load = createLoad(job.load, agent, contentOf(plainDomain, job.octets))
const beside = { unsigned: contentOf(plainDomain, job.octets), signed: contentOf(signedDomain, job.octets) }

const pairs: BesidePair[] = []
for (let turn = 0; turn < warmUpPairs + job.pairs; turn++) {
  const pair = await takeTurns(turn % 2 === 0)
  if (turn >= warmUpPairs) pairs.push(pair)
}
await load.end()
tellParent(pairs)

async function takeTurns(isSignedFirst: boolean): Promise<BesidePair> {
  const first = await open(isSignedFirst ? 'signed' : 'unsigned')
  const second = await open(isSignedFirst ? 'unsigned' : 'signed')
  return isSignedFirst ? { unsigned: second, signed: first } : { unsigned: first, signed: second }
}

/** One turn; its last messages beside are through when it ends. */
async function open(kind: 'unsigned' | 'signed'): Promise<BesideWindow> {
  const sending: Promise<unknown>[] = []
  const began = performance.now()
  const window = load.open()
  for (let elapsed = 0; elapsed < job.windowMs; elapsed = performance.now() - began) {
    window.keepUp(elapsed)
    while (sending.length < (elapsed / 1_000) * job.pace) {
      const to = `user${sending.length}@${besideDomain}`
      sending.push(agent.send({ raw: beside[kind], to }).then(checkDelivered))
    }
    await delay(1)
  }
  const { delivered, timesMs } = await window.close()
  const perSecond = (delivered / (performance.now() - began)) * 1_000
  await Promise.all(sending)
  return { perSecond, medianMs: median(timesMs), slowMs: percentile(timesMs, 0.99) }
}

function checkDelivered(report: Awaited<ReturnType<typeof agent.send>>): void {
  if (report.counts.delivered !== 1) throw new Error(`not delivered: ${JSON.stringify(report)}`)
}
