import { expect, test } from 'vitest'
import { noExtensions, parseExtensions } from '../../src/smtp/extensions.ts'

const parse = (...lines: string[]) => parseExtensions(['mx.example.test greets you', ...lines])

test('every extension that is used is recognised', () => {
  const offered = parse(
    'PIPELINING',
    'CHUNKING',
    'STARTTLS',
    '8BITMIME',
    'SMTPUTF8',
    'DSN',
    'SIZE 1000',
    'LIMITS MAILMAX=20',
  )
  expect(offered).toEqual({
    pipelining: true,
    chunking: true,
    startTls: true,
    eightBitMime: true,
    smtpUtf8: true,
    dsn: true,
    size: true,
    sizeLimitOctets: 1000,
    mailMax: 20,
    rcptMax: null,
    auth: null,
    keywords: ['PIPELINING', 'CHUNKING', 'STARTTLS', '8BITMIME', 'SMTPUTF8', 'DSN', 'SIZE', 'LIMITS'],
  })
})

test('keywords are case-insensitive (RFC 5321 §4.1.1.1)', () => {
  expect(parse('pipelining', 'sTaRtTlS', 'size 99')).toMatchObject({
    pipelining: true,
    startTls: true,
    sizeLimitOctets: 99,
    keywords: ['PIPELINING', 'STARTTLS', 'SIZE'],
  })
})

test('unknown keywords are listed and change nothing', () => {
  const { keywords, ...rest } = parse('XCLIENT NAME ADDR', 'XAUTH=LOGIN', 'constructor', '__proto__')
  const { keywords: none, ...nothing } = noExtensions
  expect(rest).toEqual(nothing)
  expect(none).toEqual([])
  expect(keywords).toEqual(['XCLIENT', 'XAUTH=LOGIN', 'CONSTRUCTOR', '__PROTO__'])
})

test('the first line is the greeting, whatever it says (RFC 5321 §4.1.1.1)', () => {
  expect(parseExtensions(['PIPELINING', 'HELP'])).toMatchObject({ pipelining: false, keywords: ['HELP'] })
  expect(parseExtensions(['STARTTLS'])).toEqual(noExtensions)
})

test('a keyword counts only as a whole word', () => {
  expect(parse('PIPELINING2', 'X-CHUNKING', 'STARTTLSX', 'XSIZE 5')).toMatchObject({
    pipelining: false,
    chunking: false,
    startTls: false,
    size: false,
    sizeLimitOctets: null,
  })
})

test.each([
  ['SIZE', null],
  ['SIZE 0', null],
  ['SIZE 00', null],
  ['SIZE 1', 1],
  ['SIZE 52428800', 52_428_800],
  ['SIZE  10 ', 10],
  ['SIZE\t10', 10],
  ['SIZE 010', 10],
  ['SIZE -1', null],
  ['SIZE +1', null],
  ['SIZE 1e3', null],
  ['SIZE 0x10', null],
  ['SIZE 10MB', null],
  ['SIZE 10 20', null],
  ['SIZE 99999999999999999999', 1e20],
  ['SIZE 999999999999999999999', null],
])('%j is offered with the maximum %s; zero or no number is no maximum (RFC 1870 §4)', (line, limit) => {
  expect(parse(line)).toMatchObject({ size: true, sizeLimitOctets: limit })
})

test.each([
  ['LIMITS MAILMAX=5', 5],
  ['limits mailmax=5', 5],
  ['LIMITS RCPTMAX=10 MAILMAX=7 RCPTDOMAINMAX=1', 7],
  ['LIMITS', null],
  ['LIMITS MAILMAX=0', null],
  ['LIMITS MAILMAX=', null],
  ['LIMITS MAILMAX=-1', null],
  ['LIMITS MAILMAX=5x', null],
  ['LIMITS MAILMAX=1234567', null],
  ['LIMITS XMAILMAX=5', null],
  ['MAILMAX=5', null],
])('%j allows %s transactions; a malformed limit is ignored (RFC 9422 §3, §4.1)', (line, limit) => {
  expect(parse(line).mailMax).toBe(limit)
})

test.each([
  [['AUTH PLAIN LOGIN'], ['PLAIN', 'LOGIN']],
  [['auth Plain'], ['PLAIN']],
  [['AUTH=LOGIN PLAIN'], ['LOGIN', 'PLAIN']],
  [
    ['AUTH PLAIN CRAM-MD5', 'AUTH=PLAIN CRAM-MD5'],
    ['PLAIN', 'CRAM-MD5'],
  ],
  [['AUTH'], []],
  [['AUTHOR X'], null],
])('mechanisms are those of AUTH, old spelling included: %j (RFC 4954 §3)', (lines, mechanisms) => {
  expect(parse(...lines).auth).toEqual(mechanisms)
})

test('the first of two equal keywords counts', () => {
  expect(parse('SIZE 10', 'size 20', 'PIPELINING', 'PIPELINING')).toMatchObject({
    sizeLimitOctets: 10,
    keywords: ['SIZE', 'PIPELINING'],
  })
})

test('empty lines and blanks around a keyword do no harm', () => {
  expect(parse('', '  ', ' PIPELINING ').keywords).toEqual(['PIPELINING'])
})

test('a server that only knows HELO offers nothing (RFC 5321 §4.1.1.1)', () => {
  expect(noExtensions).toEqual({
    pipelining: false,
    chunking: false,
    startTls: false,
    eightBitMime: false,
    smtpUtf8: false,
    dsn: false,
    size: false,
    sizeLimitOctets: null,
    mailMax: null,
    rcptMax: null,
    auth: null,
    keywords: [],
  })
})
