import fc from 'fast-check'
import { expect, test } from 'vitest'
import { orderExchangers, siteOf } from '../../src/route/exchangers.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { exchanger } from './exchanger.ts'

const lists = fc.array(
  fc.record({
    host: fc.domain(),
    preference: fc.integer({ min: 0, max: 65_535 }),
    implicit: fc.constant(false),
    port: fc.constant(25),
  }),
)

test('every order has all exchangers in ascending preference, compared as numbers (RFC 5321 §5.1)', () => {
  fc.assert(
    fc.property(lists, fc.integer(), (list, seed) => {
      const ordered = orderExchangers(list, seededRandom(seed))
      expect(new Set(ordered)).toEqual(new Set(list))
      expect(ordered.map(({ preference }) => preference)).toEqual(
        list.map(({ preference }) => preference).sort((a, b) => a - b),
      )
    }),
    { numRuns: 200 },
  )
  const list = [exchanger('worst', 100), exchanger('best', 9), exchanger('middle', 10)]
  expect(orderExchangers(list).map(({ host }) => host)).toEqual(['best', 'middle', 'worst'])
})

test('each order of equals is equally likely (RFC 5321 §5.1)', () => {
  const list = ['a', 'b', 'c'].map((host) => exchanger(host)).concat(exchanger('z', 20))
  const random = seededRandom(7)
  const counts = new Map<string, number>()
  for (let run = 0; run < 6_000; run += 1) {
    const order = orderExchangers(list, random)
      .map(({ host }) => host)
      .join('')
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  expect([...counts.keys()].sort()).toEqual(['abcz', 'acbz', 'bacz', 'bcaz', 'cabz', 'cbaz'])
  // 1,000 each expected, standard deviation 29; a shuffle by random comparison is off by hundreds.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120)
})

test('a random number just below one is no index past the end', () => {
  const list = ['a', 'b', 'c'].map((host) => exchanger(host))
  expect(orderExchangers(list, () => 1 - 2 ** -53)).toHaveLength(3)
})

test('domains with the same exchangers are one site, whatever the numbers and the order of the records', () => {
  const one = [exchanger('a.test', 10), exchanger('b.test', 10), exchanger('c.test', 20)]
  const other = [exchanger('b.test', 1), exchanger('c.test', 30), exchanger('a.test', 1)]
  expect(siteOf(one)).toBe('a.test:25 b.test:25 / c.test:25')
  expect(siteOf(other)).toBe(siteOf(one))
})

test('another rank, another port, or a static route is another site', () => {
  const sites = [
    [exchanger('a.test', 10), exchanger('b.test', 10)],
    [exchanger('a.test', 10), exchanger('b.test', 20)],
    [exchanger('b.test', 10), exchanger('a.test', 20)],
    [exchanger('a.test')],
    [exchanger('a.test', 10, { port: 26 })],
    [exchanger('a.test', 10, { isStatic: true })],
  ].map(siteOf)
  expect(new Set(sites).size).toBe(6)
})
