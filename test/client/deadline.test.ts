import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadline } from '../../src/client/deadline.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** How often it expired. */
function deadline(): { readonly limit: Deadline; readonly expiries: () => number } {
  let count = 0
  const limit = new Deadline(() => {
    count++
  })
  return { limit, expiries: () => count }
}

test('expires once, when the limit has passed and not before', () => {
  const { limit, expiries } = deadline()
  limit.set(100)
  vi.advanceTimersByTime(99)
  expect(expiries()).toBe(0)
  vi.advanceTimersByTime(2)
  expect(expiries()).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(expiries()).toBe(1)
})

test('a later deadline replaces an earlier one', () => {
  const { limit, expiries } = deadline()
  limit.set(100)
  vi.advanceTimersByTime(50)
  limit.set(100)
  vi.advanceTimersByTime(99)
  expect(expiries()).toBe(0)
  vi.advanceTimersByTime(2)
  expect(expiries()).toBe(1)
})

test('an earlier deadline replaces a later one', () => {
  const { limit, expiries } = deadline()
  limit.set(10_000)
  limit.set(10)
  vi.advanceTimersByTime(11)
  expect(expiries()).toBe(1)
  vi.advanceTimersByTime(20_000)
  expect(expiries()).toBe(1)
})

test('one that was cleared does not expire, and the next one does', () => {
  const { limit, expiries } = deadline()
  limit.set(100)
  limit.clear()
  vi.advanceTimersByTime(1000)
  expect(expiries()).toBe(0)
  limit.set(100)
  vi.advanceTimersByTime(101)
  expect(expiries()).toBe(1)
})

test('one set after a clear, on the same timer, has its whole time', () => {
  const { limit, expiries } = deadline()
  limit.set(100)
  vi.advanceTimersByTime(60)
  limit.clear()
  limit.set(100)
  vi.advanceTimersByTime(99)
  expect(expiries()).toBe(0)
  vi.advanceTimersByTime(2)
  expect(expiries()).toBe(1)
})

test('a closed one leaves no timer behind', () => {
  const { limit, expiries } = deadline()
  limit.set(100)
  limit.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(1000)
  expect(expiries()).toBe(0)
})

test('the timer is set once for many deadlines that are met', () => {
  const { limit } = deadline()
  const setTimer = vi.spyOn(globalThis, 'setTimeout')
  for (let step = 0; step < 100; step++) {
    limit.set(60_000)
    limit.clear()
  }
  expect(setTimer).toHaveBeenCalledTimes(1)
  limit.close()
})

test('a limit longer than a Node timer can be is waited for all the same', () => {
  const { limit, expiries } = deadline()
  const month = 31 * 24 * 60 * 60 * 1000
  limit.set(month)
  vi.advanceTimersByTime(month - 1)
  expect(expiries()).toBe(0)
  vi.advanceTimersByTime(3)
  expect(expiries()).toBe(1)
})
