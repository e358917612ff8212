import { execFile } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import type { Attachment } from '../../src/mail/mail.ts'
import { readBack, wireProblem } from './read-back.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mxpress-attachments-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function attach(...attachments: readonly unknown[]) {
  const mail = { from: 'a@x.test', to: 'b@x.test', text: 'x', attachments: attachments as Attachment[] }
  const { message } = await composeMail(mail, { hostname: 'h.test' })
  const content = message.content ?? new Uint8Array(0)
  expect(message.requires).toEqual(new Set())
  expect(wireProblem(content)).toBeNull()
  return { content: Buffer.from(content).toString(), ...(await readBack(content)) }
}

const refusal = (attachment: unknown) =>
  attach(attachment).then(
    () => null,
    (error: unknown) => error,
  )

test('a file travels octet for octet under its own name', async () => {
  const octets = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256))
  await writeFile(join(folder, 'Grüße "1".pdf'), octets)
  const { attachments } = await attach({ path: join(folder, 'Grüße "1".pdf') })
  expect(attachments).toEqual([
    { name: 'Grüße "1".pdf', type: 'application/pdf', octets: octets.toString('latin1') },
  ])
})

test('name and type are taken from the options first', async () => {
  const { attachments } = await attach({
    content: 'a,b',
    filename: '../x.csv',
    contentType: 'text/x; charset=utf-8',
  })
  expect(attachments).toMatchObject([{ name: '../x.csv', type: 'text/x', octets: 'a,b' }])
})

test.each([
  ['a missing file', 'missing.txt', 'ENOENT'],
  ['a folder', '.', 'EISDIR'],
  ['an address instead of a file', 'http://127.0.0.1/x', 'ENOENT'],
  ['a data URL instead of a file', 'data:text/plain,x', 'ENOENT'],
])('%s is an error with the code of the system, and nothing is fetched', async (_, name, code) => {
  const path = name.includes(':') ? name : join(folder, name)
  expect(await refusal({ path })).toMatchObject({ name: 'AttachmentError', code, path })
})

test('a pipe is read to its end, as <(generate) of a shell needs it', async () => {
  const path = join(folder, 'pipe')
  await promisify(execFile)('mkfifo', [path])
  const writing = writeFile(path, 'generated')
  const { attachments } = await attach({ path })
  await writing
  expect(attachments).toMatchObject([{ name: 'pipe', octets: 'generated' }])
})

test('what is empty is attached empty, what has no end is given up', async () => {
  expect((await attach({ path: '/dev/null' })).attachments).toMatchObject([{ name: 'null', octets: '' }])
  expect(await refusal({ path: '/dev/zero' })).toMatchObject({
    name: 'AttachmentError',
    code: 'ERR_TOO_LARGE',
    message: expect.stringContaining('/dev/zero: expected at most 256 MiB, found more in a device'),
  })
})

test('a file that is too large is not even begun', async () => {
  const path = join(folder, 'sparse')
  await writeFile(path, '')
  await truncate(path, 300_000_000)
  expect(await refusal({ path })).toMatchObject({
    code: 'ERR_TOO_LARGE',
    message: expect.stringContaining('found 300000000 octets'),
  })
})

test('a message in order is attached as one, its 8-bit parts encoded inside (RFC 2046 §5.2.1)', async () => {
  const { content } = await attach({ filename: 'm.eml', content: 'Subject: x\n\nGrüße\n' })
  expect(content).toContain('Content-Type: message/rfc822; name=m.eml\r\nContent-Transfer-Encoding: 7bit\r\n')
  expect(content).toContain('\r\n\r\nGr=C3=BC=C3=9Fe\r\n')
})

test.each([
  ['m.eml', 'no message'],
  ['m.eml', 'Subject: ü\n\nx\n'],
  ['m.eml', `Subject: ${'y'.repeat(1200)}\n\nx\n`],
])('%s with %j is attached as a file, since it may not be encoded', async (filename, content) => {
  expect((await attach({ filename, content })).attachments).toEqual([
    { name: filename, type: 'application/octet-stream', octets: Buffer.from(content).toString('latin1') },
  ])
})

test('a delivery report in 7 bits stays one, with CRLF', async () => {
  const report = { contentType: 'message/delivery-status', filename: 'r', content: 'Action: failed\n' }
  expect((await attach(report)).content).toContain('\r\n\r\nAction: failed\r\n')
  const { attachments } = await attach({ ...report, content: 'Action: \0\n' })
  expect(attachments[0]).toMatchObject({ type: 'application/octet-stream', octets: 'Action: \0\n' })
})

test.each<[string, object, string]>([
  ['a line end in the file name', { filename: 'a\r\nb' }, 'the file name must not contain `\\r`'],
  ['a line end in the type', { contentType: 'a/b\r\nBcc: c' }, 'contentType must not contain'],
  ['a type that is none', { contentType: 'text' }, 'expected contentType'],
  ['a multipart', { contentType: 'Multipart/mixed; boundary=b' }, 'expected contentType'],
  ['UTF-8 in the type', { contentType: 'text/plain; name=ü' }, 'expected contentType'],
  ['a bracket in the cid', { cid: 'a>b' }, 'expected cid'],
  ['an empty cid', { cid: '' }, 'expected cid'],
])('%s is refused', async (_, options, reason) => {
  expect(await refusal({ content: 'x', ...options })).toMatchObject({
    code: 'ERR_MESSAGE',
    message: expect.stringContaining(reason),
  })
})

test.each([{}, { content: { path: '/etc/hostname' } }, { href: 'http://127.0.0.1/' }, { path: 7 }])(
  '%j is a mistake of the caller’s',
  async (attachment) => {
    expect(await refusal(attachment)).toBeInstanceOf(TypeError)
  },
)
