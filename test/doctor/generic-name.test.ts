import { expect, test } from 'vitest'
import { isGenericName } from '../../src/doctor/generic-name.ts'

const ip6 = '2001:db8:1234:5678::9'

test.each([
  ['dyn-203-0-113-5.example.net', '203.0.113.5'],
  ['5.113.0.203.static.example.net', '203.0.113.5'],
  ['host203000113005.example.net', '203.0.113.5'],
  ['cb007105.example.net', '203.0.113.5'],
  ['ip5-113.203-0.example.net', '203.0.113.5'],
  ['pool-17.example.net', '203.0.113.5'],
  ['a.dsl.example.net', '203.0.113.5'],
  ['vdsl17.example.net', '203.0.113.5'],
  ['x.dial-up.example.net', '203.0.113.5'],
  ['20010db8123456780000000000000009.ipv6.example.net', ip6],
  ['2001-0db8-1234-5678-0000-0000-0000-0009.example.net', ip6],
])('%s is a pool’s', (name, ip) => {
  expect(isGenericName(name, ip)).toBe(true)
})

test.each([
  ['mail.example.org', '203.0.113.5'],
  ['mx5.example.org', '203.0.113.5'],
  ['mail-113-5.example.org', '203.0.113.5'],
  ['liverpool.example.org', '203.0.113.5'],
  ['whirlpool-mail.example.org', '203.0.113.5'],
  ['static.example.org', '203.0.113.5'],
  ['dynamics.example.org', '203.0.113.5'],
  ['cablecompany.example.org', '203.0.113.5'],
  ['mail.example.org', ip6],
  ['mx-2001.example.org', ip6],
])('%s is somebody’s own', (name, ip) => {
  expect(isGenericName(name, ip)).toBe(false)
})
