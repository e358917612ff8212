/** This host's own addresses, by which it knows itself among a domain's exchangers (RFC 5321 §5.1). */
import { networkInterfaces } from 'node:os'
import { type Clock, systemClock } from '../time/clock.ts'
import { parseIp } from './ip.ts'

/** An interface that comes up is known within this time; asking the kernel for each connection would cost 70 µs. */
const rememberMs = 10_000

/** Gives the addresses of all interfaces but loopback, read again every ten seconds when asked for. */
export function createOwnAddresses(clock: Clock = systemClock): () => readonly string[] {
  let addresses: readonly string[] = []
  let readAgainAt = Number.NEGATIVE_INFINITY
  return () => {
    if (clock.monotonic() >= readAgainAt) {
      addresses = readInterfaces()
      readAgainAt = clock.monotonic() + rememberMs
    }
    return addresses
  }
}

function readInterfaces(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.filter(({ internal }) => !internal).flatMap(({ address }) => parseIp(address)?.ip ?? [])
}
