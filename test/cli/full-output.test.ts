import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { emptyDirectory } from './run.ts'

const bin = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url))
const hasFullDevice = existsSync('/dev/full')
if (!hasFullDevice) console.warn('skipped: this system has no /dev/full')

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
})
afterAll(() => sandbox.close())

test.skipIf(!hasFullDevice)(
  'an output that cannot be written costs no recipient his mail, and is said',
  async () => {
    const cwd = await emptyDirectory()
    const args = ['send', '--dns', sandbox.dns, '--port', `${sandbox.port}`, '--allow-local-addresses']
    args.push('--hostname', 'sender.test', '--from', 'alice@sender.test', '--text', 'hello')
    args.push('--log', join(cwd, 'log'), '--to', 'one@accepts.test, two@accepts.test, three@no-mx.test')
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(
        'sh',
        ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, bin, ...args],
        { cwd },
        (error, _, text) => resolve({ code: error?.code ?? 0, stderr: text }),
      )
    })
    expect(stderr).toContain('could not be written (ENOSPC)')
    expect(stderr).not.toContain('defect')
    expect(code).toBe(73)
    expect((await sandbox.received()).map(({ recipient }) => recipient).sort()).toEqual([
      'one@accepts.test',
      'three@no-mx.test',
      'two@accepts.test',
    ])
  },
)
