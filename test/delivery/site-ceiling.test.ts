import { expect, test } from 'vitest'
import { SiteCeiling } from '../../src/delivery/site-ceiling.ts'
import { FakeClock } from './fixtures.ts'

function begin(most = 5) {
  const clock = new FakeClock()
  return { clock, ceiling: new SiteCeiling(most, clock) }
}

test('it begins at what the settings allow', () => {
  expect(begin().ceiling.sessions).toBe(5)
})

test('it falls to what was open, and rises by one every half minute, no higher than it was', () => {
  const { clock, ceiling } = begin()
  ceiling.reduce(2)
  expect(ceiling.sessions).toBe(2)
  const seen = Array.from({ length: 10 }, () => {
    clock.time += 15_000
    return ceiling.sessions
  })
  expect(seen).toEqual([2, 3, 3, 4, 4, 5, 5, 5, 5, 5])
})

test('another refusal begins the half minute anew', () => {
  const { clock, ceiling } = begin()
  ceiling.reduce(2)
  clock.time += 29_000
  ceiling.reduce(2)
  clock.time += 29_000
  expect(ceiling.sessions).toBe(2)
})

test.each([
  [0, 1],
  [-1, 1],
  [7, 5],
])('turned away with %i open it is %i: never none, never more than the settings allow', (open, sessions) => {
  const { ceiling } = begin()
  ceiling.reduce(open)
  expect(ceiling.sessions).toBe(sessions)
})
