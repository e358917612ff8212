/**
 * A process for the tests to kill: `victim.ts DIR add|work|lock`. Says one line on stdout for everything that has been
 * acknowledged to it, and never ends by itself.
 */
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { messageOf, submissionTo } from '../../support/queue-submissions.ts'

const [, , dir = '', job = ''] = process.argv

/** Written at once: what is said was acknowledged, whatever comes next. */
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const store = await openSqliteQueue(dir, { role: job === 'add' ? 'visitor' : 'daemon', reserveOctets: 0 })
say('open')

async function addForever(adder: number): Promise<void> {
  for (let n = 0; ; n++) {
    const name = `${adder}-${n}`
    // Every tenth is large enough to become a file.
    const message = messageOf(name, n % 10 === 9 ? 200_000 : 1_000)
    const { submissionId } = await store.add(
      submissionTo([`a${name}@one.test`, `b${name}@two.test`], { message }),
    )
    say(`added ${submissionId} ${name}`)
  }
}

async function workForever(): Promise<void> {
  const until = Number.MAX_SAFE_INTEGER
  for (;;) {
    const leased = await store.lease({
      owner: 'victim',
      now: 5_000,
      until,
      max: 20,
      perSite: 5,
      room: new Map(),
    })
    for (const { entry } of leased) say(`leased ${entry.id}`)
    await Promise.all(
      leased.map(async ({ entry }, index) => {
        // Said before, because what is between the two may be done or not.
        if (index % 2 === 0) {
          say(`begins ${entry.id}`)
          await store.begin(entry.id, 'victim')
          say(`begun ${entry.id}`)
        }
        await store.settle({ kind: 'delivered', id: entry.id, owner: 'victim', attempt: null })
        say(`settled ${entry.id}`)
      }),
    )
  }
}

if (job === 'add') await Promise.all(Array.from({ length: 8 }, (_, adder) => addForever(adder)))
else if (job === 'work') await workForever()
else setInterval(() => {}, 60_000)
