/**
 * Kills the daemon with SIGKILL at random moments, again and again. `CRASH_KILLS=200` makes it the long run,
 * `CRASH_SEED` repeats the moments of another one as far as chance allows.
 */
import { createTransport } from 'nodemailer'
import { expect, test } from 'vitest'
import { submissionOf } from '../cli/queued.ts'
import type { Running } from '../cli/run.ts'
import { eventually } from '../cli/serving.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { type Exchangers, type Moment, startExchangers, type Watch } from './exchangers.ts'
import { Ledger } from './ledger.ts'
import { bear, newHome, portOf, remainsOf, withQueueOf } from './life.ts'

const kills = Number(process.env.CRASH_KILLS ?? 20)
const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** A minute for the first, and what twenty deaths take on a slow machine. */
const limitMs = 60_000 + kills * 6_000

const domains = ['plain.test', 'greylist.test', 'drop.test', 'plain.test']
const addressOf = (name: string, index: number) => `${name}${index}@${domains[index % domains.length]}`

async function preload(home: string, count: number, ledger: Ledger): Promise<void> {
  await withQueueOf(home, async (queue) => {
    const adding = Array.from({ length: count }, async (_, index) => {
      const to = addressOf('queued', index)
      await queue.add(submissionOf({ to: [to], messageId: `<${index}@sender.test>` }))
      ledger.accept(to)
    })
    await Promise.all(adding)
  })
}

/** Kills it: one time in four while it is starting, else somewhere in its work. */
async function live(
  home: string,
  random: () => number,
  work: (daemon: Running) => Promise<void>,
): Promise<void> {
  const daemon = await bear(home)
  const isEarly = random() < 0.25
  const working = isEarly ? Promise.resolve() : portOf(daemon).then(() => work(daemon))
  if (!isEarly) await portOf(daemon)
  await new Promise((resolve) => setTimeout(resolve, random() * (isEarly ? 400 : 300)))
  daemon.kill('SIGKILL')
  await daemon.finished()
  await working
}

/** The long run's figures. */
function tell(ledger: Ledger): void {
  if (process.env.CRASH_KILLS !== undefined)
    console.info(`${expect.getState().currentTestName}: ${ledger.summary}`)
}

async function drain(home: string): Promise<void> {
  const daemon = await bear(home)
  await portOf(daemon)
  await withQueueOf(home, (queue) =>
    eventually(
      () => queue.counts(),
      ({ ready, leased, held, dead }) => ready + leased + held + dead === 0,
    ),
  )
  daemon.kill('SIGTERM')
  expect(await daemon.finished()).toMatchObject({ code: 0, stderr: '' })
}

test(
  `nothing queued is lost and only what was in hand arrives twice, ${kills} times killed (seed ${seed})`,
  async () => {
    const random = seededRandom(seed)
    await using exchangers: Exchangers = await startExchangers(() => random() * 60)
    const ledger = new Ledger(exchangers.taken)
    const home = await newHome(exchangers.routes)
    await preload(home, 50 * kills, ledger)
    for (let death = 0; death < kills; death++) {
      await live(home, random, async () => {})
      ledger.checkDeath(await remainsOf(home))
    }
    await drain(home)
    ledger.checkEnd()
    tell(ledger)
  },
  limitMs,
)

test(
  `what was answered with 250 is delivered, whenever the daemon dies, ${kills} times killed (seed ${seed})`,
  async () => {
    const random = seededRandom(seed + 1)
    await using exchangers: Exchangers = await startExchangers(() => random() * 20)
    const ledger = new Ledger(exchangers.taken)
    const home = await newHome(exchangers.routes)
    let count = 0
    for (let death = 0; death < kills; death++) {
      await live(home, random, (daemon) =>
        submitUntilDead(daemon, () => addressOf('submitted', count++), ledger),
      )
      ledger.checkDeath(await remainsOf(home))
    }
    await drain(home)
    ledger.checkEnd()
    tell(ledger)
    expect(ledger.accepted).toBeGreaterThan(kills)
  },
  limitMs,
)

/** Recipients of one message who may share a transaction. */
const perTransaction = 8
const moments: readonly Moment[] = ['recipient', 'content', 'final dot', 'reply']

test(
  `of recipients who share a transaction none is lost, and all are marked who may arrive twice (seed ${seed})`,
  async () => {
    const random = seededRandom(seed + 2)
    let watch: Watch = () => {}
    await using exchangers: Exchangers = await startExchangers(
      () => random() * 20,
      (moment, recipients) => watch(moment, recipients),
    )
    const ledger = new Ledger(exchangers.taken, perTransaction)
    const home = await newHome(exchangers.routes, perTransaction)
    await preloadShared(home, 40, ledger)
    for (const moment of [...moments, ...moments]) {
      const daemon = await bear(home)
      let ahead = Math.floor(random() * 4)
      const shared = await new Promise<string[]>((resolve) => {
        watch = (at, recipients) => {
          if (at !== moment || recipients.length < 2 || ahead-- > 0) return
          watch = () => {}
          daemon.kill('SIGKILL')
          resolve([...recipients])
        }
      })
      await daemon.finished()
      const remains = await remainsOf(home)
      // All of them are in the same doubt.
      if (moment === 'final dot') expect([...remains.begun.keys()]).toEqual(expect.arrayContaining(shared))
      ledger.checkDeath(remains)
    }
    await drain(home)
    ledger.checkEnd()
    tell(ledger)
  },
  limitMs,
)

/** Messages to 32 recipients each. */
async function preloadShared(home: string, count: number, ledger: Ledger): Promise<void> {
  await withQueueOf(home, async (queue) => {
    for (let message = 0; message < count; message++) {
      const to = Array.from({ length: 32 }, (_, at) => addressOf(`m${message}-`, at))
      await queue.add(submissionOf({ to, messageId: `<${message}@sender.test>` }))
      for (const address of to) ledger.accept(address)
    }
  })
}

/** Three clients, as fast as they can. */
async function submitUntilDead(daemon: Running, next: () => string, ledger: Ledger): Promise<void> {
  const port = await portOf(daemon)
  const client = async (): Promise<void> => {
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      ignoreTLS: true,
      pool: true,
      maxConnections: 1,
    })
    try {
      for (;;) {
        const to = next()
        ledger.offer(to)
        await transport.sendMail({ from: 'alice@sender.test', to, subject: 'hi', text: 'hello\n' })
        ledger.accept(to)
      }
    } catch {
      // It is dead.
    } finally {
      transport.close()
    }
  }
  await Promise.all([client(), client(), client()])
}
