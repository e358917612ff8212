import { expect, test } from 'vitest'
import { parsePathCommand } from '../../src/submission/command-path.ts'

const parse = (line: string) => parsePathCommand(Buffer.from(line))

test.each([
  ['MAIL FROM:<>', ''],
  ['MAIL FROM:<alice@sender.test>', 'alice@sender.test'],
  ['mail from: <alice@sender.test>', 'alice@sender.test'],
  ['MAIL FROM : alice@sender.test', 'alice@sender.test'],
  ['RCPT TO:<"a b>@<"@example.test>', '"a b>@<"@example.test'],
  ['RCPT TO:<"a\\"b"@example.test>', '"a\\"b"@example.test'],
  ['RCPT TO:<@relay.test:bob@example.test>', '@relay.test:bob@example.test'],
  ['RCPT TO:<Bob@XN--BCHER-KVA.example>', 'Bob@XN--BCHER-KVA.example'],
  ['RCPT TO:<jörg@example.test>', 'jörg@example.test'],
  ['RCPT TO:<postmaster>', 'postmaster'],
])('%s names %s', (line, path) => {
  expect(parse(line)).toEqual({ path, parameters: {}, duplicate: null })
})

test('parameters keep their values letter for letter, keywords are upper case', () => {
  expect(parse('MAIL FROM:<a@b.test> size=100 Body=8BITMIME SMTPUTF8 ENVID=a+2Bb=c')).toEqual({
    path: 'a@b.test',
    parameters: { SIZE: '100', BODY: '8BITMIME', SMTPUTF8: true, ENVID: 'a+2Bb=c' },
    duplicate: null,
  })
})

test('a keyword that is there twice is named', () => {
  expect(parse('MAIL FROM:<a@b.test> SIZE=1 size=2')?.duplicate).toBe('SIZE')
})

test.each(['__proto__', 'constructor'])('the keyword %s is a keyword like any other', (keyword) => {
  const parsed = parse(`MAIL FROM:<a@b.test> ${keyword}=x`)
  expect(Object.keys(parsed?.parameters ?? {})).toEqual([keyword.toUpperCase()])
})

test.each([
  'MAIL FROM:',
  'MAIL FROM',
  'MAIL FROM:<a@b.test',
  'MAIL FROM:<a@b.test>x',
  'MAIL FROM:<a<b>@c.test>',
  'MAIL TO:<a@b.test>',
  'RCPT FROM:<a@b.test>',
  'RCPT TO:<"a@b.test>',
])('%s is none', (line) => {
  expect(parse(line)).toBeNull()
})

test('octets that are no UTF-8 are not guessed at', () => {
  expect(parsePathCommand(Buffer.from('RCPT TO:<j\xf6rg@example.test>', 'latin1'))).toBeNull()
})
