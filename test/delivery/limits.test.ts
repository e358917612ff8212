import { expect, test } from 'vitest'
import { Limits, type SiteSlots } from '../../src/delivery/limits.ts'

const settings = {
  concurrency: 3,
  perSite: 2,
  maxTargets: 20,
  messagesPerSession: 100,
  recipientsPerTransaction: 1,
}

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

const never = new AbortController().signal

test('a site has its own slots', async () => {
  const limits = new Limits(settings)
  const [a, b] = [new Gauge(), new Gauge()]
  const work = [...start(limits.forSite(), a, 4), ...start(limits.forSite(), b, 4)]
  await settle()
  expect([a.running, b.running]).toEqual([2, 2])
  while (a.running + b.running > 0) {
    await a.endOne()
    await b.endOne()
  }
  await Promise.all(work)
  expect([a.peak, b.peak]).toEqual([2, 2])
})

test('all sites together have the global slots, each given back once', async () => {
  const limits = new Limits({ ...settings, concurrency: 2 })
  const releases = await Promise.all([limits.slot(never), limits.slot(never)])
  expect(limits.isContended).toBe(false)
  let hasThird = false
  const third = limits.slot(never).then((release) => {
    hasThird = true
    return release
  })
  await settle()
  expect([hasThird, limits.isContended]).toEqual([false, true])
  releases[0]()
  const release = await third
  expect(limits.isContended).toBe(false)
  release()
  releases[1]()
})

test('who is aborted while waiting for a slot goes without, and takes none', async () => {
  const limits = new Limits({ ...settings, concurrency: 1 })
  const release = await limits.slot(never)
  const abort = new AbortController()
  const waiting = limits.slot(abort.signal)
  abort.abort(new Error('given up'))
  await expect(waiting).rejects.toThrow('given up')
  await expect(limits.slot(abort.signal)).rejects.toThrow('given up')
  release()
  const next = await limits.slot(never)
  next()
})

test('more sessions may be being opened than there are slots, but not without end', async () => {
  const limits = new Limits({ ...settings, concurrency: 2 })
  const gauge = new Gauge()
  const work = Array.from({ length: 20 }, () => limits.opening(gauge.work))
  await settle()
  expect(gauge.running).toBe(8)
  while (gauge.running > 0) await gauge.endOne()
  await Promise.all(work)
})

test('work that fails gives its slot back', async () => {
  const limits = new Limits({ ...settings, perSite: 1 })
  const slots = limits.forSite()
  await expect(slots(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await expect(slots(async () => {})).resolves.toBeUndefined()
})
