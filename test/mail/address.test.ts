import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  AddressError,
  addressKey,
  formatAddress,
  needsSmtpUtf8,
  parseAddress,
  parseReversePath,
} from '../../src/mail/address.ts'
import { anAddress } from './arbitraries.ts'
import { refusalOf } from './refusal.ts'

test.each([
  ['Smith@bar.com', { localPart: 'Smith', domain: 'bar.com' }],
  ['<Postmaster@Registry.Test>', { localPart: 'Postmaster', domain: 'registry.test' }],
  ['  < bob@example.test >\t', { localPart: 'bob', domain: 'example.test' }],
  ['root@localhost', { localPart: 'root', domain: 'localhost' }],
])('%j is read, the case of the local part kept (RFC 5321 §2.4)', (text, address) => {
  expect(parseAddress(text)).toEqual(address)
})

test.each([
  '<@hosta.int,@jkl.org:userc@d.bar.org>',
  '<@hosta.int:userc@d.bar.org>',
  '@hosta.int,@jkl.org:userc@d.bar.org',
  '<@[IPv6:2001:db8::1],@[192.0.2.1]:userc@d.bar.org>',
])('the source route of %j is dropped (RFC 5321 App. C)', (text) => {
  expect(parseAddress(text)).toEqual({ localPart: 'userc', domain: 'd.bar.org' })
})

test.each(['', '<>'])('%j is the null reverse-path (RFC 5321 §4.5.5)', (text) => {
  expect(parseReversePath(text)).toBeNull()
})

test('a reverse-path is an address otherwise', () => {
  expect(parseReversePath('<bob@example.test>')).toEqual({ localPart: 'bob', domain: 'example.test' })
  expect(refusalOf(() => parseReversePath('bob'))).toMatch('`bob`')
})

test.each([
  ['bob', 'expected an address such as'],
  ['', 'expected an address such as'],
  ['<>', 'expected an address such as'],
  ['@example.test', 'before the `@`'],
  ['bob@', 'after the `@`'],
  ['a@b@example.test', '`@` is not allowed'],
  ['Bob <bob@example.test>', 'the address alone'],
  ['<bob@example.test', 'the address alone'],
  ['bob@example.test>', 'letters, digits'],
  ['<bob@example.test> SIZE=1', 'the address alone'],
  ['<a@x.test><b@x.test>', 'the address alone'],
  ['bob@example.test (Bob)', 'letters, digits'],
  ['a@x.test,b@x.test', '`@` is not allowed'],
  ['bob@exa mple.test', 'letters, digits'],
])('%j is refused', (text, reason) => {
  expect(refusalOf(() => parseAddress(text))).toContain(reason)
})

test.each([
  ['bob@example.test\r\nRCPT TO:<eve@example.test>', 'bob@example.test\\r\\nRCPT TO:<eve@example.test>'],
  ['bob@example.test\n', 'bob@example.test\\n'],
  ['\rbob@example.test', '\\rbob@example.test'],
  ['bob\0@example.test', 'bob\\u{0}@example.test'],
  ['"bob\r\n"@example.test', '"bob\\r\\n"@example.test'],
  ['"bob\\\n"@example.test', '"bob\\\\n"@example.test'],
  ['bob@exam\x1bple.test', 'bob@exam\\u{1b}ple.test'],
  ['bob@[192.0.2.1\r\n]', 'bob@[192.0.2.1\\r\\n]'],
])('a control character in %j is refused and named', (text, shown) => {
  expect(refusalOf(() => parseAddress(text))).toContain(`\`${shown}\``)
})

test('an error carries its code and the text, escaped and shortened', () => {
  const parse = (): unknown => parseAddress(`\x1b[31m${'a'.repeat(200)}`)
  expect(parse).toThrow(AddressError)
  expect(parse).toThrow(
    expect.objectContaining({ code: 'ERR_ADDRESS', text: `\\u{1b}[31m${'a'.repeat(95)}…` }),
  )
})

test('a path has at most 256 octets, brackets included (RFC 5321 §4.5.3.1.3)', () => {
  const domain = `${'a.'.repeat(120)}test`
  expect(`<${'b'.repeat(9)}@${domain}>`).toHaveLength(256)
  expect(parseAddress(`${'b'.repeat(9)}@${domain}`).localPart).toHaveLength(9)
  expect(refusalOf(() => parseAddress(`${'b'.repeat(10)}@${domain}`))).toContain('256 octets')
})

test('endless text is refused unread', () => {
  expect(refusalOf(() => parseAddress(' '.repeat(1_000_000)))).toContain('256 octets')
})

test.each([
  ['"bob"@x.test', 'bob@x.test'],
  ['"b\\o\\b"@x.test', 'bob@x.test'],
  ['"a\\"b"@x.test', '"\\a\\"\\b"@x.test'],
  ['bob@X.TEST.', 'bob@x.test'],
  ['bob@bücher.test', 'bob@XN--BCHER-KVA.test'],
  ['zo\u00eb@x.test', 'zoe\u0308@x.test'],
  ['bob@[IPv6:2001:DB8:0::1]', 'bob@[ipv6:2001:db8::1]'],
])('%j and %j are the same mailbox (RFC 5321 §4.1.2)', (one, other) => {
  expect(addressKey(parseAddress(one))).toBe(addressKey(parseAddress(other)))
})

test.each([
  ['Bob@x.test', 'bob@x.test'],
  ['"a b"@x.test', '"ab"@x.test'],
  ['"a@x.test"@y.test', 'a@x.test'],
  ['bob@[192.0.2.1]', 'bob@[192.0.2.2]'],
])('%j and %j are two mailboxes', (one, other) => {
  expect(addressKey(parseAddress(one))).not.toBe(addressKey(parseAddress(other)))
})

test.each([
  ['bob@example.test', false],
  ['bob@bücher.test', false],
  ['zoë@example.test', true],
  ['"zoë"@example.test', true],
])('whether %j needs SMTPUTF8 is %j (RFC 6531 §3.2)', (text, needed) => {
  expect(needsSmtpUtf8(parseAddress(text))).toBe(needed)
})

test('what is printed reads back as the same address', () => {
  fc.assert(
    fc.property(anAddress, (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address)
      expect(parseAddress(`<${formatAddress(address)}>`)).toEqual(address)
    }),
  )
})

/** Text made of what addresses are made of, so that some of it is one. */
const almostAnAddress = fc
  .array(
    fc.constantFrom(
      'a',
      '"',
      '\\',
      '@',
      '.',
      '<',
      '>',
      ',',
      ':',
      '[',
      ']',
      ' ',
      '\r',
      '\n',
      '\0',
      'ü',
      '1',
      'x.test',
    ),
  )
  .map((list) => list.join(''))

test('arbitrary text is a printable address or an AddressError', () => {
  fc.assert(
    fc.property(fc.oneof(almostAnAddress, fc.string({ unit: 'binary' })), (text) => {
      expectSafe(text)
      expectSafe(`${text}@x.test`)
      expectSafe(`a@${text}`)
    }),
    { numRuns: 500 },
  )
})

function expectSafe(text: string): void {
  let printed: string
  try {
    printed = formatAddress(parseAddress(text))
  } catch (error) {
    expect(error).toBeInstanceOf(AddressError)
    expect((error as AddressError).message).not.toMatch(/\p{Cc}/u)
    return
  }
  expect(printed).not.toMatch(/\p{Cc}/u)
  expect(printed.replace(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/[<> "]/)
}
