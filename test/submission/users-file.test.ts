import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { isUserName, putUser, readUsers, removeUser } from '../../src/submission/users-file.ts'

const hash = `$scrypt$ln=4,r=1,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`
const other = hash.replace('BBB', 'CCC')
let dir = ''
let file = ''

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mxpress-users-'))
  file = path.join(dir, 'users')
})
afterEach(() => rm(dir, { recursive: true }))

const write = (text: string, mode = 0o600) => writeFile(file, text, { mode })

test('users are read, comments and blank lines passed over', async () => {
  await write(`# who may send\n\nalice:${hash}\r\nbob@example.test:${other}\n`)
  expect([...(await readUsers(file))]).toEqual([
    ['alice', hash],
    ['bob@example.test', other],
  ])
})

test.each([0o644, 0o604, 0o620, 0o602, 0o660])('a file of mode %o is refused', async (mode) => {
  await write(`alice:${hash}\n`)
  await chmod(file, mode)
  await expect(readUsers(file)).rejects.toThrow(
    `is open to others (mode ${mode.toString(8)}): chmod 600 it, or 640`,
  )
})

test.each([0o600, 0o640, 0o400])('a file of mode %o is used', async (mode) => {
  await write(`alice:${hash}\n`)
  await chmod(file, mode)
  expect((await readUsers(file)).size).toBe(1)
})

test.each([
  ['no hash', 'alice:secret'],
  ['no colon', 'alice'],
  ['no name', `:${hash}`],
  ['a blank in the name', `al ice:${hash}`],
])('a line with %s is refused by its number, its text not shown', async (_name, line) => {
  await write(`# first\n${line}\n`)
  const reading = readUsers(file)
  await expect(reading).rejects.toThrow(ConfigError)
  await expect(reading).rejects.toThrow(
    `${file}:2: expected NAME:$scrypt$…, as \`mxpress user add\` writes it`,
  )
})

test('a user who is there twice is refused', async () => {
  await write(`alice:${hash}\nalice:${other}\n`)
  await expect(readUsers(file)).rejects.toThrow(`${file}:2: the user alice is there twice`)
})

test('a file that is not there is named', async () => {
  await expect(readUsers(file)).rejects.toThrow(`Cannot read the users file ${file}: ENOENT`)
})

test('a first user makes a file for the owner only', async () => {
  expect(await putUser(file, 'alice', hash)).toBe(true)
  expect(await readFile(file, 'utf8')).toBe(`alice:${hash}\n`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readdir(dir)).toEqual(['users'])
})

test('a further user stands behind, an existing one keeps the place; comments and mode stay', async () => {
  await write(`# who\nalice:${hash}\n`)
  await chmod(file, 0o640)
  expect(await putUser(file, 'bob', hash)).toBe(true)
  expect(await putUser(file, 'alice', other)).toBe(false)
  expect(await readFile(file, 'utf8')).toBe(`# who\nalice:${other}\nbob:${hash}\n`)
  expect((await stat(file)).mode & 0o777).toBe(0o640)
})

test('a user is taken out, and only that one', async () => {
  await write(`# alice:x\nalice:${hash}\nalice2:${other}\n`)
  expect(await removeUser(file, 'alice')).toBe(true)
  expect(await removeUser(file, 'alice')).toBe(false)
  expect(await readFile(file, 'utf8')).toBe(`# alice:x\nalice2:${other}\n`)
})

test('two who write at once do not lose each other’s work', async () => {
  await writeFile(`${file}.new`, '')
  await expect(putUser(file, 'alice', hash)).rejects.toThrow(`${file}.new exists`)
})

test.each(['alice', 'alice@example.test', 'jörg', 'a.b+c'])('%s is a name', (name) => {
  expect(isUserName(name)).toBe(true)
})

test.each(['', 'a b', 'a:b', '#a', 'a\n', 'a\u200bb', 'a'.repeat(300)])('%j is no name', (name) => {
  expect(isUserName(name)).toBe(false)
})

test('the file is not read for a change before it is certain that nobody else is changing it', async () => {
  // Whatever stands in it may be old a moment later.
  await write('alice:being rewritten\n', 0o644)
  await writeFile(`${file}.new`, '')
  await expect(putUser(file, 'bob', hash)).rejects.toThrow(`${file}.new exists`)
  await expect(removeUser(file, 'alice')).rejects.toThrow(`${file}.new exists`)
  expect(await readdir(dir)).toEqual(['users', 'users.new'])
})

test('a link to the file stays one, and the file is changed', async () => {
  await write(`alice:${hash}\n`)
  const link = path.join(dir, 'link')
  await symlink(file, link)
  await putUser(link, 'bob', hash)
  await removeUser(link, 'alice')
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect([...(await readUsers(file)).keys()]).toEqual(['bob'])
})
