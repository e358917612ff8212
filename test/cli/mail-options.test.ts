import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { InputDataError, InputFileError, UsageError } from '../../src/cli/errors.ts'
import { type MailOptions, readMail } from '../../src/cli/mail-options.ts'
import { emptyDirectory } from './run.ts'

const simple = { from: 'alice@sender.test', to: ['bob@accepts.test'] }

test('options become a mail; what was not given is not there', async () => {
  const mail = await readMail({
    from: 'Alice <alice@sender.test>',
    to: ['bob@accepts.test, carol@accepts.test', '"Doe, J." <doe@accepts.test>'],
    bcc: ['dave@accepts.test'],
    text: 'hi',
    header: [['X-Job', '4711']],
  })
  expect(mail).toEqual({
    from: 'Alice <alice@sender.test>',
    to: ['bob@accepts.test, carol@accepts.test', '"Doe, J." <doe@accepts.test>'],
    bcc: ['dave@accepts.test'],
    text: 'hi',
    headers: [['X-Job', '4711']],
  })
})

test('bodies and attachments come from files, a raw message octet for octet', async () => {
  const directory = await emptyDirectory()
  const text = path.join(directory, 'text.txt')
  const raw = path.join(directory, 'raw.eml')
  await writeFile(text, 'Grüße\n')
  await writeFile(raw, Buffer.from([0x46, 0x3a, 0xff, 0x0a]))
  expect(await readMail({ ...simple, textFile: text, attach: [raw] })).toEqual({
    ...simple,
    text: 'Grüße\n',
    attachments: [{ path: raw }],
  })
  expect(await readMail({ raw })).toEqual({ raw: Buffer.from([0x46, 0x3a, 0xff, 0x0a]) })
})

test('a recipient may be named by a header field as well', async () => {
  expect(await readMail({ from: 'a@sender.test', header: [['To', 'bob@accepts.test']] })).toEqual({
    from: 'a@sender.test',
    headers: [['To', 'bob@accepts.test']],
  })
})

const mistakes: readonly (readonly [what: string, options: MailOptions, message: RegExp])[] = [
  ['no author', { to: ['bob@accepts.test'] }, /^--from is missing/],
  ['no recipient', { from: 'alice@sender.test' }, /^--to, --cc or --bcc is missing/],
  ['a malformed author', { ...simple, from: 'alice@' }, /^--from: Malformed [a-z ]+ `alice@`/],
  [
    'a malformed recipient',
    { ...simple, to: ['bob@accepts.test', 'carol@@x'] },
    /^--to: Malformed [a-z ]+ `carol@@x`/,
  ],
  ['a malformed copy', { ...simple, cc: ['nobody'] }, /^--cc: Malformed [a-z ]+ `nobody`/],
  ['a malformed blind copy', { ...simple, bcc: ['<x@y.test'] }, /^--bcc: Malformed [a-z ]+ `<x@y\.test`/],
  ['a malformed Reply-To', { ...simple, replyTo: 'x y' }, /^--reply-to: Malformed [a-z ]+ `x y`/],
  [
    'a malformed reverse-path',
    { ...simple, envelopeFrom: 'x@y@z' },
    /^--envelope-from: Malformed [a-z ]+ `x@y@z`/,
  ],
  ['a line break in an address', { ...simple, to: ['bob@accepts.test\r\nRCPT TO:<x@y.test>'] }, /^--to: /],
  ['two texts', { ...simple, text: 'a', textFile: 'b' }, /^--text cannot be used with --text-file$/],
  ['two HTML bodies', { ...simple, html: 'a', htmlFile: 'b' }, /^--html cannot be used with --html-file$/],
  ['a subject for a raw message', { raw: 'm', subject: 's' }, /^--subject cannot be used with --raw/],
  ['a file for a raw message', { raw: 'm', htmlFile: 'h' }, /^--html-file cannot be used with --raw/],
  [
    'standard input twice',
    { ...simple, textFile: '-', htmlFile: '-' },
    /^only one option can read standard input, found --text-file - and --html-file -$/,
  ],
]

test.each(mistakes)('%s is a usage error that names it', async (_what, options, message) => {
  const error = await readMail(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UsageError)
  expect((error as Error).message).toMatch(message)
})

test.each(['textFile', 'htmlFile', 'raw'] as const)('an unreadable file is named: %s', async (name) => {
  const options = name === 'raw' ? { raw: '/nonexistent/x' } : { ...simple, [name]: '/nonexistent/x' }
  const error = await readMail(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(InputFileError)
  expect((error as Error).message).toMatch(
    /^--[a-z-]+ \/nonexistent\/x: cannot be read: no such file or directory$/,
  )
})

test('an attachment that is missing or a directory is found out before anything else happens', async () => {
  const directory = await emptyDirectory()
  await mkdir(path.join(directory, 'folder'))
  for (const name of ['missing', 'folder']) {
    const attach = [path.join(directory, name)]
    await expect(readMail({ ...simple, attach })).rejects.toThrow(InputFileError)
    await expect(readMail({ ...simple, attach })).rejects.toThrow(`--attach ${directory}/${name}: `)
  }
})

test('of standard input as an attachment it is said how it is named', async () => {
  await expect(readMail({ ...simple, attach: ['-'] })).rejects.toThrow(UsageError)
  await expect(readMail({ ...simple, attach: ['-'] })).rejects.toThrow('for standard input write /dev/stdin')
})

test('a device without an end is given up, whatever it was to be', async () => {
  for (const option of ['textFile', 'htmlFile', 'raw'] as const) {
    const mail = option === 'raw' ? { raw: '/dev/zero' } : { ...simple, [option]: '/dev/zero' }
    const error = await readMail(mail).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(InputFileError)
    expect((error as Error).message).toMatch(
      /^--[a-z-]+ \/dev\/zero: cannot be read: expected at most 256 MiB, found more in a device; /,
    )
  }
})

test('a text file that is not UTF-8 is malformed input', async () => {
  const file = path.join(await emptyDirectory(), 'latin1.txt')
  await writeFile(file, Buffer.from('Gr\xfc\xdfe', 'latin1'))
  await expect(readMail({ ...simple, textFile: file })).rejects.toThrow(InputDataError)
  await expect(readMail({ ...simple, textFile: file })).rejects.toThrow(
    `--text-file ${file}: expected text in UTF-8`,
  )
})
