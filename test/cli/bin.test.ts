import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { newProgram } from '../../src/cli/main.ts'
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

/** A command with all below it. */
const withSubcommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
]

const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`

const commands = withSubcommands(newProgram()).map((command) => [nameOf(command), command] as const)

test.each(commands)('%s --help shows examples, and fits a terminal of 80 columns', (name, command) => {
  const parts: string[] = []
  command
    .configureOutput({ writeOut: (text) => void parts.push(text), getOutHelpWidth: () => 80 })
    .outputHelp()
  const help = parts.join('')
  expect(help).toMatch(new RegExp(`\\nExamples:\\n(?: {2}.*\\n)*? {2}.*${name}`))
  expect(help.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('--help of a command goes to standard output, and ends with 0', async () => {
  const { code, stdout, stderr } = await run(['queue', 'list', '--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: mxpress queue list .*\nExamples:\n {2}mxpress queue list\n/s)
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
