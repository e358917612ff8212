/** Whatever servers do to the later mailboxes of a session: each mailbox has the verdict that it would have had alone. */
import { expect, test } from 'vitest'
import { probe } from '../../src/probe/probe.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { leadingTo, OneExchanger, serverWith } from './servers.ts'

/** The same numbers for the same seed, from 0 to below 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const truths = [
  ['accepts', '250 2.1.5 ok'],
  ['rejects', '550 5.1.1 no such user'],
  ['full', '552 5.2.2 mailbox full'],
  ['greylisted', '450 4.2.0 greylisted, try again later'],
  ['refused-us', '550 5.7.1 you are blocked'],
] as const

const disturbances: readonly ((client: Conversation) => Promise<void>)[] = [
  (client) => client.reply('421 4.7.0 too many errors'),
  (client) => client.reply('452 4.5.3 too many recipients'),
  (client) => client.reply('550 5.7.1 too many recipients from you'),
  async (client) => client.reset(),
]

/** Disturbs one in five of those who are not the first of their session. */
async function serverOf(seed: number) {
  const random = numbers(seed)
  const share = random()
  return serverWith({
    RCPT: async (client, command) => {
      const isFirst = client.commands.filter((said) => said.startsWith('RCPT')).length === 1
      const disturbance = disturbances[Math.floor(random() * disturbances.length)]
      if (!isFirst && random() < 0.2 && disturbance !== undefined) return disturbance(client)
      await client.reply(truthOf(command, share)[1])
    },
  })
}

/** Most have a final answer, a seed's share of them the first one. */
function truthOf(text: string, share: number): (typeof truths)[number] {
  const number = Number(/u(\d+)@/.exec(text)?.[1])
  const draw = numbers(number)()
  return draw < share ? truths[0] : (truths[number % truths.length] ?? truths[0])
}

const targets = Array.from({ length: 60 }, (_, at) => `u${at}@d${at % 3}.test`)

test.each(Array.from({ length: 20 }, (_, seed) => seed))('seed %i: every verdict is true', async (seed) => {
  const server = await serverOf(seed)
  const share = numbers(seed)()
  const options = leadingTo(server.port, { limits: { perSite: 1 + (seed % 3), perSession: 1 + (seed % 12) } })
  const told: string[] = []
  for await (const { target, verdict } of probe(targets, options, {
    resolver: new OneExchanger(server.address),
  })) {
    told.push(`${target} ${verdict}`)
  }
  expect(told).toEqual(targets.map((target) => `${target} ${truthOf(target, share)[0]}`))
})

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'seed %i: stopped anywhere, the run ends, and tells nothing that is not true',
  async (seed) => {
    const server = await serverOf(seed)
    const share = numbers(seed)()
    const stop = new AbortController()
    const options = leadingTo(server.port, { limits: { perSite: 1 + (seed % 3) }, signal: stop.signal })
    const told: string[] = []
    const running = async (): Promise<void> => {
      const reports = probe(targets, options, { resolver: new OneExchanger(server.address) })
      for await (const { target, verdict } of reports) {
        if (verdict !== 'unknown') told.push(`${target} ${verdict}`)
        if (told.length === seed) stop.abort(new Error('enough'))
      }
    }
    if (seed === 0) stop.abort(new Error('enough'))
    await expect(running()).rejects.toThrow('enough')
    const truth = targets.map((target) => `${target} ${truthOf(target, share)[0]}`)
    expect(told.filter((line) => !truth.includes(line))).toEqual([])
  },
)
