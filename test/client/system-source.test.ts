import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { systemSource } from '../../src/client/system-source.ts'

test.each([4, 6] as const)(
  'the address for IPv%i is one of this host’s, or there is none',
  async (family) => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    const source = await systemSource(family)
    if (source !== null) expect(own.map(({ address }) => address)).toContain(source)
  },
)
