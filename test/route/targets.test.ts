import { expect, test } from 'vitest'
import { alternateFamilies } from '../../src/route/targets.ts'

test('families take turns, IPv6 first, each in the order given (RFC 5321 §5.1, §5.2)', () => {
  const v4 = (ip: string) => ({ ip, family: 4 as const })
  const v6 = (ip: string) => ({ ip, family: 6 as const })
  const list = [v4('b'), v4('a'), v4('c'), v6('2::'), v6('1::')]
  expect(alternateFamilies(list).map(({ ip }) => ip)).toEqual(['2::', 'b', '1::', 'a', 'c'])
  expect(alternateFamilies([v4('a')])).toEqual([v4('a')])
  expect(alternateFamilies([])).toEqual([])
})
