/**
 * Under which addresses receivers see us. One rule: what a receiver has seen counts more than what this host believes,
 * because of address translation; what the operator says counts most.
 */
import type { Settings } from '../config/settings.ts'
import { parseIp, specialRangeOf } from '../route/ip.ts'
import type { DialledReceiver } from './receivers.ts'
import type { OwnAddress } from './sender.ts'

/** Where addresses are known from. */
export interface AddressSources {
  /** Named by the caller; if any, they are all there are. */
  readonly named: readonly string[]
  readonly settings: Pick<Settings, 'sourceAddresses'>
  readonly receivers: readonly DialledReceiver[]
  /** What the system would connect from; `null` for a family without a way out. */
  readonly systemSource: (family: 4 | 6) => Promise<string | null>
}

/** IPv4 before IPv6. */
export async function findOwnAddresses(sources: AddressSources): Promise<readonly OwnAddress[]> {
  if (sources.named.length > 0) return asOwn(sources.named, 'option')
  const families = await Promise.all(([4, 6] as const).map((family) => addressesOf(family, sources)))
  return families.flat()
}

async function addressesOf(
  family: 4 | 6,
  { settings, receivers, systemSource }: AddressSources,
): Promise<readonly OwnAddress[]> {
  const targets = receivers.flatMap((receiver) => receiver.targets)
  const own = targets.filter((target) => target.family === family)
  const open = own.filter(({ outcome }) => outcome === 'open')
  const seen = new Set(open.flatMap(({ lines }) => seenIn(lines, family) ?? []))
  if (seen.size > 0) return asOwn([...seen], 'receiver')
  if (settings.sourceAddresses.length > 0) {
    const configured = asOwn(settings.sourceAddresses, 'configuration')
    return configured.filter((address) => address.family === family)
  }
  const local = open.find(({ localAddress }) => localAddress !== null)?.localAddress ?? null
  if (local !== null) return asOwn([local], 'system')
  const chosen = asOwn(
    [await systemSource(family)].filter((ip) => ip !== null),
    'system',
  )
  // Mail leaves over the other family alone when this one was tried in vain, or has no public address to begin with.
  const isOtherOpen = targets.some((target) => target.family !== family && target.outcome === 'open')
  return chosen.filter((address) => !isOtherOpen || (own.length === 0 && specialRangeOf(address) === null))
}

/**
 * Many servers name the client in the first line of their reply to EHLO (RFC 5321 §4.1.1.1 leaves its text to them):
 * `250-mx.google.com at your service, [192.0.2.1]`.
 */
export function seenIn(lines: readonly string[], family: 4 | 6): string | null {
  const hello = lines.find((line) => /^250[- ]/.test(line)) ?? ''
  const [, text = ''] = /\[(?:IPv6:)?([0-9a-f.:]+)\]/i.exec(hello) ?? []
  const address = parseIp(text)
  return address?.family === family ? address.ip : null
}

function asOwn(texts: readonly string[], origin: OwnAddress['origin']): readonly OwnAddress[] {
  const parsed = texts.flatMap((text) => parseIp(text) ?? [])
  return [...new Map(parsed.map((address) => [address.ip, { ...address, origin }])).values()]
}
