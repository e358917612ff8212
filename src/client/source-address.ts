/**
 * Our own end of a connection: which address it leaves from, and which one it has.
 *
 * One rule: an address that is not named in the configuration is never bound to, whoever asks for it.
 */
import { parseIp } from '../route/ip.ts'

let turn = 0

/** The one to bind to: the preferred one where it is of the family, else the next in turn; `undefined`: the system chooses. */
export function sourceFor(
  family: 4 | 6,
  addresses: readonly string[],
  preferred: string | null = null,
): string | undefined {
  const candidates = addresses.filter((address) => familyOf(address) === family)
  if (candidates.length === 0) return undefined
  if (preferred !== null) {
    const named = configuredSource(preferred, candidates)
    if (named !== null) return named
  }
  turn = (turn + 1) % Number.MAX_SAFE_INTEGER
  return candidates[turn % candidates.length]
}

/** The address in its one spelling, if it is among ours; `null` if it is not, or not any more. */
export function configuredSource(wanted: string, addresses: readonly string[]): string | null {
  const ip = unmapped(wanted)
  return addresses.some((address) => unmapped(address) === ip) ? ip : null
}

/** Names by our addresses in their one spelling, for `SessionOptions.sourceHostnames`. */
export function hostnamesBySource(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(table).map(([address, hostname]) => [unmapped(address), hostname]))
}

/** An address in its one spelling; an IPv4-mapped one is the IPv4 address it stands for. */
export function unmapped(address: string): string {
  return parseIp(address)?.ip ?? address
}

/** Only families that there is a source address for, if any is named: mail must not leave from another one. */
export function familiesOfSources(sourceAddresses: readonly string[]): readonly (4 | 6)[] {
  const both = [6, 4] as const
  if (sourceAddresses.length === 0) return both
  return both.filter((family) => sourceAddresses.some((address) => familyOf(address) === family))
}

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}
