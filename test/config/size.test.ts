import { expect, test } from 'vitest'
import { readSize } from '../../src/config/size.ts'

test.each([
  ['512B', 512],
  ['10KB', 10_000],
  ['10MB', 10_000_000],
  ['1GB', 1_000_000_000],
  ['64KiB', 65_536],
  ['1.5MiB', 1_572_864],
  ['1GiB', 1_073_741_824],
  [2_048, 2_048],
])('%s is %d octets', (text, octets) => {
  expect(readSize(text)).toBe(octets)
})

test.each(['', '10', '10 MB', 'MB', '-1MB', '10mb', '10M', -1, Number.NaN])('%j is none', (text) => {
  expect(readSize(text)).toBeNull()
})
