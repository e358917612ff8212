/**
 * The page's links lead somewhere, and its tables name all that there is: every option of every command, every key of the
 * configuration, every exit code, every status of ours, every
 * floor.
 */
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/exit-code.ts'
import { newProgram } from '../../src/cli/main.ts'
import { optionList } from '../../src/config/option-list.ts'

const root = new URL('../../', import.meta.url)
const readme = await readFile(new URL('README.md', root), 'utf8')

/** From a heading to the next one. */
const chapter = (heading: string): string => readme.split(`\n${heading}\n`)[1]?.split(/^#+ /m)[0] ?? ''

/** The cells of a chapter's tables, without their heads. */
const rows = (heading: string): readonly (readonly string[])[] =>
  chapter(heading)
    .split('\n')
    .filter((line) => /^\| (?!---)/.test(line))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))

const quoted = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

const withSubcommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
]

test('every option of every command is in the tables of options', () => {
  const named = new Set(quoted(chapter('## Options')).map((text) => text.split(' ')[0]))
  const missing = withSubcommands(newProgram()).flatMap((command) =>
    command.options
      .map(({ long }) => long)
      .filter((long) => !named.has(long ?? ''))
      .map((long) => `${command.name()} ${long}`),
  )
  expect(missing).toEqual([])
})

/** The commands that a row is about: of `queue retry`, `hold` the second is `queue hold`. */
const commandsOf = (cell: string): readonly (Command | undefined)[] => {
  const [first = '', ...others] = quoted(cell)
  const group = first.split(' ').slice(0, -1)
  return [first.split(' '), ...others.map((name) => [...group, name])].map((path) =>
    path.reduce<Command | undefined>(
      (command, name) => command?.commands.find((one) => one.name() === name),
      newProgram(),
    ),
  )
}

test('the row of a command names options that it has, and no other', () => {
  const own = rows('## Options').filter((row) => row.length === 2 && row[0]?.startsWith('`'))
  const wrong = own.flatMap(([cell = '', options = '']) =>
    commandsOf(cell).flatMap((command) =>
      quoted(options)
        .filter((name) => name.startsWith('--') && !command?.options.some(({ long }) => long === name))
        .map((name) => `${cell}: ${name}`),
    ),
  )
  expect(own.length).toBeGreaterThan(9)
  expect(wrong).toEqual([])
})

test('every key of the configuration is in the table of options, and no other', () => {
  const named = rows('## Options').flatMap(([cell = '']) => {
    const [first = '', ...others] = quoted(cell)
    const section = first.replace(/\.[^.]*$/, '')
    return [first, ...others.map((text) => (text.startsWith('.') ? section + text : text))]
  })
  const keys = optionList.map(({ path }) => path.join('.'))
  expect(keys.filter((key) => !named.includes(key) && !named.includes(`${key.split('.')[0]}.*`))).toEqual([
    'dkim',
  ])
  const dotted = named.filter((name) => /^[a-z]\w*\.\w+$/i.test(name))
  expect(dotted.filter((name) => !keys.includes(name))).toEqual([])
})

test('every link within the page leads to a heading', () => {
  const slugOf = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-')
  const headings = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => slugOf(heading))
  const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, link = '']) => link)
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter((link) => !headings.includes(link))).toEqual([])
})

test('every exit code is in its table', () => {
  const named = rows('### Exit codes').flatMap(([cell = '']) => cell.match(/\d+/g) ?? [])
  expect(named.map(Number).sort()).toEqual(Object.values(exitCodes).sort())
})

test('every status that we give ourselves is in its table, and no other', async () => {
  const folders = ['delivery', 'queue', 'probe'].map((name) => new URL(`src/${name}/`, root))
  const files = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder)).filter((name) => name.endsWith('.ts')).map((name) => new URL(name, folder)),
    ),
  )
  const given = new Set<string>()
  for (const file of files.flat()) {
    for (const [, status = ''] of (await readFile(file, 'utf8')).matchAll(/'([45]\.[1-9]\d*\.\d+)'/g))
      given.add(status)
  }
  const told = rows('## What the outcomes mean').flatMap(([cell = '']) => cell.match(/\d\.\d+\.\d+/g) ?? [])
  expect(told.toSorted()).toEqual([...given].toSorted())
})

test('every folder of src stands on the floor where the rules of architecture put it', async () => {
  const { forbidden } = createRequire(import.meta.url)('../../config/dependency-cruiser.cjs')
  const comments: readonly string[] = forbidden.map(({ comment = '' }: { comment?: string }) => comment)
  const shown = new Map(
    rows('## Inside').flatMap(([floor = '', folders = '']) =>
      quoted(folders).map((name) => [name.replace(/\/$|\.ts$/, ''), Number(floor)] as const),
    ),
  )
  const names = (await readdir(new URL('src', root))).map((name) => name.replace(/\.ts$/, ''))
  const ruled = names.map((name) => {
    const comment = comments.find((text) => text.startsWith(`${name} stands on floor `))
    return [name, Number(comment?.match(/\d+/)?.[0])] as const
  })
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(ruled))
})
