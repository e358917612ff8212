import { describe, expect, test } from 'vitest'
import { parseBracketedIp, parseIp, specialRangeOf } from '../../src/route/ip.ts'

describe('parseIp', () => {
  test.each([
    ['192.0.2.1', { ip: '192.0.2.1', family: 4 }],
    ['2001:DB8:0:0::1', { ip: '2001:db8::1', family: 6 }],
    ['::1', { ip: '::1', family: 6 }],
    ['::ffff:192.0.2.1', { ip: '192.0.2.1', family: 4 }],
    ['::FFFF:c000:201', { ip: '192.0.2.1', family: 4 }],
    ['::192.0.2.1', { ip: '::c000:201', family: 6 }],
  ])('%s is one address in one spelling', (text, address) => {
    expect(parseIp(text)).toEqual(address)
  })

  test.each([
    '',
    '192.0.2',
    '192.0.2.256',
    '0x7f.0.0.1',
    '010.0.0.1',
    '1',
    '::g',
    ':',
    '1::2::3',
    'fe80::1%eth0',
    'a.test',
    '192.0.2.1:25',
    '[::1]',
  ])('%j is no address', (text) => {
    expect(parseIp(text)).toBeNull()
  })
})

test('an address stands in brackets, an IPv6 one with or without its tag (RFC 5321 §4.1.3)', () => {
  expect(parseBracketedIp('[192.0.2.1]')).toEqual({ ip: '192.0.2.1', family: 4 })
  expect(parseBracketedIp('[IPv6:2001:db8::1]')).toEqual({ ip: '2001:db8::1', family: 6 })
  expect(parseBracketedIp('[2001:db8::1]')).toEqual({ ip: '2001:db8::1', family: 6 })
  expect(parseBracketedIp('[x-tag:what]')).toBeNull()
  expect(parseBracketedIp('mx1.example.test')).toBeNull()
})

describe('specialRangeOf', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.31.0.1', 'private'],
    ['192.168.0.1', 'private'],
    ['169.254.169.254', 'link local'],
    ['100.64.0.1', 'carrier grade nat'],
    ['192.0.2.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::127.0.0.1', 'reserved'],
    ['fe80::1', 'link local'],
    ['fd00::1', 'unique local'],
    ['fec0::1', 'deprecated site local'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'reserved'],
    ['2002:7f00:1::1', '6to4'],
    ['2001:0:1::1', 'teredo'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b:1::808:808', 'rfc6052'],
    ['4000::1', 'reserved'],
  ])('%s lies in a special-purpose range: %s (RFC 6890)', (text, range) => {
    const address = parseIp(text)
    expect(address && specialRangeOf(address)).toBe(range)
  })

  test.each(['8.8.8.8', '172.32.0.1', '193.0.0.1', '2606:4700::1111', '2a00:1450::1a', '64:ff9b::808:808'])(
    '%s is an ordinary public address',
    (text) => {
      const address = parseIp(text)
      expect(address).not.toBeNull()
      expect(address && specialRangeOf(address)).toBeNull()
    },
  )
})
