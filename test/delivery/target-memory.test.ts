import { expect, test } from 'vitest'
import { TargetMemory } from '../../src/delivery/target-memory.ts'
import { FakeClock, target } from './fixtures.ts'

const seconds = (count: number) => count * 1000
const minutes = (count: number) => seconds(count * 60)

function begin() {
  const clock = new FakeClock()
  return { clock, memory: new TargetMemory(clock) }
}

test('a host that did not answer is remembered for half a minute (RFC 5321 §4.5.4.1)', () => {
  const { clock, memory } = begin()
  memory.rememberUnreachable('mx1.a.test')
  expect(memory.isUnreachable('mx1.a.test')).toBe(true)
  expect(memory.isUnreachable('mx2.a.test')).toBe(false)
  clock.time += seconds(30) - 1
  expect(memory.isUnreachable('mx1.a.test')).toBe(true)
  clock.time += 1
  expect(memory.isUnreachable('mx1.a.test')).toBe(false)
})

test('a host that answers is forgiven at once', () => {
  const { memory } = begin()
  memory.rememberUnreachable('mx1.a.test')
  memory.rememberReachable('mx1.a.test')
  expect(memory.isUnreachable('mx1.a.test')).toBe(false)
})

test('the half minute begins anew with each failure', () => {
  const { clock, memory } = begin()
  memory.rememberUnreachable('mx1.a.test')
  clock.time += seconds(20)
  memory.rememberUnreachable('mx1.a.test')
  clock.time += seconds(20)
  expect(memory.isUnreachable('mx1.a.test')).toBe(true)
})

test.each([
  ['TLS', 'rememberBrokenTls', 'hasBrokenTls', 'hasBrokenChunking'],
  ['BDAT', 'rememberBrokenChunking', 'hasBrokenChunking', 'hasBrokenTls'],
] as const)(
  'broken %s is remembered for ten minutes, by address and port',
  (_what, remember, has, hasOther) => {
    const { clock, memory } = begin()
    const broken = target('mx.a.test', '192.0.2.1', { port: 2525 })
    memory[remember](broken)
    expect(memory[has](target('other.name.test', '192.0.2.1', { port: 2525 }))).toBe(true)
    expect(memory[has](target('mx.a.test', '192.0.2.1', { port: 25 }))).toBe(false)
    expect(memory[has](target('mx.a.test', '192.0.2.2', { port: 2525 }))).toBe(false)
    expect(memory[hasOther](broken)).toBe(false)
    expect(memory.isUnreachable('mx.a.test')).toBe(false)
    clock.time += minutes(10) - 1
    expect(memory[has](broken)).toBe(true)
    clock.time += 1
    expect(memory[has](broken)).toBe(false)
  },
)

test('of more than 10,000 hosts the one remembered for longest is forgotten, not the one renewed', () => {
  const { memory } = begin()
  memory.rememberUnreachable('renewed.test')
  memory.rememberUnreachable('oldest.test')
  memory.rememberUnreachable('renewed.test')
  for (let at = 2; at < 10_000; at++) memory.rememberUnreachable(`mx${at}.test`)
  expect(memory.isUnreachable('oldest.test')).toBe(true)
  memory.rememberUnreachable('one-more.test')
  expect(memory.isUnreachable('oldest.test')).toBe(false)
  expect(memory.isUnreachable('renewed.test')).toBe(true)
  expect(memory.isUnreachable('one-more.test')).toBe(true)
})
