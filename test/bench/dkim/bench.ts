/**
 * `npm run bench -- dkim`: how fast messages are signed, beside mailauth's own call and node:crypto alone, on one core and
 * on two; where a key is best used; where mailauth's time goes; and what signing costs unsigned mail beside it.
 * One rule: contenders take turns within one run, each in a process of its own, and the median of the rounds counts.
 *
 *   --quick        a moment each, one round: shows that it works, says nothing about speed
 *   --rounds N     default 3
 *   --json         the figures as one JSON document
 *
 * One core needs `taskset` (util-linux); without it those figures are left out.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from '../child.ts'
import type { SinkJob, SinkReady } from '../sink/sink.ts'
import type { BesideJob, BesideRate } from './beside.ts'
import type { CostJob, Costs } from './costs.ts'
import { type BesideFigures, type DkimFigures, type Figure, figuresText } from './report.ts'
import type { SigningJob, SigningRate, Way } from './signing.ts'

const octets = 2_048
const inFlight = 16
const deadlineMs = 120_000
/** Messages a second beside the unsigned ones: a busy small sender's. */
const pace = 100

const { quick, rounds, json } = readOptions()
const durationMs = quick ? 100 : 2_000
const coreSets = hasTaskset() ? (['0', null] as const) : ([null] as const)
const directory = await mkdtemp(join(tmpdir(), 'mxpress-bench-'))
try {
  const figures: DkimFigures = {
    cores: availableParallelism(),
    octets,
    signing: await measureSigning(),
    costs: await ask<Costs>('costs.ts', { octets, durationMs } satisfies CostJob),
    beside: await measureBeside(),
  }
  console.log(json ? JSON.stringify(figures, null, 2) : figuresText(figures, { quick }))
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function measureSigning(): Promise<readonly Figure[]> {
  const ways: readonly Way[] = ['crypto', 'crypto aside', 'threads', 'mailauth', 'sign', 'prepare']
  const jobs = (['rsa', 'ed25519'] as const).flatMap((algorithm) =>
    coreSets.flatMap((cores) => ways.map((way) => ({ way, algorithm, cores }))),
  )
  const found = new Map(jobs.map((job) => [job, [] as SigningRate[]]))
  for (let round = 1; round <= rounds; round++) {
    for (const [job, rates] of found) {
      const whole: SigningJob = { ...job, octets, durationMs, inFlight, directory }
      rates.push(await ask<SigningRate>('signing.ts', whole))
      note(
        `${job.algorithm} ${job.way}, ${job.cores === null ? 'all cores' : 'one core'} (${round} of ${rounds})`,
      )
    }
  }
  return [...found].map(([{ way, algorithm, cores }, rates]) => ({
    way,
    algorithm,
    isOneCore: cores !== null,
    perSecond: median(rates.map(({ perSecond }) => perSecond)),
    cpuUs: median(rates.map(({ cpuUs }) => cpuUs)),
  }))
}

/** In pairs, one right after the other, and each first in turn: what else the machine does then weighs on both. */
async function measureBeside(): Promise<BesideFigures> {
  const pairs: { readonly unsigned: BesideRate; readonly signed: BesideRate }[] = []
  const pairCount = quick ? 1 : rounds * 3
  for (let round = 1; round <= pairCount; round++) {
    const isSignedFirst = round % 2 === 0
    const first = await besideOnce(isSignedFirst)
    const second = await besideOnce(!isSignedFirst)
    pairs.push(isSignedFirst ? { unsigned: second, signed: first } : { unsigned: first, signed: second })
    note(`unsigned mail, beside it unsigned and signed (${round} of ${pairCount})`)
  }
  const of = (figure: 'perSecond' | 'waitMs') => ({
    unsigned: median(pairs.map(({ unsigned }) => unsigned[figure])),
    signed: median(pairs.map(({ signed }) => signed[figure])),
  })
  return {
    pace,
    perSecond: of('perSecond'),
    waitMs: of('waitMs'),
    ratio: median(pairs.map(({ unsigned, signed }) => signed.perSecond / unsigned.perSecond)),
  }
}

async function besideOnce(signed: boolean): Promise<BesideRate> {
  const sinkJob: SinkJob = { keywords: ['PIPELINING', 'CHUNKING', '8BITMIME'], octets: null }
  const module = new URL('../sink/sink.ts', import.meta.url)
  await using first = new Child({ module, job: sinkJob, deadlineMs })
  await using second = new Child({ module, job: sinkJob, deadlineMs })
  const ports = [(await first.receive<SinkReady>()).port, (await second.receive<SinkReady>()).port] as const
  // Long: a daemon runs for weeks, and of a few seconds the compiler takes the best part.
  const messages = quick ? 1_000 : 100_000
  return await ask<BesideRate>('beside.ts', {
    ports,
    messages,
    octets,
    pace,
    signed,
    directory,
  } satisfies BesideJob)
}

async function ask<T>(module: string, job: object): Promise<T> {
  await using child = new Child({ module: new URL(module, import.meta.url), job, deadlineMs })
  return await child.receive<T>()
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Progress goes to stderr, so that stdout holds figures only. */
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['-p', `${process.pid}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
    if (Number.isInteger(rounds) && rounds > 0) return { ...values, rounds }
    throw new TypeError(`Expected --rounds to be a whole number from 1, got ${values.rounds}`)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(64)
  }
}
