/**
 * Unsigned mail to many recipients, and beside it single messages at an even pace, which are signed or not. One rule: but
 * for the signing both runs do the same.
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { takeJob, tellParent } from '../child.ts'
import { makeContent, recipientDomain } from '../content.ts'

/** What a child is told. */
export interface BesideJob {
  readonly ports: readonly [unsigned: number, beside: number]
  readonly messages: number
  readonly octets: number
  /** Messages a second beside; those of `signed` are signed with RSA. */
  readonly pace: number
  readonly signed: boolean
  readonly directory: string
}

/** What it found. */
export interface BesideRate {
  /** Of the unsigned ones. */
  readonly perSecond: number
  /** The longest of a hundred waits for the event loop, in milliseconds. */
  readonly waitMs: number
  readonly beside: number
}

const dist = new URL('../../../dist/', import.meta.url)
const { createAgent }: typeof import('../../../src/index.ts') = await import(new URL('index.js', dist).href)
const { messageFromBytes }: typeof import('../../../src/mail/message.ts') = await import(
  new URL('mail/message.js', dist).href
)

/** Messages before the measurement. */
const warmUp = 500

const job = await takeJob<BesideJob>()
const keyFile = join(job.directory, 'rsa.pem')
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
writeFileSync(keyFile, String(privateKey.export({ format: 'pem', type: 'pkcs8' })), { mode: 0o600 })
await using agent = createAgent({
  hostname: 'bench.sender.test',
  routes: { [recipientDomain]: `127.0.0.1:${job.ports[0]}`, 'beside.test': `127.0.0.1:${job.ports[1]}` },
  delivery: { concurrency: 20, perSite: 10, messagesPerSession: Number.MAX_SAFE_INTEGER },
  dkim: job.signed ? { 'sender.test': { selector: 'bench', keyFile } } : {},
})
// The first messages open what is opened once, and have the code compiled that a daemon has compiled long since.
for (let index = 0; index < warmUp; index++) {
  await agent.send({ raw: makeContent(job.octets), to: `first${index}@beside.test` })
}
const waits = monitorEventLoopDelay({ resolution: 1 })
const stopping = new AbortController()
const besides = sendBeside()
waits.enable()
const startedAt = performance.now()
for await (const outcome of agent.deliver(unsigned(), { reversePath: null, recipients: recipients() })) {
  if (outcome.kind !== 'delivered') throw new Error(`not delivered: ${JSON.stringify(outcome)}`)
}
const elapsedMs = performance.now() - startedAt
waits.disable()
stopping.abort()
tellParent({
  perSecond: (job.messages / elapsedMs) * 1_000,
  waitMs: waits.percentile(99) / 1e6,
  beside: await besides,
} satisfies BesideRate)

/** Of a domain that nobody signs for. */
function unsigned() {
  const text = makeContent(job.octets).toString('latin1').replace('alice@sender.test', 'alice@plainer.test')
  return messageFromBytes(Buffer.from(text, 'latin1'))
}

function recipients() {
  return Array.from({ length: job.messages }, (_, index) => ({
    address: { localPart: `user${index}`, domain: recipientDomain },
    field: 'to' as const,
  }))
}

/** @returns how many were delivered */
async function sendBeside(): Promise<number> {
  const sending: Promise<unknown>[] = []
  const began = performance.now()
  while (!stopping.signal.aborted) {
    while (sending.length < ((performance.now() - began) / 1_000) * job.pace) {
      sending.push(agent.send({ raw: makeContent(job.octets), to: `user${sending.length}@beside.test` }))
    }
    await delay(1)
  }
  await Promise.all(sending)
  return sending.length
}
