/**
 * `npm run bench`: mxpress beside nodemailer's pool and Postfix's smtp-source, over loopback, every process its own.
 * One rule: contenders take turns (A B C, A B C, ...) within one run of this program, because only ratios within a run
 * mean anything on a machine that does other things too.
 *
 *   --quick        few messages, one round: shows that it works, says nothing about speed
 *   --only TEXT    repeatable; the runs whose name holds TEXT: '2 KB x 10', '64 KB x 1: mxpress', 'recipients'
 *   --rounds N     default 3
 *   --json         the figures as one JSON document
 *
 * BENCH_SMTP_SOURCE: Postfix's program, where it is not in PATH. BENCH_PROFILE_DIR: a folder for CPU profiles.
 */
import { parseArgs } from 'node:util'
import { type Contender, contenders } from './contender.ts'
import { type MemoryCourse, memoryCourse, memoryNodeOptions } from './memory.ts'
import { type Heat, isWanted, planHeats, recipientsName, runName } from './plan.ts'
import { memoryText, targetsText, workloadText } from './report.ts'
import { type Run, runOnce } from './run.ts'
import { type Summary, summarize } from './summary.ts'
import { findings } from './targets.ts'
import { manyRecipients, type Workload, workloads } from './workload.ts'

const everyone = contenders()
const { quick, only, rounds, json, heats } = orUsageError(plan)
const summaries: Summary[] = []
for (const heat of heats) {
  const found = await measure(heat)
  summaries.push(...found)
  if (!json) console.log(workloadText(found))
}
const memory = isWanted(recipientsName, only) ? await measureMemory() : []
// So few messages tell how fast the compiler warms up, not how fast mail goes.
const targets = quick ? [] : findings(summaries)
if (json) console.log(JSON.stringify({ summaries, memory, targets }, null, 2))
else console.log(`${memory.map(memoryText).join('')}${targetsText(targets)}`)

async function measure({ workload, contenders }: Heat): Promise<readonly Summary[]> {
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, ofContender] of runs) {
      ofContender.push(await runAloud(contender, workload, ` (${round} of ${rounds})`))
    }
  }
  return [...runs].map(([{ name }, ofContender]) => summarize(name, workload, ofContender))
}

async function measureMemory(): Promise<readonly MemoryCourse[]> {
  const [mxpress] = everyone
  if (mxpress === undefined) throw new Error('Expected mxpress to be the first contender')
  const courses: MemoryCourse[] = []
  for (const options of memoryNodeOptions) {
    const remark = `, recipients of one message ${options.join(' ')}`
    const { sender } = await runAloud(mxpress, manyRecipients({ quick }), remark, options)
    courses.push(memoryCourse(sender, options))
  }
  return courses
}

/** Progress goes to stderr, so that stdout holds figures only. */
async function runAloud(
  contender: Contender,
  workload: Workload,
  remark: string,
  nodeOptions: readonly string[] = [],
): Promise<Run> {
  process.stderr.write(`${runName(workload, contender)}${remark.trimEnd()} ... `)
  const run = await runOnce(contender, workload, nodeOptions)
  const rate = Math.round((workload.messages / run.sender.elapsedMs) * 1000)
  process.stderr.write(`${rate.toLocaleString('en')} messages/s\n`)
  return run
}

function plan() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`Expected --rounds to be a whole number from 1, got ${values.rounds}`)
  }
  return { ...values, rounds, heats: planHeats(workloads(values), everyone, values.only) }
}

function orUsageError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    console.error((error as Error).message)
    process.exit(64)
  }
}
