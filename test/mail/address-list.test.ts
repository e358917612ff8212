import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AddressError, formatAddress } from '../../src/mail/address.ts'
import { type Mailbox, parseAddressList } from '../../src/mail/address-list.ts'
import { aMailbox } from './arbitraries.ts'
import { refusalOf } from './refusal.ts'

/** Each mailbox as `[name, address]`. */
const read = (text: string): readonly (readonly [string | null, string])[] =>
  parseAddressList(text).map(({ name, address }) => [name, formatAddress(address)])

test.each<[text: string, mailboxes: [string | null, string][]]>([
  ['Mary Smith <mary@example.net>', [['Mary Smith', 'mary@example.net']]],
  [
    'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
    [
      ['Mary Smith', 'mary@x.test'],
      [null, 'jdoe@example.org'],
      ['Who?', 'one@y.test'],
    ],
  ],
  [
    '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
    [
      [null, 'boss@nil.test'],
      ['Giant; "Big" Box', 'sysservices@example.net'],
    ],
  ],
  ['"Joe Q. Public" <john.q.public@example.com>', [['Joe Q. Public', 'john.q.public@example.com']]],
  [
    'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
    [
      ['Ed Jones', 'c@a.test'],
      [null, 'joe@where.test'],
      ['John', 'jdoe@one.test'],
    ],
  ],
  ['Undisclosed recipients:;', []],
])('%j is read (RFC 5322 App. A.1)', (text, mailboxes) => {
  expect(read(text)).toEqual(mailboxes)
})

test.each<[text: string, mailboxes: [string | null, string][]]>([
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', [['Pete', 'pete@silly.test']]],
  [
    "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n" +
      '         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)',
    [
      ['Chris Jones', 'c@public.example'],
      [null, 'joe@example.org'],
      ['John', 'jdoe@one.test'],
    ],
  ],
  ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', []],
])('%j is read without its comments (RFC 5322 App. A.5)', (text, mailboxes) => {
  expect(read(text)).toEqual(mailboxes)
})

test.each<[text: string, mailboxes: [string | null, string][]]>([
  ['Joe Q. Public <john.q.public@example.com>', [['Joe Q. Public', 'john.q.public@example.com']]],
  [
    'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
    [
      ['Mary Smith', 'mary@example.net'],
      [null, 'jdoe@test.example'],
    ],
  ],
  ['John Doe <jdoe@machine(comment).  example>', [['John Doe', 'jdoe@machine.example']]],
  ['Mary Smith\r\n \r\n          <mary@example.net>', [['Mary Smith', 'mary@example.net']]],
  ['<@a.test,,@[IPv6:::1]:b@x.test>', [[null, 'b@x.test']]],
  ['"first"."la st" @x.test', [[null, '"first.la st"@x.test']]],
])('%j is read, obsolete as it is (RFC 5322 App. A.6)', (text, mailboxes) => {
  expect(read(text)).toEqual(mailboxes)
})

test.each<[text: string, mailboxes: [string | null, string][]]>([
  ['"Müller, Hans" <h@x.test>', [['Müller, Hans', 'h@x.test']]],
  ['Zoë 日本 <z@x.test>', [['Zoë 日本', 'z@x.test']]],
  ["O'Brien <o@x.test>", [["O'Brien", 'o@x.test']]],
  ['"" <o@x.test>', [[null, 'o@x.test']]],
  ['=?utf-8?Q?B=C3=BCcher?= <b@x.test>', [['=?utf-8?Q?B=C3=BCcher?=', 'b@x.test']]],
  ['"Joe\r\n\tBlow" <j@x.test>', [['Joe Blow', 'j@x.test']]],
  ['bob@x.test <Bob@X.test>', [['bob@x.test', 'Bob@x.test']]],
  ["'bob@x.test' <bob@x.test>", [["'bob@x.test'", 'bob@x.test']]],
  ['bob@x.test (Bob)', [[null, 'bob@x.test']]],
])('%j: the display name is %j', (text, mailboxes) => {
  expect(read(text)).toEqual(mailboxes)
})

test.each([
  ['', []],
  [' \t', []],
  [',, ;', []],
  ['(nobody)', []],
  [',a@x.test,,b@x.test,', ['a@x.test', 'b@x.test']],
  ['a@x.test; b@x.test;', ['a@x.test', 'b@x.test']],
  ['a@x.test,\r\n b@x.test', ['a@x.test', 'b@x.test']],
  ['a@x.test,\n\tb@x.test', ['a@x.test', 'b@x.test']],
  ['Team: a@x.test, b@x.test; c@x.test', ['a@x.test', 'b@x.test', 'c@x.test']],
  ['One: a@x.test;, Two: b@x.test;', ['a@x.test', 'b@x.test']],
  ['"@y.test, b"@x.test', ['"@y.test, b"@x.test']],
  ['"xclow3n@gmail.com x"@internal.domain', ['"xclow3n@gmail.com x"@internal.domain']],
  ['a@[192.0.2.1], b@[IPv6:2001:DB8::1]', ['a@[192.0.2.1]', 'b@[IPv6:2001:db8::1]']],
  ['zoë@bücher.example', ['zoë@xn--bcher-kva.example']],
])('%j names %j', (text, addresses) => {
  expect(read(text).map(([, address]) => address)).toEqual(addresses)
})

test.each([
  ['bob', '`bob`'],
  ['a@x.test, bob', '`bob`'],
  ['Müller, Hans <h@x.test>', '`Müller`'],
  ['a@x.test b@x.test', 'expected a comma'],
  ['john smith@x.test', 'expected a comma or `<` before `smith`'],
  ['a@x.test <b@x.test>', 'expected a display name'],
  ['[Team] <b@x.test>', 'expected a display name'],
  ['<a@x.test> b@x.test', 'expected a comma after `>`'],
  ['<a@x.test> <b@x.test>', 'expected a comma after `>`'],
  ['<a@x.test>@y.test', 'expected a comma after `>`'],
  ['Bob <bob@x.test', 'expected `>`'],
  ['Bob bob@x.test>', 'expected a comma'],
  ['bob@x.test>', '`>` inside an address'],
  ['<<bob@x.test>>', 'expected a comma after `>`'],
  ['<>', 'expected an address'],
  ['<@a.test>', 'source route'],
  ['Team: a@x.test', 'expected `;`'],
  ['Team: a@x.test, b@x.test', 'expected `;`'],
  ['A: a@x.test, B: b@x.test;', 'a group inside a group'],
  ['mailto:a@x.test', 'expected `;`'],
  ['A: B: a@x.test;;', 'a group inside a group'],
  [':a@x.test;', 'expected the name of a group'],
  ['a@x.test:b@x.test;', 'expected the name of a group'],
  ['"Joe <j@x.test>', 'expected `"` to close'],
  ['Joe (friend <j@x.test>', 'expected `)` to close'],
  ['Joe :) <j@x.test>', '`)` without'],
  ['a@[192.0.2.1', 'expected `]` to close'],
  ['a@x]', '`]` without'],
  ['a\\b@x.test', '`\\` without'],
  ['a@"x.test"', 'quotes after the `@`'],
  ['a@b@x.test', '`@` inside an address'],
  ['a..b@x.test', 'twice in a row'],
  ['a@x..test', 'two in a row'],
  ['a\u00a0b@x.test', 'is not allowed'],
])('%j is refused', (text, reason) => {
  expect(refusalOf(() => parseAddressList(text))).toContain(reason)
})

test.each([
  ['a@x.test\r\nBcc: eve@x.test', 'a@x.test\\r\\nBcc: eve@x.test'],
  ['a@x.test\r\n', 'a@x.test\\r\\n'],
  ['a@x.test\r', 'a@x.test\\r'],
  ['"Joe\r\n.\r\n" <j@x.test>', 'Joe\\r\\n.\\r\\n'],
  ['"Joe\r Blow" <j@x.test>', 'Joe\\r Blow'],
  ['(com\nment) j@x.test', 'com\\nment'],
  ['Joe\0 <j@x.test>', 'Joe\\u{0}'],
  ['Joe\x1b[2J <j@x.test>', 'Joe\\u{1b}'],
  ['Joe\ud800 <j@x.test>', 'Joe\\u{d800}'],
])('a stray control character in %j is refused and named', (text, shown) => {
  expect(refusalOf(() => parseAddressList(text))).toContain(shown)
})

test('what follows a fold cannot become a field or a recipient of its own', () => {
  expect(refusalOf(() => parseAddressList('a@x.test\r\n Bcc: eve@x.test;'))).toContain('the name of a group')
  expect(refusalOf(() => parseAddressList('a@x.test\r\n eve@x.test'))).toContain('expected a comma')
})

test('comments nest 50 deep, not deeper, and never overflow the stack', () => {
  const nested = (depth: number): string => `${'('.repeat(depth)}${')'.repeat(depth)} a@x.test`
  expect(read(nested(50))).toEqual([[null, 'a@x.test']])
  expect(refusalOf(() => parseAddressList(nested(51)))).toContain('nested more than 50 deep')
  expect(refusalOf(() => parseAddressList(nested(1_000_000)))).toContain('nested more than 50 deep')
})

test('a list of 50,000 mailboxes is read, one over 2 Mi characters is not', () => {
  expect(parseAddressList('Bob <bob@x.test>, '.repeat(50_000))).toHaveLength(50_000)
  expect(refusalOf(() => parseAddressList(','.repeat(2 * 1024 * 1024 + 1)))).toContain('split it')
})

const print = ({ name, address }: Mailbox): string =>
  name === null ? formatAddress(address) : `"${name.replace(/["\\]/g, '\\$&')}" <${formatAddress(address)}>`

test('mailboxes that were printed read back the same, whatever stands between them', () => {
  const separator = fc.constantFrom(', ', ',', ';', ' ,\r\n\t', ', (a, (b) c@d) ,')
  fc.assert(
    fc.property(fc.array(aMailbox), separator, (mailboxes, between) => {
      expect(parseAddressList(mailboxes.map(print).join(between))).toEqual(mailboxes)
      expect(parseAddressList(`Team: ${mailboxes.map(print).join(between.replace(';', ','))};`)).toEqual(
        mailboxes,
      )
    }),
  )
})

/** Text made of what lists are made of, so that some of it is one. */
const almostAList = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom('a@x.test', '<b@x.test>', 'Bob ', ', ', '"', '(', ')', '\r\n ', ':', ';'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('\\', '@', '.', '<', '>', '[', ']', '\r', '\n', '\0', 'ü', '\t', '1'),
      },
    ),
  )
  .map((list) => list.join(''))

test('arbitrary text is printable mailboxes or an AddressError', () => {
  fc.assert(
    fc.property(fc.oneof(almostAList, fc.string({ unit: 'binary' })), (text) => {
      for (const { name, address } of readOrRefuse(text)) {
        const printed = formatAddress(address)
        expect(`${name}${printed}`).not.toMatch(/\p{Cc}/u)
        expect(printed.replace(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/[<> "]/)
      }
    }),
    { numRuns: 1000 },
  )
})

function readOrRefuse(text: string): readonly Mailbox[] {
  try {
    return parseAddressList(text)
  } catch (error) {
    expect(error).toBeInstanceOf(AddressError)
    return []
  }
}
