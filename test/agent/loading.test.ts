/** What a program that uses the library has to load. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const built = new URL('../../dist/index.js', import.meta.url).href

test('who signs nothing does not load mailauth: thirty megabytes and a tenth of a second', async () => {
  const program = `
    import { createRequire } from 'node:module'
    const { createAgent } = await import(${JSON.stringify(built)})
    await using agent = createAgent({ hostname: 'mail.sender.test' })
    await agent.prepare({ from: 'a@sender.test', to: 'b@accepts.test', text: 'x' })
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('mailauth')).length)
  `
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  })
  expect(stdout).toBe('0\n')
})
