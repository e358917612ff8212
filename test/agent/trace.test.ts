/** A `trace` of the program's that fails: the mail goes on, and the program is told once. */
import { expect, test } from 'vitest'
import { createAgent } from '../../src/agent.ts'
import type { LogEvent } from '../../src/log/events.ts'
import { silentLog } from '../../src/log/log.ts'
import { scripted } from '../support/scripted.ts'
import { ordinary } from '../support/scripted-steps.ts'

const throwing = (thrown: unknown) => (): never => {
  throw thrown
}

test.each<[string, () => never | Promise<never>, string]>([
  ['throws', throwing(new Error('disk full')), 'Error: disk full'],
  ['throws what has no text', throwing(Object.create(null)), '[Object: null prototype] {}'],
  ['rejects', async () => Promise.reject(new Error('disk full')), 'Error: disk full'],
])('a `trace` that %s costs no mail, and is told once', async (_how, fail, words) => {
  const server = await scripted(ordinary({}))
  const warnings: string[] = []
  const events: LogEvent[] = []
  let lines = 0
  await using agent = createAgent(
    { hostname: 'mail.sender.test', routes: { 'example.test': `${server.address}:${server.port}` } },
    {
      log: { ...silentLog, write: (event) => events.push(event) },
      onWarning: (text) => warnings.push(text),
      trace: () => {
        lines++
        return fail()
      },
    },
  )
  const mail = { from: 'alice@sender.test', to: 'bob@example.test', text: 'hello' }
  expect((await agent.send(mail)).counts).toEqual({ delivered: 1, deferred: 0, failed: 0 })
  const text = `\`trace\` failed, nothing else did: ${words}`
  expect(warnings).toEqual([text])
  expect(events.filter(({ kind }) => kind === 'trouble')).toEqual([{ kind: 'trouble', id: '-', error: text }])
  expect(lines).toBeGreaterThan(6)
})
