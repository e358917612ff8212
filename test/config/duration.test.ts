import { expect, test } from 'vitest'
import { readDuration } from '../../src/config/duration.ts'

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['4h', 14_400_000],
  ['5d', 432_000_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
  [1_500, 1_500],
])('%s is %d milliseconds', (text, durationMs) => {
  expect(readDuration(text)).toBe(durationMs)
})

test.each([
  '',
  '30',
  '30 s',
  's',
  '-5s',
  '5M',
  '5sec',
  '1h30m',
  '1e3s',
  'Infinitys',
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
])('%j is none', (text) => {
  expect(readDuration(text)).toBeNull()
})
