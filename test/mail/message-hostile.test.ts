/** Large messages made to be slow: a quadratic step anywhere would run into the time limit of the test. */
import { expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import { toSevenBit } from '../../src/mail/seven-bit.ts'
import { wireProblem } from './read-back.ts'

const head = 'From: a@x.test\r\nTo: b@x.test\r\n'
const million = 1 << 20
const multipart = (boundary: string) => `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n`

function nested(entity: (depth: number) => string): string {
  return Array.from({ length: 10_000 }, (_, depth) => entity(depth)).join('')
}

test.each<[string, string]>([
  ['one line of a million octets', `${head}\r\n${'x'.repeat(million)}`],
  ['a million blanks before a letter', `${head}\r\n${' '.repeat(million)}x`],
  ['a million line feeds', `${head}${'\n'.repeat(million)}`],
  ['a million carriage returns', `${head}${'\r'.repeat(million)}`],
  ['a field of a million octets', `${head}Subject: ${'word '.repeat(million / 5)}\r\n\r\nx`],
  ['a field name followed by a million blanks', `${head}X${' '.repeat(million)}: y\r\n\r\nx`],
  ['a hundred thousand fields', `${head}${'X: y\r\n'.repeat(100_000)}\r\nx\0`],
  ['a hundred thousand recipients', `From: a@x.test\r\nTo: ${'b@x.test, '.repeat(100_000)}\r\n\r\nx`],
  ['a million parentheses in Content-Type', `${head}Content-Type: a/b ${'( '.repeat(million / 2)}\r\n\r\n\0`],
  ['a hundred thousand parameters', `${head}Content-Type: a/b${'; x=y'.repeat(100_000)}\r\n\r\n\0`],
  ['ten thousand nested multiparts', `${head}${nested((at) => `${multipart(`b${at}`)}--b${at}\r\n`)}\r\nü\0`],
  ['ten thousand of one boundary', `${head}${nested(() => `${multipart('b')}--b\r\n`)}\r\nü\0`],
  ['ten thousand nested messages', `${head}${nested(() => 'Content-Type: message/rfc822\r\n\r\n')}\r\nü\0`],
  ['a million blanks behind a boundary', `${head}${multipart('b')}--b${' '.repeat(million)}x\r\n--b--`],
  ['as many delimiters as fit', `${head}${multipart('b')}${'--b\r\n'.repeat(million / 5)}\0`],
  [
    'quoted-printable of equals signs',
    `${head}Content-Transfer-Encoding: quoted-printable\r\n\r\n${'='.repeat(million)}`,
  ],
])('%s end in a message or an error, soon', async (_, raw) => {
  const found = await composeMail({ raw }, { hostname: 'h.test' }).catch((error: unknown) => error)
  if (found instanceof Error) {
    expect(found).toHaveProperty('code', 'ERR_MESSAGE')
    return
  }
  const { message } = found as Awaited<ReturnType<typeof composeMail>>
  expect(wireProblem(message.content ?? new Uint8Array(0))).toBeNull()
  expect((await toSevenBit(message)).requires).toEqual(new Set())
})
