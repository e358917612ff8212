import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { readSecret } from '../../src/config/secret.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SECRET = 'hunter2'

const fileWith = async (text: string): Promise<string> => {
  const file = path.join(await temporaryDirectory(), 'relay.secret')
  await writeFile(file, text)
  return file
}

test.each([SECRET, `${SECRET}\n`, `${SECRET}\r\n`, `\ufeff${SECRET}\r\n`])(
  'the file %j holds the password',
  async (text) => {
    expect(await readSecret({ kind: 'file', file: await fileWith(text) })).toBe(SECRET)
  },
)

test('blanks belong to a password', async () => {
  expect(await readSecret({ kind: 'file', file: await fileWith(' a b \n') })).toBe(' a b ')
})

test('a new password in the file counts from the next reading on', async () => {
  const file = await fileWith('old')
  await readSecret({ kind: 'file', file })
  await writeFile(file, 'new')
  expect(await readSecret({ kind: 'file', file })).toBe('new')
})

test('a variable holds the password', async () => {
  expect(await readSecret({ kind: 'variable', name: 'RELAY' }, { RELAY: SECRET })).toBe(SECRET)
})

test('a systemd credential is a file in the directory that systemd names', async () => {
  const directory = path.dirname(await fileWith(SECRET))
  const env = { CREDENTIALS_DIRECTORY: directory }
  expect(await readSecret({ kind: 'credential', name: 'relay.secret' }, env)).toBe(SECRET)
})

test('a function of a program gives the password, now or later', async () => {
  expect(await readSecret({ kind: 'program', read: () => SECRET })).toBe(SECRET)
  expect(await readSecret({ kind: 'program', read: async () => SECRET })).toBe(SECRET)
})

test.each([
  [{ kind: 'file', file: '/nonexistent/relay.secret' }, 'the file /nonexistent/relay.secret: ENOENT'],
  [{ kind: 'variable', name: 'NONE' }, 'the variable NONE is not set'],
  [{ kind: 'credential', name: 'relay' }, 'CREDENTIALS_DIRECTORY is not set'],
  [{ kind: 'variable', name: 'EMPTY' }, 'Expected a password in the variable EMPTY, found nothing'],
  [{ kind: 'program', read: () => 7 as never }, 'the function `password` did not return a string'],
] as const)('a password that is not to be had is an error that says where: %j', async (source, message) => {
  const reading = readSecret(source, { EMPTY: '' })
  await expect(reading).rejects.toThrow(ConfigError)
  await expect(reading).rejects.toThrow(message)
})

test.each([`${SECRET}\nmore`, `${SECRET}\0`, `${SECRET}\n\n`])(
  '%j is no password, and is not repeated',
  async (text) => {
    const reading = readSecret({ kind: 'variable', name: 'X' }, { X: text })
    await expect(reading).rejects.toThrow('that is one line, found more')
    await expect(reading).rejects.not.toThrow(SECRET)
  },
)
