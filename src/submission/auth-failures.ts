/**
 * Counts failed logins by client address, so that a guesser who reconnects gains nothing.
 * One rule: what is remembered is bounded, and forgotten after a while without a sign.
 */
import { isIPv6 } from 'node:net'
import type { Clock } from '../time/clock.ts'

/** More failures than these within `windowMs`, and the address is not listened to until it has been quiet so long. */
const mostFailures = 20
const windowMs = 10 * 60_000
/** Addresses remembered; the one that failed longest ago makes room. */
const mostAddresses = 10_000

interface Failures {
  count: number
  lastAt: number
}

/** What is known of all clients of all listeners. */
export class AuthFailures {
  readonly #clock: Clock
  readonly #byAddress = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the address has failed too often of late. */
  isBlocked(ip: string): boolean {
    return (this.#recent(ip)?.count ?? 0) >= mostFailures
  }

  add(ip: string): void {
    const key = networkOf(ip)
    const count = (this.#recent(ip)?.count ?? 0) + 1
    // Taken out and put back: the map is in the order of the last failure.
    this.#byAddress.delete(key)
    this.#byAddress.set(key, { count, lastAt: this.#clock.monotonic() })
    const [oldest] = this.#byAddress.keys()
    if (this.#byAddress.size > mostAddresses && oldest !== undefined) this.#byAddress.delete(oldest)
  }

  #recent(ip: string): Failures | undefined {
    const failures = this.#byAddress.get(networkOf(ip))
    if (failures === undefined || this.#clock.monotonic() - failures.lastAt <= windowMs) return failures
    this.#byAddress.delete(networkOf(ip))
    return undefined
  }
}

/** What counts as one client: an IPv4 address, and of IPv6 a /64, which one customer has whole (RFC 6177 §2). */
export function networkOf(ip: string): string {
  if (!isIPv6(ip)) return ip
  const [head = '', tail] = ip.split('::', 2)
  const groups = head.split(':').filter(Boolean)
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const after = tail.split(':').filter(Boolean)
  const all = [
    ...groups,
    ...new Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0'),
    ...after,
  ]
  return all.slice(0, 4).join(':')
}
