import { expect, test } from 'vitest'
import { normaliseDomain } from '../../src/mail/address-domain.ts'
import { refusalOf } from './refusal.ts'

const normalise = (domain: string): string => normaliseDomain(domain, `bob@${domain}`)

test.each([
  ['Example.TEST', 'example.test'],
  ['example.test.', 'example.test'],
  ['localhost', 'localhost'],
  ['my_host.example', 'my_host.example'],
  ['3com.example', '3com.example'],
  ['1.2.3.example', '1.2.3.example'],
])('%j is the name %j', (domain, name) => {
  expect(normalise(domain)).toBe(name)
})

test.each([
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.example', 'xn--bcher-kva.example'],
  ['bu\u0308cher.example', 'xn--bcher-kva.example'],
  ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['straße.example', 'xn--strae-oqa.example'],
  ['例え。テスト。', 'xn--r8jz45g.xn--zckzah'],
])('%j becomes the A-labels %j (RFC 5890)', (domain, name) => {
  expect(normalise(domain)).toBe(name)
})

test.each([
  ['[192.0.2.1]', '[192.0.2.1]'],
  ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
  ['[ipv6:2001:0DB8:0:0:0:0:0:1]', '[IPv6:2001:db8::1]'],
  ['[IPv6:::ffff:192.0.2.1]', '[IPv6:::ffff:c000:201]'],
  ['[IPv6:::192.0.2.1]', '[IPv6:::c000:201]'],
])('%j is the address literal %j (RFC 5321 §4.1.3)', (literal, normal) => {
  expect(normalise(literal)).toBe(normal)
})

test.each([
  '[]',
  '[192.0.2]',
  '[192.0.2.256]',
  '[192.0.2.01]',
  '[0xc0.0.2.1]',
  '[3221225985]',
  '[::1]',
  '[IPv6:]',
  '[IPv6:::1::2]',
  '[IPv6:fe80::1%eth0]',
  '[IPv6:192.0.2.1]',
  '[IPv6:::1',
  '[192.0.2.1].test',
  '[192.0.2.1]]',
  '[ 192.0.2.1 ]',
  '[X400:c=us]',
])('%j is no address literal', (literal) => {
  expect(refusalOf(() => normalise(literal))).toContain('expected an address literal such as')
})

test.each([
  ['', 'nothing stands after'],
  ['.', 'a dot at the start'],
  ['.example', 'a dot at the start'],
  ['example..test', 'two in a row'],
  ['example.test..', 'two in a row'],
  ['-a.example', 'found `-a`'],
  ['a-.example', 'found `a-`'],
  ['a b.example', 'found `a b`'],
  ['a%2eb.example', 'found `a%2eb`'],
  ['a/b', 'found `a/b`'],
  ['192.0.2.1', 'in brackets: `[192.0.2.1]`'],
  ['example.123', 'in brackets'],
  ['ü%2eb.example', 'is not a domain name'],
  ['ü/b.example', 'is not a domain name'],
  ['ü..example', 'two in a row'],
  ['１９２.0.2.1', 'in brackets: `[192.0.2.1]`'],
  ['ü＠b.example', 'is not a domain name'],
  ['ü\u0085.example', 'is not a domain name'],
  ['ü\ud800.example', 'is not a domain name'],
  ['\u00ad', 'is not a domain name'],
])('%j is refused', (domain, reason) => {
  expect(refusalOf(() => normalise(domain))).toContain(reason)
})

test('a label has at most 63 octets, as A-label (RFC 1035 §2.3.4)', () => {
  expect(normalise(`${'a'.repeat(63)}.test`)).toHaveLength(68)
  expect(refusalOf(() => normalise(`${'a'.repeat(64)}.test`))).toContain('longer than 63')
  expect(refusalOf(() => normalise(`${'ü'.repeat(62)}.test`))).toContain('longer than 63')
})

test('a domain has at most 255 octets, as A-labels (RFC 5321 §4.5.3.1.2)', () => {
  expect(normalise(`${'a.'.repeat(126)}abc`)).toHaveLength(255)
  expect(refusalOf(() => normalise(`${'a.'.repeat(126)}abcd`))).toContain('longer than 255')
  expect(refusalOf(() => normalise(`${'ü.'.repeat(100)}test`))).toContain('longer than 255')
})
