/**
 * `npm run bench -- dkim`: how fast messages are signed, beside mailauth's own call and node:crypto alone, on one core and
 * on two; where a key is best used; where mailauth's time goes; and what signing costs unsigned mail beside it.
 * One rule: contenders take turns within one run, each in a process of its own, and the median of the rounds counts.
 *
 *   --quick        a moment each, one round: shows that it works, says nothing about speed
 *   --rounds N     default 3
 *   --beside       the last of these only
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
import { median } from '../summary.ts'
import type { BesideJob } from './beside.ts'
import { type BesidePair, summarise } from './beside-figures.ts'
import type { CostJob, Costs } from './costs.ts'
import type { LoadKind } from './loads.ts'
import { type BesideFigures, type DkimFigures, type Figure, figuresText } from './report.ts'
import type { SigningJob, SigningRate, Way } from './signing.ts'

const octets = 2_048
const inFlight = 16
const deadlineMs = 120_000
/** Messages a second beside the unsigned ones: eight million a day. */
const pace = 100
/** Unsigned ones where the machine is to have room: they take about a quarter of one core. */
const unsignedPace = 1_000
const pairsPerRound = 20

const { quick, rounds, beside: isBesideOnly, json } = readOptions()
const durationMs = quick ? 100 : 2_000
const coreSets = hasTaskset() ? (['0', null] as const) : ([null] as const)
const directory = await mkdtemp(join(tmpdir(), 'mxpress-bench-'))
try {
  const figures: DkimFigures = {
    cores: availableParallelism(),
    octets,
    signing: isBesideOnly ? [] : await measureSigning(),
    costs: isBesideOnly ? null : await ask<Costs>('costs.ts', { octets, durationMs } satisfies CostJob),
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

async function measureBeside(): Promise<BesideFigures> {
  const paced = await takeTurns({ kind: 'paced', perSecond: unsignedPace })
  const full = await takeTurns({ kind: 'full' })
  return {
    pace,
    unsignedPace,
    medianMs: summarise(paced, 'medianMs'),
    slowMs: summarise(paced, 'slowMs'),
    perSecond: summarise(full, 'perSecond'),
  }
}

async function takeTurns(load: LoadKind): Promise<readonly BesidePair[]> {
  note(`unsigned mail, ${load.kind}, and beside it unsigned and signed in turn`)
  const sinkJob: SinkJob = { keywords: ['PIPELINING', 'CHUNKING', '8BITMIME'], octets: null }
  const module = new URL('../sink/sink.ts', import.meta.url)
  await using first = new Child({ module, job: sinkJob, deadlineMs })
  await using second = new Child({ module, job: sinkJob, deadlineMs })
  const ports = [(await first.receive<SinkReady>()).port, (await second.receive<SinkReady>()).port] as const
  const [pairs, windowMs] = quick ? [1, 50] : [rounds * pairsPerRound, 400]
  return await ask<readonly BesidePair[]>('beside.ts', {
    ports,
    load,
    octets,
    pace,
    pairs,
    windowMs,
    directory,
  } satisfies BesideJob)
}

async function ask<T>(module: string, job: object): Promise<T> {
  await using child = new Child({ module: new URL(module, import.meta.url), job, deadlineMs })
  return await child.receive<T>()
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
        beside: { type: 'boolean', default: false },
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
