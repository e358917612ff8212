import { expect, test } from 'vitest'
import { mergeOptions } from '../../src/config/merge.ts'

test('later layers win key by key, and lists are replaced', () => {
  const file = {
    hostname: 'a.test',
    dns: { servers: ['192.0.2.1', '192.0.2.2'] },
    delivery: { perSite: 1, concurrency: 2 },
  }
  const env = { delivery: { perSite: 3 }, routes: { 'a.test': 'x' } }
  const cli = { hostname: 'c.test', dns: { servers: ['192.0.2.3'] }, routes: { 'b.test': 'y' } }
  expect(mergeOptions(file, env, cli)).toEqual({
    hostname: 'c.test',
    dns: { servers: ['192.0.2.3'] },
    delivery: { perSite: 3, concurrency: 2 },
    routes: { 'a.test': 'x', 'b.test': 'y' },
  })
})

test('an option that was not given on the command line leaves the one below', () => {
  const given = Object.fromEntries([['hostname', undefined]])
  expect(mergeOptions({ hostname: 'a.test' }, given)).toEqual({ hostname: 'a.test' })
})

test('a key named __proto__ is a key', () => {
  const hostile = JSON.parse('{"__proto__":{"polluted":true}}')
  const merged = mergeOptions({}, hostile)
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
  expect(Object.keys(merged)).toEqual(['__proto__'])
})

test('no layers are no options', () => {
  expect(mergeOptions()).toEqual({})
})
