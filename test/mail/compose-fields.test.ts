import { expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import type { Mail } from '../../src/mail/mail.ts'
import { wireFields } from './read-back.ts'

async function fieldsOf(headers: Mail['headers']): Promise<readonly string[]> {
  const mail = { from: 'a@x.test', to: 'b@x.test', text: 'Hi.\n', headers } as Mail
  const { message } = await composeMail(mail, { hostname: 'mail.x.test' })
  return wireFields(message.content ?? new Uint8Array(0))
}

test.each([
  ['X-SMTPAPI', '{"to":["a@x.test"], "filters":{}}'],
  ['X-Quote', 'say "hi" \\ (now)\tthere'],
  ['List-Id', '"Our news" <news.x.test>'],
  ['List-Help', '<mailto:a@x.test> (see "help")'],
  ['Auto-Submitted', 'auto-replied; owner-email="a@x.test"'],
  ['x-sPeLLing', 'a=b'],
])('printable ASCII stays as it was written, quotes and all: %s', async (name, value) => {
  expect((await fieldsOf({ [name]: value }))[0]).toBe(`${name}: ${value}`)
})

test('what is not, is encoded in its place; ids get their brackets; a field without a value is left out', async () => {
  const fields = await fieldsOf([
    ['X-A', '"one"'],
    ['X-B', '"zwölf"'],
    ['X-C', ' '],
    ['X-D', 'a\x1bb'],
    ['X-E', '=?x?= y'],
    ['In-Reply-To', '1@x.test'],
    ['X-A', 'two'],
  ])
  expect(fields.slice(0, 7)).toEqual([
    'X-A: "one"',
    'X-B: =?UTF-8?Q?=22zw=C3=B6lf=22?=',
    'X-D: =?UTF-8?Q?a=1Bb?=',
    'X-E: =?UTF-8?Q?=3D=3Fx=3F=3D_y?=',
    'In-Reply-To: <1@x.test>',
    'X-A: two',
    'From: a@x.test',
  ])
})
