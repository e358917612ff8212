import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { batchSize, LineBuffer } from '../../src/log/line-buffer.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function recorded() {
  const batches: [string, number][] = []
  return { batches, buffer: new LineBuffer((text, lines) => batches.push([text, lines])) }
}

test('a lone line is handed on within a second', () => {
  const { batches, buffer } = recorded()
  buffer.add('one\n')
  expect(batches).toEqual([])
  vi.advanceTimersByTime(1_000)
  expect(batches).toEqual([['one\n', 1]])
})

test('lines of the same moment make one batch', () => {
  const { batches, buffer } = recorded()
  for (const line of ['one\n', 'two\n', 'three\n']) buffer.add(line)
  vi.advanceTimersByTime(1_000)
  expect(batches).toEqual([['one\ntwo\nthree\n', 3]])
})

test('a full batch does not wait, and ends with a whole line', () => {
  const { batches, buffer } = recorded()
  const line = `${'x'.repeat(batchSize / 8 - 1)}\n`
  for (let count = 0; count < 8; count++) buffer.add(line)
  expect(batches).toEqual([[line.repeat(8), 8]])
  vi.advanceTimersByTime(1_000)
  expect(batches).toHaveLength(1)
})

test('nothing is handed on when there is nothing', () => {
  const { batches, buffer } = recorded()
  buffer.handOver()
  buffer.add('one\n')
  buffer.handOver()
  vi.advanceTimersByTime(1_000)
  expect(batches).toEqual([['one\n', 1]])
})

test('a very long line goes alone, after those before it', () => {
  const { batches, buffer } = recorded()
  const line = `${'ü€'.repeat(batchSize)}\n`
  buffer.add('one\n')
  buffer.add(line)
  expect(batches).toEqual([
    ['one\n', 1],
    [line, 1],
  ])
})

test('characters of several octets come out as they went in', () => {
  const { batches, buffer } = recorded()
  const line = `${'€'.repeat(9_000)}\n`
  for (let count = 0; count < 3; count++) buffer.add(line)
  expect(batches).toEqual([[line.repeat(3), 3]])
})
