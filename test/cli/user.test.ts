import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { verifyPassword } from '../../src/submission/password.ts'
import { emptyDirectory, run } from './run.ts'

test('a user is added with a password from standard input, changed, listed and removed', async () => {
  const cwd = await emptyDirectory()
  const user = (args: readonly string[], stdin = '') => run(['user', ...args], { cwd, stdin })
  expect(await user(['add', 'alice', 'users'], 'secret\nrest\n')).toEqual({
    code: 0,
    stdout: 'alice added\n',
    stderr: '',
  })
  const file = path.join(cwd, 'users')
  const kept = async () => (await readFile(file, 'utf8')).trim().replace('alice:', '')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await verifyPassword('secret', await kept())).toBe(true)
  expect((await user(['add', 'alice', 'users'], 'other')).stdout).toBe('alice: password changed\n')
  expect(await verifyPassword('other', await kept())).toBe(true)
  expect((await user(['add', 'bob', 'users'], 'x')).code).toBe(0)
  expect((await user(['list', 'users'])).stdout).toBe('alice\nbob\n')
  expect(JSON.parse((await user(['list', 'users', '--json'])).stdout)).toEqual({ users: ['alice', 'bob'] })
  expect((await user(['remove', 'alice', 'users'])).stdout).toBe('alice removed\n')
  expect((await user(['list', 'users'])).stdout).toBe('bob\n')
})

test('the users file of the configuration is taken unless one is named', async () => {
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'mxpress.toml'), '[submission]\nusersFile = "who"\n')
  expect((await run(['user', 'add', 'alice'], { cwd, stdin: 'secret\n' })).code).toBe(0)
  expect(await readFile(path.join(cwd, 'who'), 'utf8')).toMatch(/^alice:\$scrypt\$/)
})

test.each([
  ['no file', ['list'], '', 64, 'no users file: name one, or set submission.usersFile'],
  ['a name with a colon', ['add', 'a:b', 'users'], 'x', 64, "'a:b': expected a name"],
  ['a password as an argument', ['add', 'alice', 'users', 'secret'], 'x', 64, "unexpected argument 'secret'"],
  ['an empty password', ['add', 'alice', 'users'], '\n', 65, 'expected a password, found an empty line'],
  ['a file that is not there', ['list', 'users'], '', 78, 'Cannot read the users file users: ENOENT'],
])('%s is refused', async (_name, args, stdin, code, message) => {
  const finished = await run(['user', ...args], { stdin })
  expect(finished.code).toBe(code)
  expect(finished.stderr).toContain(message)
})

test('a user who is not there cannot be removed', async () => {
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 'users'), '', { mode: 0o600 })
  expect(await run(['user', 'remove', 'bob', 'users'], { cwd })).toEqual({
    code: 65,
    stdout: '',
    stderr: "mxpress: no user 'bob' in users\n",
  })
})
