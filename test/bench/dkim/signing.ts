/**
 * One way of signing, as fast as it goes, in a process of its own on as many cores as the job says. One rule: every
 * way signs a message that nobody has signed before, and one that is made of the same octets.
 */
import { execFileSync } from 'node:child_process'
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { takeJob, tellParent } from '../child.ts'
import { makeContent } from '../content.ts'
import { Threads } from './threads.ts'

/** Ways to sign: the key alone, in three places; mailauth's call; our signer; our road up to the first connection. */
export type Way = 'crypto' | 'crypto aside' | 'threads' | 'mailauth' | 'sign' | 'prepare'

/** What a child is told. */
export interface SigningJob {
  readonly way: Way
  readonly algorithm: 'rsa' | 'ed25519'
  readonly octets: number
  /** Measure for about as long, in milliseconds. */
  readonly durationMs: number
  /** Messages in flight at once. */
  readonly inFlight: number
  /** Cores to run on; `null`: all. Needs `taskset`. */
  readonly cores: string | null
  /** A folder for the key; removed afterwards. */
  readonly directory: string
}

/** What it found. */
export interface SigningRate {
  readonly perSecond: number
  /** Microseconds of CPU for one. */
  readonly cpuUs: number
}

const dist = new URL('../../../dist/', import.meta.url)
const domain = 'sender.test'
const selector = 'bench'

const job = await takeJob<SigningJob>()
// Before anything else runs, so that every thread that is made from here on is bound too.
if (job.cores !== null) execFileSync('taskset', ['-a', '-c', '-p', job.cores, `${process.pid}`])
const { privateKey } =
  job.algorithm === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
    : generateKeyPairSync('ed25519')
const content = makeContent(job.octets)
await using ending = new AsyncDisposableStack()
const signOne = await way()
await measure(job.durationMs / 4)
tellParent(await measure(job.durationMs))

async function measure(durationMs: number): Promise<SigningRate> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()]
  let signed = 0
  const until = startedAt + durationMs
  const inTurn = async (): Promise<void> => {
    while (performance.now() < until) {
      await signOne()
      signed++
    }
  }
  await Promise.all(Array.from({ length: job.inFlight }, inTurn))
  const elapsedMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (signed / elapsedMs) * 1_000, cpuUs: (user + system) / signed }
}

async function way(): Promise<() => unknown> {
  const algorithm = job.algorithm === 'rsa' ? 'sha256' : null
  // As long as the canonical header of such a message.
  const octets = Buffer.alloc(600, 'x')
  switch (job.way) {
    case 'crypto':
      return () => sign(algorithm, octets, privateKey)
    case 'crypto aside': {
      const aside = promisify<string | null, Buffer, KeyObject | SignKeyObjectInput, Buffer>(sign)
      return () => aside(algorithm, octets, privateKey)
    }
    case 'threads': {
      const threads = ending.use(new Threads(availableParallelism(), privateKey))
      return () => threads.sign(octets)
    }
    case 'mailauth': {
      const key = pem()
      createPrivateKey(key)
      const signatureData = [{ signingDomain: domain, selector, privateKey: key }]
      return () => dkimSign(content, { signingDomain: domain, selector, privateKey: key, signatureData })
    }
    case 'sign':
      return signer()
    case 'prepare':
      return road()
    default:
      return job.way satisfies never
  }
}

async function signer(): Promise<() => unknown> {
  const { createSigner }: typeof import('../../../src/mail/dkim/signer.ts') = await import(
    new URL('mail/dkim/signer.js', dist).href
  )
  const { messageFromBytes }: typeof import('../../../src/mail/message.ts') = await import(
    new URL('mail/message.js', dist).href
  )
  const keys = [{ selector, keyFile: keyFile() }]
  const made = await createSigner([{ domain, keys, headers: null, expireMs: null, resign: false }])
  return () => made.sign(messageFromBytes(content))
}

async function road(): Promise<() => unknown> {
  const { createAgent }: typeof import('../../../src/index.ts') = await import(new URL('index.js', dist).href)
  const dkim = { [domain]: { selector, keyFile: keyFile() } }
  const agent = ending.use(createAgent({ hostname: 'bench.sender.test', dkim }))
  return () => agent.prepare({ raw: content })
}

function pem(): string {
  return String(privateKey.export({ format: 'pem', type: 'pkcs8' }))
}

function keyFile(): string {
  const file = join(job.directory, `${job.way}-${job.algorithm}.pem`)
  writeFileSync(file, pem(), { mode: 0o600 })
  return file
}
