import { expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import { decodeWords } from '../../src/mail/compose-words.ts'
import { wireFields } from './read-back.ts'

async function composed(name: string, value: string): Promise<string> {
  const mail = { from: 'a@x.test', to: 'b@x.test', text: 'Hi.\n', headers: { [name]: value } }
  const { message } = await composeMail(mail, { hostname: 'mail.x.test' })
  return wireFields(message.content ?? new Uint8Array(0))[0] ?? ''
}

test.each([
  ['Grüße aus Köln <news.x.test>', 'Grüße aus Köln <news.x.test>'],
  ['"Grüße, \\"alle\\"" <news.x.test>', 'Grüße, "alle" <news.x.test>'],
  [`${'Grüße '.repeat(60)}<news.x.test>`, `${'Grüße '.repeat(60)}<news.x.test>`],
])(
  'of a List-Id the phrase is encoded, and the id stays where programs look for it (RFC 2919 §3)',
  async (value, read) => {
    const field = await composed('List-Id', value)
    expect(field).toMatch(/^List-Id: =\?UTF-8\?Q\?[!-~ ]+\?= <news\.x\.test>$/)
    expect(decodeWords(field.replace('List-Id: ', ''))).toBe(read)
  },
)

test('what is ASCII stays as it was written', async () => {
  expect(await composed('List-Id', '"Our news" <news.x.test>')).toBe('List-Id: "Our news" <news.x.test>')
  const unsubscribe = '<https://x.test/u?a=%C3%BC>, <mailto:u@x.test>'
  expect(await composed('List-Unsubscribe', unsubscribe)).toBe(`List-Unsubscribe: ${unsubscribe}`)
})

test.each([
  ['List-Unsubscribe', '<https://x.test/ü>', 'holds `ü`: its addresses are ASCII (RFC 3986 §2)'],
  ['list-unsubscribe', '<https://x.test/ü>', 'percent-encoded, `%C3%BC`'],
  ['List-Post', '<mailto:\ud800@x.test>', 'holds `\\u{d800}`'],
  ['List-Id', '<grüße.x.test>', 'its id in ASCII, got `<grüße.x.test>`'],
  ['List-Id', 'Grüße', 'expected the header List-Id to be like'],
])('%s: %s is refused, for no reader would find it in an encoded-word', async (name, value, reason) => {
  await expect(composed(name, value)).rejects.toMatchObject({
    code: 'ERR_MESSAGE',
    message: expect.stringContaining(reason),
  })
})
