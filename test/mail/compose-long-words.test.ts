import { expect, test } from 'vitest'
import { composeMail } from '../../src/mail/compose.ts'
import { decodeWords } from '../../src/mail/compose-words.ts'
import type { Mail } from '../../src/mail/mail.ts'
import { readBack, wireFields, wireProblem } from './read-back.ts'

async function compose(headers: Mail['headers']) {
  const mail = { from: 'a@x.test', to: 'b@x.test', text: 'Hi.\n', headers }
  const { message } = await composeMail(mail as Mail, { hostname: 'mail.x.test' })
  const content = Buffer.from(message.content ?? [])
  expect(wireProblem(content)).toBeNull()
  return { content, fields: wireFields(content) }
}

test.each([
  ['X-Token', 'y'.repeat(1200)],
  ['Comments', `see ${'=?_'.repeat(400)}\tand more`],
  ['X-Blanks', `a${' '.repeat(1200)}b`],
  ['X-Tabs', `a\t\t${'y'.repeat(997)}`],
  ['Content-Description', 'y'.repeat(998)],
])(
  'a word too long for a line in %s, a field of text, is encoded (RFC 2047 §5) and read back the same',
  async (name, value) => {
    const { content, fields } = await compose({ [name]: value })
    const field = fields.find((text) => text.startsWith(`${name}: `))
    const words = field?.slice(name.length + 2).split(' ') ?? []
    expect(words.filter((word) => !/^=\?[!->@-~]+\?Q\?[!->@-~]+\?=$/.test(word) || word.length > 75)).toEqual(
      [],
    )
    expect(decodeWords(words.join(' '))).toBe(value)
    // The independent reader decodes a Subject only, and makes runs of blanks one.
    const asSubject = Buffer.from(content.toString().replace(`${name}: `, 'Subject: '))
    const plain = (text = '') => text.replace(/\s+/g, ' ')
    expect(plain((await readBack(asSubject)).subject)).toBe(plain(value))
  },
)

test('a word that a line of its own holds is left as it is', async () => {
  const word = 'y'.repeat(997)
  const { fields } = await compose({ 'X-A': word, References: `<${'r'.repeat(995)}>` })
  expect(fields).toContain(`X-A: ${word}`)
  expect(fields).toContain(`References: <${'r'.repeat(995)}>`)
})

test.each<[string, Mail['headers'], string]>([
  [
    'a word too long for a line in a field of ids',
    { References: `<1@x.test> <${'y'.repeat(998)}@x.test>` },
    'the header References has a word of 1007 octets; a line holds 998',
  ],
  [
    'an address too long for a line in a field of addresses',
    { 'List-Unsubscribe': `<https://x.test/?${'y'.repeat(1000)}>` },
    'encode it would change what it means',
  ],
])('%s is refused', async (_name, headers, reason) => {
  await expect(compose(headers)).rejects.toMatchObject({
    code: 'ERR_MESSAGE',
    message: expect.stringContaining(reason),
  })
})

test('a value of many words costs no more than its size', async () => {
  const { fields } = await compose({ 'X-A': 'y '.repeat(200_000).trim() })
  expect(fields[0]).toHaveLength('X-A: '.length + 399_999)
})
