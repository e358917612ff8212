import { describe, expect, test } from 'vitest'
import { findOwnAddresses, seenIn } from '../../src/doctor/own-addresses.ts'
import type { DialledReceiver, DialledTarget } from '../../src/doctor/receivers.ts'

const target = (change: Partial<DialledTarget> = {}): DialledTarget => ({
  family: 4,
  target: 'mx.test [192.0.2.1]:25',
  outcome: 'open',
  failure: null,
  lines: ['220 mx.test', '250 mx.test at your service, [5.6.7.8]'],
  localAddress: '10.0.0.5',
  greetedAt: 0,
  ...change,
})

const find = (
  targets: readonly DialledTarget[],
  { named = [] as string[], sources = [] as string[], system = {} as Record<number, string> } = {},
) => {
  const receivers: readonly DialledReceiver[] = [{ domain: 'a.test', targets, failure: null }]
  return findOwnAddresses({
    named,
    settings: { sourceAddresses: sources },
    receivers,
    systemSource: async (family) => system[family] ?? null,
  })
}

const quiet = ['220 mx.test', '250 mx.test']

describe('our addresses are', () => {
  test('those that were named, whatever else is known', async () => {
    expect(await find([target()], { named: ['2001:db8::1', '192.0.2.7', '192.0.2.7'] })).toEqual([
      { ip: '2001:db8::1', family: 6, origin: 'option' },
      { ip: '192.0.2.7', family: 4, origin: 'option' },
    ])
  })

  test('those that receivers see, above those that are configured', async () => {
    expect(await find([target()], { sources: ['10.0.0.5'] })).toEqual([
      { ip: '5.6.7.8', family: 4, origin: 'receiver' },
    ])
  })

  test('the configured ones where no receiver says it', async () => {
    expect(await find([target({ lines: quiet })], { sources: ['10.0.0.6', '2001:db8::1'] })).toEqual([
      { ip: '10.0.0.6', family: 4, origin: 'configuration' },
      { ip: '2001:db8::1', family: 6, origin: 'configuration' },
    ])
  })

  test('our end of a connection where nothing is configured', async () => {
    expect(await find([target({ lines: quiet })], { system: { 4: '10.0.0.9' } })).toEqual([
      { ip: '10.0.0.5', family: 4, origin: 'system' },
    ])
  })

  test('what the system would choose where nobody could be reached', async () => {
    const silent = target({ outcome: 'silent', lines: [], localAddress: null })
    expect(await find([silent], { system: { 4: '5.6.7.9', 6: '2a00::1' } })).toEqual([
      { ip: '5.6.7.9', family: 4, origin: 'system' },
      { ip: '2a00::1', family: 6, origin: 'system' },
    ])
  })

  test('none of a family that was dialled in vain while the other is open', async () => {
    const silent = target({ family: 6, outcome: 'silent', lines: [], localAddress: null })
    expect(await find([target(), silent], { system: { 6: '2a00::1' } })).toMatchObject([{ family: 4 }])
  })

  test('none of a family that has only a local address while the other is open', async () => {
    expect(await find([target()], { system: { 6: 'fd00::2' } })).toMatchObject([{ family: 4 }])
    expect(await find([target()], { system: { 6: '2a00::1' } })).toMatchObject([{ family: 4 }, { family: 6 }])
  })
})

test.each([
  ['250-mx.google.com at your service, [203.0.113.9]', 4, '203.0.113.9'],
  ['250 example.net Hello mail.example.org [203.0.113.9], pleased to meet you', 4, '203.0.113.9'],
  ['250-mx.example.net Hello [IPv6:2001:DB8:0::1]', 6, '2001:db8::1'],
  ['250-mx.example.net Hello [IPv6:2001:db8::1]', 4, null],
  ['250-mx.example.net Hello [203.0.113.999]', 4, null],
  ['250-mx.example.net', 4, null],
  ['554 go away [203.0.113.9]', 4, null],
] as const)('%j shows IPv%i %s', (line, family, ip) => {
  expect(seenIn(['220 mx [192.0.2.1]', line], family)).toBe(ip)
})
