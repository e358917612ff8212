/** What README shows of `mxpress probe` is what it prints. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { emptyDirectory, run } from './run.ts'
import { intoSandbox } from './sending.ts'

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')

/** Times, addresses and what they do to the columns differ from run to run. */
const comparable = (text: string): string =>
  text
    .replaceAll(/127\.\d+\.\d+\.\d+\]?:\d+/g, 'ADDRESS')
    .replaceAll(/([✓✗]) \d+ ms/g, '$1 TIME')
    .replaceAll(/ +/g, ' ')

test('the recorded probe is what the same command prints now', async () => {
  const [, targets = '', shown = ''] = /<!-- recorded: (.*?) -->\n```\n(.*?)```/s.exec(readme) ?? []
  await using sandbox = await startSandbox({ removeMail: true })
  const caFile = path.join(await emptyDirectory(), 'ca.pem')
  await writeFile(caFile, sandbox.ca)
  const env = { MXPRESS_TLS_CA_FILE: caFile }
  const { stdout } = await run(['probe', ...intoSandbox(sandbox), ...targets.split(' ')], { env })
  expect(comparable(shown)).toBe(comparable(stdout))
})
