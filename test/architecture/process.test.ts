import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type ProcessUse, processUses } from './process-uses.ts'

const source = fileURLToPath(new URL('../../src', import.meta.url))
const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.ts'))

const usersOf = async (use: ProcessUse): Promise<readonly string[]> => {
  const users = await Promise.all(
    files.map(async (name) =>
      processUses(await readFile(`${source}/${name}`, 'utf8')).has(use) ? [name] : [],
    ),
  )
  return users.flat()
}

test('only the command line ends the process', async () => {
  expect((await usersOf('process.exit')).filter((name) => !/^cli\//.test(name))).toEqual([])
})

test('only the command line and the configuration read the environment', async () => {
  expect((await usersOf('process.env')).filter((name) => !/^(cli|config)\//.test(name))).toEqual([])
})

describe('a use is seen, however it is written:', () => {
  test.each([
    ['process.exit(1)', 'process.exit'],
    ["process['exit'](1)", 'process.exit'],
    ['if (broken) globalThis.process.exit()', 'process.exit'],
    ['const { exit } = process', 'process.exit'],
    ['const { exit: leave } = globalThis.process', 'process.exit'],
    ["import { exit } from 'node:process'", 'process.exit'],
    ["import { exit as leave } from 'process'", 'process.exit'],
    ['const home: string | undefined = process.env.HOME', 'process.env'],
    ['const { env } = process', 'process.env'],
    ["import { env } from 'node:process'", 'process.env'],
    ['class A { readonly home = () => process.env["HOME"] }', 'process.env'],
    ["import system from 'node:process'\nsystem.env", 'process.env'],
    ["import * as system from 'node:process'\nsystem.exit()", 'process.exit'],
  ] as const)('%s', (code, use) => {
    expect([...processUses(code)]).toEqual([use])
  })

  test.each([
    'process.exitCode = 1',
    'process.on("exit", () => {})',
    'const exit = 1; const env = { exit }',
    '// process.exit(1)',
    'const text = "process.exit(1)"',
    'loop.exit()',
    "import { argv } from 'node:process'",
  ])('and nothing else is: %s', (code) => {
    expect([...processUses(code)]).toEqual([])
  })
})
