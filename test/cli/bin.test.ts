import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { bin, run } from './run.ts'

/** A Node of the system that is too old, if there is one. */
function oldNode(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'node'))
    .filter((file) => existsSync(file))
    .find((file) => majorOf(file) < 24)
}

const majorOf = (node: string): number =>
  Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }))

const node = oldNode()

test.skipIf(node === undefined)('an older Node of this machine is told what is needed', async () => {
  const { code, stdout, stderr } = await run(['--help'], { node: node ?? '' })
  expect(stderr).toMatch(/^mxpress: needs Node\.js 24 or newer, this is \d+\.\d+\.\d+\n$/)
  expect({ code, stdout }).toEqual({ code: 70, stdout: '' })
})

test('whatever calls itself an older Node is told what is needed', async () => {
  // NODE_OPTIONS has a quoting of its own; percent signs are safe from it.
  const script = encodeURIComponent(
    'Object.defineProperty(process, "versions", { value: { node: "18.20.8" } })',
  )
  const finished = await run(['--help'], { env: { NODE_OPTIONS: `--import=data:text/javascript,${script}` } })
  expect(finished).toEqual({
    code: 70,
    stdout: '',
    stderr: 'mxpress: needs Node.js 24 or newer, this is 18.20.8\n',
  })
})

test('the executable has nothing in it that a Node of years ago cannot parse', () => {
  const source = readFileSync(bin, 'utf8')
  expect(source).toMatch(/^#!\/usr\/bin\/env node\n/)
  // Static imports are resolved before a line runs; the others are syntax of later years.
  expect(source).not.toMatch(/^import |\?\.|\?\?|^await /m)
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  for (const args of [['--version'], ['send', '--version']]) {
    expect(await run(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  }
})

test.each(['send', 'sandbox', 'demo'])('%s --help shows examples', async (command) => {
  const { code, stdout, stderr } = await run([command, '--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(new RegExp(`Examples:\\n {2}(.*\\n {2})?.*mxpress ${command}`))
})

test('without a command the help is shown as for a mistake', async () => {
  const { code, stdout, stderr } = await run([])
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
  expect(stderr).toMatch(/^Usage: mxpress .*\n/)
})
