import { expect, test } from 'vitest'
import { Limits, type SiteSlots } from '../../src/delivery/limits.ts'

const settings = { concurrency: 3, perSite: 2, maxTargets: 20, messagesPerSession: 100 }

/** Work that lasts until it is told to end, and a count of how much of it runs. */
class Gauge {
  running = 0
  peak = 0
  readonly #ends: (() => void)[] = []

  work = async (): Promise<void> => {
    this.running++
    this.peak = Math.max(this.peak, this.running)
    await new Promise<void>((resolve) => {
      this.#ends.push(resolve)
    })
    this.running--
  }

  async endOne(): Promise<void> {
    this.#ends.shift()?.()
    await settle()
  }
}

/** Lets all that can begin begin. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

const start = (slots: SiteSlots, gauge: Gauge, count: number) =>
  Array.from({ length: count }, () => slots(gauge.work))

test('a site has its own slots, and all sites together have the global ones', async () => {
  const limits = new Limits(settings)
  const [a, b] = [new Gauge(), new Gauge()]
  const work = [...start(limits.forSite(), a, 4), ...start(limits.forSite(), b, 4)]
  await settle()
  expect([a.running, b.running]).toEqual([2, 1])
  while (a.running + b.running > 0) {
    await a.endOne()
    await b.endOne()
  }
  await Promise.all(work)
  expect(a.peak).toBe(2)
  expect(b.peak).toBe(2)
})

test('a site that waits for its own slots holds no global one', async () => {
  const limits = new Limits({ ...settings, concurrency: 2, perSite: 1 })
  const [a, b] = [new Gauge(), new Gauge()]
  const work = [...start(limits.forSite(), a, 3), ...start(limits.forSite(), b, 1)]
  await settle()
  expect([a.running, b.running]).toEqual([1, 1])
  while (a.running + b.running > 0) {
    await a.endOne()
    await b.endOne()
  }
  await Promise.all(work)
})

test('it is contended while a site waits for a global slot, not while it waits for its own', async () => {
  const limits = new Limits({ ...settings, concurrency: 1, perSite: 1 })
  const [a, b] = [new Gauge(), new Gauge()]
  const [slotsOfA, slotsOfB] = [limits.forSite(), limits.forSite()]
  const work = start(slotsOfA, a, 2)
  await settle()
  expect(limits.isContended).toBe(false)
  work.push(...start(slotsOfB, b, 1))
  await settle()
  expect(limits.isContended).toBe(true)
  for (let ended = 0; ended < 3; ended++) {
    await a.endOne()
    await b.endOne()
  }
  await Promise.all(work)
  expect(limits.isContended).toBe(false)
})

test('work that fails gives its slots back', async () => {
  const limits = new Limits({ ...settings, concurrency: 1, perSite: 1 })
  const slots = limits.forSite()
  await expect(slots(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await expect(slots(async () => {})).resolves.toBeUndefined()
})
