/**
 * `npm run bench -- queue`: mxpress beside Postfix on the same disk, fsync on. First mail taken in over SMTP and kept, by
 * 1, 10 and 50 clients; then a queue of many messages over 20 domains worked off; then what mxpress takes of memory.
 * One rule: contenders take turns within one run, and a figure is the median of the rounds.
 *
 *   --messages N   taken in by each number of clients, and worked off; default 10,000
 *   --octets N     of a message; default 2,048 in, 10,240 out
 *   --rounds N     default 3
 *   --clients N    mail taken in by so many clients only
 *   --only WHAT    one of: in, out, memory, start, flushes (counted under strace, if that is installed)
 */
import { parseArgs } from 'node:util'
import { startMxpress, startPostfixQueue } from './contenders.ts'
import { measureDrain } from './drain.ts'
import { countFlushes, measureIntake } from './intake.ts'
import { measureMemory } from './memory.ts'
import { measureStart } from './start.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string' },
    octets: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string' },
    only: { type: 'string' },
  },
})

const contenders = [startMxpress, startPostfixQueue]
const rounds = Number(values.rounds)
const clientCounts = values.clients === undefined ? [1, 10, 50] : [Number(values.clients)]
const messages = (usual: number): number => Number(values.messages ?? usual)
const octets = (usual: number): number => Number(values.octets ?? usual)

const parts: Readonly<Record<string, () => Promise<void>>> = {
  in: () =>
    measureIntake(contenders, { messages: messages(10_000), octets: octets(2_048), rounds, clientCounts }),
  out: () => measureDrain(contenders, { messages: messages(10_000), octets: octets(10_240), rounds }),
  memory: () => measureMemory({ messages: messages(100_000), octets: octets(2_048) }),
  start: () => measureStart(messages(1_000_000)),
  flushes: () => countFlushes({ messages: messages(2_000), octets: octets(2_048), clientCounts }),
}

// Ending through `exit` ends the daemons too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const chosen = values.only === undefined ? ['in', 'out', 'memory', 'start'] : [values.only]
for (const name of chosen) {
  const part = parts[name]
  if (part === undefined)
    throw new TypeError(`--only: expected ${Object.keys(parts).join(', ')}, got ${name}`)
  await part()
}
