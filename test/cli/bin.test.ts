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

/** Runs a script before the program. NODE_OPTIONS has a quoting of its own; percent signs are safe from it. */
const preload = (script: string): string => `--import=data:text/javascript,${encodeURIComponent(script)}`

test.skipIf(node === undefined)('an older Node of this machine is told what is needed', async () => {
  const { code, stdout, stderr } = await run(['--help'], { node: node ?? '' })
  expect(stderr).toMatch(/^mxpress: needs Node\.js 24 or newer, this is \d+\.\d+\.\d+\n$/)
  expect({ code, stdout }).toEqual({ code: 70, stdout: '' })
})

test('whatever calls itself an older Node is told what is needed', async () => {
  const disguise = 'Object.defineProperty(process, "versions", { value: { node: "18.20.8" } })'
  const finished = await run(['--help'], { env: { NODE_OPTIONS: preload(disguise) } })
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

test.each([
  ['thrown by a command', 'process.stdout.write = () => { throw new TypeError("boom") }'],
  [
    'thrown where nobody catches it',
    'process.on("newListener", (name) => name === "uncaughtException" && setImmediate(() => { throw new Error("boom") }))',
  ],
])('an unexpected error is our own defect: 70, a stack and a hint (%s)', async (_where, script) => {
  const env = { NODE_OPTIONS: preload(script) }
  const { code, stdout, stderr } = await run(['send', '--help'], { env })
  expect({ code, stdout }).toEqual({ code: 70, stdout: expect.any(String) })
  expect(stderr).toMatch(/^mxpress: \w*Error: boom\n {4}at /)
  expect(stderr).toMatch(/\nThis is a defect of mxpress itself\. Please report it .*\n$/)
})
