/** Whatever is aborted, and whenever: every recipient has exactly one outcome, and no mailbox two copies. */
import fc from 'fast-check'
import { afterAll, afterEach, expect, test } from 'vitest'
import { createAgent, formatAddress, type Outcome } from '../../src/index.ts'
import { type DialogueLine, startSandbox } from '../../src/sandbox/sandbox.ts'

/** Told of each line that an exchanger hears or says: the clock of these tests. */
let onLine: (line: DialogueLine) => void = () => {}
const sandbox = await startSandbox({
  removeMail: true,
  slowSeconds: 0.02,
  onDialogue: (line) => onLine(line),
})
afterAll(() => sandbox.close())

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
process.on('unhandledRejection', note).on('uncaughtException', note)
afterEach(() => expect(unhandled).toEqual([]))
afterAll(() => {
  process.off('unhandledRejection', note).off('uncaughtException', note)
})

const domains = sandbox.domains
  .filter(({ waits }) => !waits)
  .map(({ mailbox }) => mailbox.split('@')[1] ?? '')
let round = 0

/** A mailbox of its own for each recipient of each run. */
const recipients = (run: number, places: readonly number[]): readonly string[] =>
  places.map((place, at) => `r${run}-${at}@${domains[place % domains.length]}`)

/** Domains whose exchanger keeps the message and gives no reply to it. */
const losesReplies = (who: string): boolean => /@(drops|nonsense)-after-dot\.test$/.test(who)

interface Ending {
  readonly seen: readonly Outcome[]
  readonly thrown: unknown
}

async function follow(outcomes: AsyncIterable<Outcome>): Promise<Ending> {
  const seen: Outcome[] = []
  try {
    for await (const outcome of outcomes) seen.push(outcome)
    return { seen, thrown: null }
  } catch (thrown) {
    return { seen, thrown }
  }
}

async function prepared(to: readonly string[]) {
  const agent = createAgent({
    ...sandbox.agentOptions,
    delivery: { concurrency: 8, perSite: 2, messagesPerSession: 3 },
  })
  return {
    agent,
    ...(await agent.prepare({ from: 'alice@sender.test', to, subject: 'Hi', text: 'Hello\n' })),
  }
}

async function expectOnce(to: readonly string[], { seen }: Ending): Promise<void> {
  expect(seen.map(({ recipient }) => formatAddress(recipient.address)).toSorted()).toEqual(to.toSorted())
  const mailed = (await sandbox.received()).map(({ recipient }) => recipient)
  for (const { kind, recipient, ...rest } of seen) {
    const who = formatAddress(recipient.address)
    const copies = mailed.filter((one) => one === who).length
    const uncertain = 'uncertain' in rest && rest.uncertain
    // An abort leaves nobody in doubt: what is past the final dot is awaited.
    expect({ who, uncertain }).toEqual({ who, uncertain: uncertain && losesReplies(who) })
    // A copy without its outcome, or an outcome without its copy, is what nobody may ever see.
    if (!uncertain) expect({ who, copies }).toEqual({ who, copies: kind === 'delivered' ? 1 : 0 })
    else expect(copies).toBeLessThanOrEqual(1)
  }
}

const places = fc.array(fc.nat(domains.length - 1), { minLength: 1, maxLength: 25 })

test('aborted at any line of the dialogue: one outcome each, no mailbox twice, then the reason is thrown', async () => {
  await fc.assert(
    fc.asyncProperty(places, fc.nat(150), async (chosen, moment) => {
      const to = recipients(round++, chosen)
      const { agent, message, envelope } = await prepared(to)
      const abort = new AbortController()
      const reason = new Error('enough')
      let lines = 0
      onLine = () => {
        if (lines++ === moment) abort.abort(reason)
      }
      const ending = await follow(agent.deliver(message, envelope, { signal: abort.signal }))
      await agent.close()
      await expectOnce(to, ending)
      // The last outcome may have been known before the abort.
      expect([null, reason]).toContain(ending.thrown)
      if (!abort.signal.aborted) expect(ending.thrown).toBe(null)
    }),
    { numRuns: 25, endOnFailure: true },
  )
})

test('left after any number of outcomes: what was told is true, and no mailbox has two copies', async () => {
  await fc.assert(
    fc.asyncProperty(places, fc.nat(10), async (chosen, enough) => {
      const to = recipients(round++, chosen)
      const { agent, message, envelope } = await prepared(to)
      const seen: Outcome[] = []
      for await (const outcome of agent.deliver(message, envelope)) {
        seen.push(outcome)
        if (seen.length > enough) break
      }
      await agent.close()
      const told = seen.map(({ recipient }) => formatAddress(recipient.address))
      expect(new Set(told).size).toBe(told.length)
      const mailed = (await sandbox.received())
        .map(({ recipient }) => recipient)
        .filter((who) => to.includes(who))
      expect(new Set(mailed).size).toBe(mailed.length)
      for (const { kind, recipient } of seen) {
        if (kind === 'delivered') expect(mailed).toContain(formatAddress(recipient.address))
      }
    }),
    { numRuns: 15, endOnFailure: true },
  )
})

test('not aborted at all: every domain of the sandbox, many recipients each, one outcome each', async () => {
  const to = recipients(
    round++,
    Array.from({ length: domains.length * 4 }, (_, at) => at),
  )
  const { agent, message, envelope } = await prepared(to)
  const ending = await follow(agent.deliver(message, envelope))
  await agent.close()
  await expectOnce(to, ending)
  expect(ending.thrown).toBe(null)
})
