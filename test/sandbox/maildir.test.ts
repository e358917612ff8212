import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { folderName, keepMail } from '../../src/sandbox/maildir.ts'

let mailDir = ''
beforeAll(async () => {
  mailDir = await mkdtemp(join(tmpdir(), 'mxpress-maildir-'))
})
afterAll(() => rm(mailDir, { recursive: true }))

const keep = (localPart: string, domain = 'accepts.test') =>
  keepMail(mailDir, { localPart, domain, prefix: 'Return-Path: <>\r\n', content: Buffer.from('a\r\n') })

test('a message lies in new, its temporary file is gone', async () => {
  const file = await keep('user')
  expect(relative(mailDir, file)).toMatch(/^accepts\.test\/user\/new\/\d+\.M\d+P\d+Q\d+\.[^/:]+$/)
  expect(await readFile(file, 'latin1')).toBe('Return-Path: <>\r\na\r\n')
  expect(await readdir(join(mailDir, 'accepts.test/user/tmp'))).toEqual([])
  expect(await readdir(join(mailDir, 'accepts.test/user/cur'))).toEqual([])
})

test('two messages in one millisecond have two names', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const [one, other] = await Promise.all([keep('twin'), keep('twin')])
  expect(one).not.toBe(other)
})

test.each([
  '../../etc',
  '..',
  '.',
  '',
  'a/b',
  'nul\0',
  '/absolute',
  '"a b"',
  'x'.repeat(400),
  'ö'.repeat(300),
])('the local part %j stays inside its domain', async (localPart) => {
  const file = await keep(localPart)
  expect(relative(join(mailDir, 'accepts.test'), file).split('/')).toHaveLength(3)
  expect(relative(mailDir, file)).toMatch(/^accepts\.test\/[^./\0][^/\0]*\/new\/[^/\0]+$/)
})

test('a domain cannot leave the directory either', async () => {
  const file = await keep('user', '../..')
  expect(relative(mailDir, file)).toMatch(/^%2E\.%2F\.\.\/user\/new\//)
})

test('different mailboxes have different folders', () => {
  const long = (end: string) => folderName(`${'x'.repeat(300)}${end}`)
  expect(new Set(['a/b', 'a%2Fb', 'a%b', '', '%', long('1'), long('2')].map(folderName)).size).toBe(7)
})
