import { expect, test } from 'vitest'
import { suggest } from '../../src/config/suggest.ts'

const known = ['perSite', 'concurrency', 'maxTargets']

test.each([
  ['persite', 'perSite'],
  ['per_site', 'perSite'],
  ['per-sites', 'perSite'],
  ['concurency', 'concurrency'],
  ['maxTarget', 'maxTargets'],
])('%s: did you mean %s?', (word, meant) => {
  expect(suggest(word, known)).toBe(meant)
})

test.each(['queue', 'site', 'x', ''])('nothing is suggested for %j', (word) => {
  expect(suggest(word, known)).toBeNull()
})
