/** What the package is for whoever installs it. `npm test` builds first. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

/** What the declarations import from elsewhere, from these files on. */
function modulesOf(file: string, seen: Set<string>): readonly string[] {
  if (seen.has(file)) return []
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  const imported = [
    ...text.matchAll(/^(?:import|export|\})[^'"\n]* from ['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\bimport\(['"]([^'"]+)['"]\)/g),
  ]
  return imported.flatMap(([, specifier = '']) =>
    specifier.startsWith('.')
      ? modulesOf(path.join(path.dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts')), seen)
      : [specifier],
  )
}

test('its types need no declarations but those of Node and of dependencies that bring their own', () => {
  const entries: readonly string[] = Object.values(
    manifest.exports as Record<string, { types?: string }>,
  ).flatMap(({ types }) => (types === undefined ? [] : [path.join(root, types)]))
  const modules = new Set(entries.flatMap((entry) => modulesOf(entry, new Set())))
  const foreign = [...modules].filter((name) => !name.startsWith('node:'))
  expect(entries).toHaveLength(3)
  expect([...modules]).toContain('node:stream')
  expect(foreign.filter((name) => !['nodemailer', 'zod'].includes(name))).toEqual([])
})

test('the files that README points to come with it', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  const linked = new Set([...readme.matchAll(/\]\((config\/[^)]+)\)/g)].map(([, file]) => file))
  expect([...linked].filter((file) => !manifest.files.includes(file))).toEqual([])
  expect(
    manifest.files.filter((file: string) => !file.startsWith('!') && !existsSync(path.join(root, file))),
  ).toEqual([])
  expect(linked.size).toBe(4)
})
