import { expect, test } from 'vitest'
import { decodeWords } from '../../src/mail/compose-words.ts'

test.each([
  ['plain = text?', 'plain = text?'],
  ['=?utf-8?Q?J=C3=B6_x?= Doe', 'Jö x Doe'],
  ['=?UTF-8?B?SsO2?=', 'Jö'],
  ['=?iso-8859-1*de?q?=FC?=', 'ü'],
  ['=?utf-8?Q?a?= =?utf-8?Q?b?= c', 'ab c'],
  ['=?no-such?Q?a?=', '=?no-such?Q?a?='],
  ['=?utf-8?Q?=FF?=', '=?utf-8?Q?=FF?='],
  ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
])('%j is read as %j (RFC 2047)', (text, decoded) => {
  expect(decodeWords(text)).toBe(decoded)
})
