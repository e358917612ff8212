import { expect, test, vi } from 'vitest'
import { createOwnAddresses } from '../../src/route/own-addresses.ts'

const readings = vi.hoisted(() => ({ count: 0 }))

vi.mock('node:os', () => ({
  networkInterfaces: () => {
    readings.count += 1
    const all = (address: string, internal = false) => ({ address, internal })
    return { lo: [all('127.0.0.1', true), all('::1', true)], eth0: [all('192.0.2.7'), all('2001:db8::7')] }
  },
}))

test('loopback is not one of our own addresses, and the kernel is asked every ten seconds at most', () => {
  const clock = { ms: 0, now: () => 0, monotonic: () => clock.ms }
  const ownAddresses = createOwnAddresses(clock)
  expect(ownAddresses()).toEqual(['192.0.2.7', '2001:db8::7'])
  clock.ms = 9_999
  ownAddresses()
  expect(readings.count).toBe(1)
  clock.ms = 10_000
  ownAddresses()
  expect(readings.count).toBe(2)
})
