import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { unlessAborted, within } from '../../src/dns/wait.ts'

const never = new Promise<never>(() => {})

test('work that never ends is given up when the time is over', async () => {
  await expect(within(never, 1, () => new Error('late'))).rejects.toThrow('late')
})

test('work in time settles as it does', async () => {
  const late = () => new Error('late')
  expect(await within(Promise.resolve(1), 60_000, late)).toBe(1)
  await expect(within(Promise.reject(new Error('no')), 60_000, late)).rejects.toThrow('no')
})

test('a wait leaves no listener behind', async () => {
  const { signal } = new AbortController()
  const work = Promise.withResolvers<number>()
  const waits = Array.from({ length: 100 }, () => unlessAborted(work.promise, signal))
  expect(getEventListeners(signal, 'abort')).toHaveLength(100)
  work.resolve(1)
  await Promise.all(waits)
  await Promise.resolve()
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('an aborted signal rejects with its reason, before and during the wait', async () => {
  const controller = new AbortController()
  const reason = new Error('stop')
  const wait = unlessAborted(never, controller.signal)
  controller.abort(reason)
  await expect(wait).rejects.toBe(reason)
  await expect(unlessAborted(Promise.reject(new Error('unheard')), controller.signal)).rejects.toBe(reason)
})
