import { open, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { startHeldExchanger } from '../cli/held-exchanger.ts'
import { run } from '../cli/run.ts'
import { intoSandbox } from '../cli/sending.ts'
import { eventually, serveInto, submit } from '../cli/serving.ts'
import { mountSmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'

const reason = whyNoSmallDisk()

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

async function fill(file: string): Promise<void> {
  await using handle = await open(file, 'w')
  const block = Buffer.alloc(64 * 1024, 1)
  for (let size = block.length; size > 0; ) {
    const written = await handle.write(block, 0, size).catch(() => null)
    // Down to the last page.
    if (written === null) size = size > 4096 ? 4096 : 0
  }
}

/** The reply that ends the submission, whatever it is. */
const replyTo = (port: number, to: string): Promise<string> =>
  submit(port, to).catch((error: Error & { response?: string }) => error.response ?? error.message)

describe.skipIf(reason !== null)(`a disk of its own${reason === null ? '' : ` (${reason})`}`, () => {
  test('a full disk is 452, nothing is accepted half-way, and what is under way is recorded when there is room', async () => {
    using disk = mountSmallDisk(40)
    await using exchanger = await startHeldExchanger()
    const dir = path.join(disk.path, 'queue')
    const { process, port, cwd } = await serveInto(sandbox, [
      '--queue',
      dir,
      '--route',
      `held.test=127.0.0.1:${exchanger.port}`,
    ])
    const entries = async (): Promise<unknown[]> =>
      JSON.parse((await run(['queue', 'list', '--json', '--queue', dir])).stdout).entries
    expect(await submit(port, 'held@held.test')).toMatch(/^250 /)
    await exchanger.reached

    const filler = path.join(disk.path, 'filler')
    await fill(filler)
    let accepted = 0
    await eventually(
      async () => {
        const reply = await replyTo(port, 'full@accepts.test')
        if (reply.startsWith('250 ')) accepted++
        return reply
      },
      (reply) => reply === '452 4.3.1 no room in the queue, try again later',
    )
    exchanger.accept()
    await eventually(
      () => readFile(path.join(cwd, 'mxpress.log'), 'utf8'),
      (log) => /to=<held@held\.test> .*outcome=delivered/.test(log),
    )
    await rm(filler)
    await eventually(entries, (left) => left.length === 0)
    expect(await sandbox.received({ recipient: 'full@accepts.test' })).toHaveLength(accepted)
    await eventually(
      () => replyTo(port, 'again@accepts.test'),
      (reply) => reply.startsWith('250 '),
    )
    await eventually(
      () => sandbox.received({ recipient: 'again@accepts.test' }),
      (mails) => mails.length > 0,
    )
    process.kill('SIGTERM')
    expect(await process.finished()).toMatchObject({ code: 0, stderr: '' })
  })

  test('a read-only queue directory ends with 73 before anything is listened at', async () => {
    using disk = mountSmallDisk(40)
    const dir = path.join(disk.path, 'queue')
    const first = await serveInto(sandbox, ['--queue', dir])
    first.process.kill('SIGTERM')
    await first.process.finished()
    disk.makeReadOnly()
    const args = ['--listen', '127.0.0.1:0', '--queue', dir, ...intoSandbox(sandbox)]
    const { code, stdout, stderr } = await run(['serve', ...args])
    expect({ code, stdout }).toEqual({ code: 73, stdout: '' })
    expect(stderr).toMatch(/^mxpress: .*\n$/)
    expect(stderr).toContain(dir)
  })
})
