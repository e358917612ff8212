import { expect, test } from 'vitest'
import { hasRoom, type Occupant } from '../../src/submission/room.ts'

const stranger = (remoteAddress: string): Occupant => ({ remoteAddress, isStranger: true })
const known = (remoteAddress: string): Occupant => ({ remoteAddress, isStranger: false })
const some = (count: number, make: (index: number) => Occupant) =>
  Array.from({ length: count }, (_, index) => make(index))

test.each<readonly [string, Occupant, readonly Occupant[], boolean]>([
  ['the last of all', known('192.0.2.1'), some(199, () => known('192.0.2.1')), true],
  ['one more than all', known('192.0.2.1'), some(200, () => known('192.0.2.1')), false],
  ['the 50th of one stranger', stranger('192.0.2.1'), some(49, () => stranger('192.0.2.1')), true],
  ['the 51st of one stranger', stranger('192.0.2.1'), some(50, () => stranger('192.0.2.1')), false],
  [
    'the 51st of one /64',
    stranger('2001:db8::1'),
    some(50, (index) => stranger(`2001:db8::${index}:1`)),
    false,
  ],
  ['the 100th stranger', stranger('192.0.2.1'), some(99, (index) => stranger(`198.51.100.${index}`)), true],
  ['the 101st stranger', stranger('192.0.2.1'), some(100, (index) => stranger(`198.51.100.${index}`)), false],
  ['one beside 100 strangers', known('192.0.2.1'), some(100, () => stranger('198.51.100.1')), true],
  ['a stranger beside users of his office', stranger('192.0.2.1'), some(99, () => known('192.0.2.1')), true],
])('%s of 200 connections', (_name, newcomer, others, expected) => {
  expect(hasRoom(newcomer, [...others, newcomer], 200)).toBe(expected)
})

test('there is room for one, however few there may be', () => {
  const newcomer = stranger('192.0.2.1')
  expect(hasRoom(newcomer, [newcomer], 1)).toBe(true)
})
