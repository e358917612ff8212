/** Many mailboxes of one address: what they share, and what they never do. */
import { describe, expect, test } from 'vitest'
import type { ProbeOptions } from '../../src/probe/probe.ts'
import type { ProbeReport } from '../../src/probe/report.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import type { Answer, Answers } from '../support/scripted-steps.ts'
import { OneExchanger, probed as probedBy, serverWith, verbs } from './servers.ts'

const mailboxes = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `u${at}@a.test`)

/** Answers when all targets have been read, as a name server would, so that they come to the exchanger in their order. */
class LaterExchanger extends OneExchanger {
  override async resolve4(host: string): Promise<readonly string[]> {
    await new Promise(setImmediate)
    return super.resolve4(host)
  }
}

const probed = (
  server: ScriptedServer,
  targets: readonly string[],
  options: ProbeOptions,
): Promise<readonly ProbeReport[]> =>
  probedBy(server, targets, options, { resolver: new LaterExchanger(server.address) })

const oneByOne = { perSite: 1 }
const verdicts = (reports: readonly ProbeReport[]): readonly string[] => reports.map(({ verdict }) => verdict)
const linesOf = ({ exchangers }: ProbeReport) =>
  exchangers[0]?.addresses[0]?.transcript?.map(({ line }) => line)
/** How many mailboxes each session was asked about. */
const asked = (server: ScriptedServer): readonly number[] =>
  server.conversations.map((_, at) => verbs(server, at).filter((verb) => verb === 'RCPT').length)

/** Answers RCPT by its mailbox, `250 ok` to all others. */
const to = (answers: Readonly<Record<string, Answer>>): Answers => ({
  RCPT: async (client, command) => {
    const [, name = ''] = /<(.*)@/.exec(command) ?? []
    const answer = answers[name] ?? '250 2.1.5 ok'
    if (typeof answer === 'function') await answer(client, command)
    else await client.reply(...[answer].flat())
  },
})

/** Another answer the first time than later. */
const atFirst = (first: Answer, later: string): Answer => {
  let isFirst = true
  return async (client, command) => {
    const answer = isFirst ? first : later
    isFirst = false
    if (typeof answer === 'function') await answer(client, command)
    else await client.reply(...[answer].flat())
  }
}

test('mailboxes of one exchanger share a session, a transaction and a verdict for each', async () => {
  const server = await serverWith(to({ u1: '550 5.1.1 no such user', u2: '552 5.2.2 mailbox full' }))
  const reports = await probed(server, mailboxes(4), { limits: oneByOne })
  expect(verdicts(reports)).toEqual(['accepts', 'rejects', 'full', 'accepts'])
  expect(server.conversations).toHaveLength(1)
  expect(verbs(server)).toEqual(['EHLO', ...Array(4).fill(['MAIL', 'RCPT', 'RSET']).flat(), 'QUIT'])
  const addresses = reports.map(({ exchangers }) => exchangers[0]?.addresses[0])
  expect(addresses.map((address) => address?.openedFor)).toEqual([
    null,
    'u0@a.test',
    'u0@a.test',
    'u0@a.test',
  ])
  expect(addresses.map((address) => address?.recipient?.code)).toEqual([250, 550, 552, 250])
  for (const address of addresses) {
    const stages = address?.stages.map(({ stage }) => stage)
    expect(stages).toEqual(['connect', 'greeting', 'ehlo', 'mail', 'rcpt'])
  }
})

test.each([
  [{}, 25, [10, 10, 5]],
  [{ perSession: 3 }, 7, [3, 3, 1]],
  [{ perSession: 1 }, 3, [1, 1, 1]],
])('with %j, %i mailboxes need sessions of %j', async (limits, count, expected) => {
  const server = await serverWith()
  await probed(server, mailboxes(count), { limits: { ...oneByOne, ...limits } })
  expect(asked(server)).toEqual(expected)
  for (const at of expected.keys()) expect(verbs(server, at).at(-1)).toBe('QUIT')
})

test('with VRFY a session is shared by five', async () => {
  const server = await serverWith()
  await probed(server, mailboxes(6), { limits: oneByOne, vrfy: true })
  expect(asked(server)).toEqual([5, 1])
})

test('a session ends before a server that counts refusals loses its patience', async () => {
  const server = await serverWith({ RCPT: '550 5.1.1 no such user' })
  expect(new Set(verdicts(await probed(server, mailboxes(20), { limits: oneByOne })))).toEqual(
    new Set(['rejects']),
  )
  expect(asked(server)).toEqual([8, 8, 4])
})

describe('a mailbox is asked about again, in a session of its own, when in a shared one', () => {
  test.each<[string, Answer]>([
    ['the server says 421', '421 4.7.0 too many errors'],
    ['the server hangs up', (client) => client.reset()],
    ['the answer is for now only', '452 4.5.3 too many recipients'],
    ['the server asks to come again', '450 4.2.0 greylisted, try again later'],
    ['the answer is about us', '550 5.7.1 you are blocked'],
    ['the answer speaks of nobody', '550 no'],
  ])('%s', async (_title, answer) => {
    const server = await serverWith(to({ u2: atFirst(answer, '550 5.1.1 no such user') }))
    const reports = await probed(server, mailboxes(5), { limits: oneByOne })
    expect(verdicts(reports)).toEqual(['accepts', 'accepts', 'rejects', 'accepts', 'accepts'])
    expect(asked(server)).toEqual([3, 1, 1, 1])
    expect(reports[2]?.exchangers[0]?.addresses[0]?.openedFor).toBeNull()
  })

  test('MAIL is refused', async () => {
    let mails = 0
    const server = await serverWith({
      MAIL: (client) => client.reply(++mails === 2 ? '503 5.5.1 one is enough' : '250 ok'),
    })
    expect(verdicts(await probed(server, mailboxes(3), { limits: oneByOne }))).toEqual(
      Array(3).fill('accepts'),
    )
    expect(asked(server)).toEqual([1, 1, 1])
  })
})

test('where one answer in a shared session did not count, nobody shares any more', async () => {
  const server = await serverWith({
    RCPT: (client) => {
      const isFirst = client.commands.filter((command) => command.startsWith('RCPT')).length === 1
      return client.reply(isFirst ? '250 2.1.5 ok' : '452 4.5.3 too many recipients')
    },
  })
  const reports = await probed(server, mailboxes(5), { limits: oneByOne, transcript: true })
  expect(verdicts(reports)).toEqual(Array(5).fill('accepts'))
  expect(asked(server)).toEqual([2, 1, 1, 1, 1])
  expect(reports.map((report) => linesOf(report)?.[0])).toEqual([
    expect.stringMatching(/^\[connecting to/),
    '[asked in a shared session before: 452 4.5.3 too many recipients; that does not count]',
    ...Array(3).fill(expect.stringMatching(/^\[connecting to/)),
  ])
})

test.each([
  ['greylisted', '450 4.2.0 greylisted, try again later'],
  ['refused-us', '550 5.7.1 you are blocked'],
  ['unknown', '451 4.3.0 trouble'],
])('while the answer is %s, each mailbox has a session and one question', async (verdict, answer) => {
  const server = await serverWith({ RCPT: answer })
  expect(verdicts(await probed(server, mailboxes(3), { limits: oneByOne }))).toEqual(Array(3).fill(verdict))
  expect(asked(server)).toEqual([1, 1, 1])
})

test('a server that does not take RSET is asked about the next in a new session', async () => {
  const server = await serverWith({ RSET: '502 5.5.1 not here' })
  await probed(server, mailboxes(2), { limits: oneByOne })
  expect(asked(server)).toEqual([1, 1])
})

test('exchangers of different names do not share, although they are at one address', async () => {
  const server = await serverWith()
  const resolver = new OneExchanger(server.address, () => [
    { host: 'mx1.a.test', preference: 10 },
    { host: 'mx2.a.test', preference: 20 },
  ])
  await probedBy(server, mailboxes(2), { limits: oneByOne }, { resolver })
  expect(asked(server)).toEqual([2, 2])
})

test('a transcript has what was said about its own mailbox, and says whose session it was', async () => {
  const server = await serverWith()
  const reports = await probed(server, mailboxes(2), { limits: oneByOne, transcript: true })
  const [first, second] = reports.map(({ exchangers }) =>
    exchangers[0]?.addresses[0]?.transcript?.map(({ from, line }) => `${from[0]} ${line}`),
  )
  expect(first?.at(0)).toMatch(/^c \[connecting to 127\./)
  expect(first?.slice(-2)).toEqual(['c RSET', 's 250 2.0.0 ok'])
  expect(second).toEqual([
    'c [in the session that was opened for u0@a.test]',
    'c MAIL FROM:<>',
    's 250 2.0.0 ok',
    'c RCPT TO:<u1@a.test>',
    's 250 2.0.0 ok',
    'c RSET',
    's 250 2.0.0 ok',
    'c QUIT',
    's 221 2.0.0 bye',
  ])
})
