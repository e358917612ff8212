/** A real program: Express in front, nodemailer in the middle, the built package behind. `npm test` builds first. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startSandbox } from '../../src/sandbox/sandbox.ts'

const program = fileURLToPath(new URL('express-program.js', import.meta.url))

test('an Express handler sends, tells what was refused, and ends when it is told to', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, AGENT_OPTIONS: JSON.stringify(sandbox.agentOptions) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close')
  const complaints = text(child.stderr)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const post = async (to: string) => {
    const answer = await fetch(`http://127.0.0.1:${line.replace('port ', '')}/receipts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to, order: 4711 }),
    })
    return { status: answer.status, body: await answer.json() }
  }

  expect(await post('bob@accepts.test')).toEqual({
    status: 202,
    body: { accepted: ['bob@accepts.test'], messageId: expect.stringMatching(/@sender\.test>$/) },
  })
  const [received] = await sandbox.received({ recipient: 'bob@accepts.test' })
  expect(Buffer.from(received?.content ?? []).toString()).toContain('Thank you for order 4711.')
  expect(await post('bob@unknown-mailbox.test')).toMatchObject({ status: 422, body: { code: 'EENVELOPE' } })
  expect(await post('bob@mailbox-full.test')).toMatchObject({
    status: 503,
    body: { reply: expect.stringMatching(/^452 /) },
  })
  expect(await post('not an address')).toMatchObject({ body: { code: 'EENVELOPE' } })

  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(await complaints).toBe('')
})
