import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { bdatCommand, helloCommand, mailCommand, rcptCommand } from '../../src/smtp/command.ts'
import { LocalProtocolError } from '../../src/smtp/errors.ts'

const bob = parseAddress('bob@example.test')

test('commands end in CRLF and name what they are about (RFC 5321 §4.1.1)', () => {
  expect(mailCommand(bob)).toBe('MAIL FROM:<bob@example.test>\r\n')
  expect(rcptCommand(bob)).toBe('RCPT TO:<bob@example.test>\r\n')
  expect(helloCommand('EHLO', 'client.example.test')).toBe('EHLO client.example.test\r\n')
  expect(helloCommand('HELO', '[192.0.2.1]')).toBe('HELO [192.0.2.1]\r\n')
})

test('the null reverse-path is `<>` (RFC 5321 §4.5.5)', () => {
  expect(mailCommand(null)).toBe('MAIL FROM:<>\r\n')
})

test('a chunk is announced with its octets, the last one with LAST (RFC 3030 §2)', () => {
  expect(bdatCommand(1000, { last: false })).toBe('BDAT 1000\r\n')
  expect(bdatCommand(0, { last: true })).toBe('BDAT 0 LAST\r\n')
})

test('MAIL declares SIZE, BODY and SMTPUTF8 as it is told to, and nothing by itself', () => {
  expect(mailCommand(bob, { size: 0 })).toBe('MAIL FROM:<bob@example.test> SIZE=0\r\n')
  expect(mailCommand(bob, { size: 1234, eightBit: true, smtpUtf8: true })).toBe(
    'MAIL FROM:<bob@example.test> SIZE=1234 BODY=8BITMIME SMTPUTF8\r\n',
  )
  expect(mailCommand(bob, { eightBit: false, smtpUtf8: false })).toBe('MAIL FROM:<bob@example.test>\r\n')
})

test.each([
  '"a b"@example.test',
  '"a@b"@example.test',
  '"a>b"@example.test',
  '"a\\"b"@example.test',
  '"a,b"@example.test',
])('the quoted local part of %s stays quoted (RFC 5321 §4.1.2)', (text) => {
  expect(rcptCommand(parseAddress(text))).toBe(`RCPT TO:<${text}>\r\n`)
})

test('the case of a local part is kept (RFC 5321 §2.4), an address literal keeps its brackets', () => {
  expect(rcptCommand(parseAddress('BoB@[192.0.2.1]'))).toBe('RCPT TO:<BoB@[192.0.2.1]>\r\n')
})

describe('no line leaves that could be read as two', () => {
  const hostile = ['\r\nRCPT TO:<eve@example.test>', '\n', '\r', '\0', '\t', '\u007f', '\u001b']

  test.each(hostile)('with %j in an address', (text) => {
    const inLocalPart = { localPart: `bob${text}`, domain: 'example.test' }
    const inDomain = { localPart: 'bob', domain: `example.test${text}` }
    for (const address of [inLocalPart, inDomain]) {
      expect(() => mailCommand(address)).toThrow(LocalProtocolError)
      expect(() => rcptCommand(address)).toThrow(LocalProtocolError)
      expect(() => rcptCommand(address, { smtpUtf8: true })).toThrow(LocalProtocolError)
    }
  })

  test.each(hostile)('with %j in our own name', (text) => {
    expect(() => helloCommand('EHLO', `client${text}`)).toThrow(LocalProtocolError)
    expect(() => helloCommand('HELO', `client${text}`)).toThrow(LocalProtocolError)
  })

  test('the error shows the line without its control characters', () => {
    expect(() => rcptCommand({ localPart: 'a\r\nQUIT', domain: 'b' })).toThrow('"RCPT TO:<a\\r\\nQUIT@b>"')
  })
})

describe('no path leaves that could be read as another', () => {
  test.each([
    ['bob> SIZE=1 X=<eve', 'example.test'],
    ['bob', 'example.test> NOTIFY=NEVER'],
    ['<bob', 'example.test'],
    ['bo b', 'example.test'],
    ['bob', 'example .test'],
  ])('of %j at %j', (localPart, domain) => {
    expect(() => rcptCommand({ localPart, domain })).toThrow(LocalProtocolError)
    expect(() => mailCommand({ localPart, domain }, { smtpUtf8: true })).toThrow(LocalProtocolError)
  })
})

describe('UTF-8 leaves only where SMTPUTF8 is declared (RFC 6531 §3.4)', () => {
  const juergen = parseAddress('jürgen@example.test')

  test('in MAIL and RCPT', () => {
    expect(() => mailCommand(juergen)).toThrow(LocalProtocolError)
    expect(() => rcptCommand(juergen)).toThrow(LocalProtocolError)
    expect(() => rcptCommand(juergen, { smtpUtf8: false })).toThrow(LocalProtocolError)
    expect(mailCommand(juergen, { smtpUtf8: true })).toBe('MAIL FROM:<jürgen@example.test> SMTPUTF8\r\n')
    expect(rcptCommand(juergen, { smtpUtf8: true })).toBe('RCPT TO:<jürgen@example.test>\r\n')
  })

  test('and never in EHLO (RFC 6531 §3.7.1)', () => {
    expect(() => helloCommand('EHLO', 'jürgen.test')).toThrow(LocalProtocolError)
  })
})

describe('a command has at most 512 octets with its CRLF (RFC 5321 §4.5.3.1.4)', () => {
  const ofOctets = (octets: number) => ({
    localPart: 'x'.repeat(octets - Buffer.byteLength('RCPT TO:<@b>\r\n')),
    domain: 'b',
  })

  test('one of 512 is written, one of 513 is not', () => {
    expect(rcptCommand(ofOctets(512)).length).toBe(512)
    expect(() => rcptCommand(ofOctets(513))).toThrow('at most 512 octets')
  })

  test('counted in octets, not in characters', () => {
    const localPart = 'ü'.repeat(248)
    expect(Buffer.byteLength(rcptCommand({ localPart, domain: 'bbb' }, { smtpUtf8: true }))).toBe(512)
    expect(() => rcptCommand({ localPart, domain: 'bbbb' }, { smtpUtf8: true })).toThrow('found 513')
  })

  test('the parameters of extensions come on top (RFC 1870 §3, RFC 6152 §2)', () => {
    const line = mailCommand(ofOctets(510), { size: 123_456_789, eightBit: true })
    expect(line.length).toBeGreaterThan(512)
  })

  test('our own name is bounded too', () => {
    expect(() => helloCommand('EHLO', 'x'.repeat(506))).toThrow('at most 512 octets')
  })
})
