/** Who would send: the facts that all checks share. */
import { specialRangeOf } from '../route/ip.ts'

/** An address that receivers see us under. */
export interface OwnAddress {
  readonly ip: string
  readonly family: 4 | 6
  /** Who said so: the caller, `sourceAddresses`, a receiver in its reply to EHLO, or this system's routing table. */
  readonly origin: 'option' | 'configuration' | 'receiver' | 'system'
}

/** The host and the domain that are examined. */
export interface Sender {
  /** Of From fields and reverse-paths; lower-case A-labels. */
  readonly domain: string
  /** Given in EHLO; `null` when none is configured and the system has none that means anything. */
  readonly hostname: string | null
  /** Given in EHLO instead, by address. */
  readonly sourceHostnames: ReadonlyMap<string, string>
  /** Why `hostname` is `null`. */
  readonly hostnameComplaint: string | null
  /** Private addresses count as usual: a network of its own. */
  readonly allowLocalAddresses: boolean
}

/** The name given in EHLO by sessions that come from the address. */
export function hostnameAt({ hostname, sourceHostnames }: Sender, ip: string): string | null {
  return sourceHostnames.get(ip) ?? hostname
}

/**
 * The addresses that receivers do see. One that only this host knows, and that is no public one, is translated on the way
 * to another: nothing can be asked about it.
 */
export function knownToOthers(
  addresses: readonly OwnAddress[],
  { allowLocalAddresses }: Pick<Sender, 'allowLocalAddresses'>,
): readonly OwnAddress[] {
  const isTold = ({ origin }: OwnAddress) => origin === 'option' || origin === 'receiver'
  return addresses.filter(
    (address) => allowLocalAddresses || isTold(address) || specialRangeOf(address) === null,
  )
}

/** A name, and the addresses from which it is given. */
export interface GivenName {
  /** `null`: there is none to give. */
  readonly hostname: string | null
  /** Those that receivers see; none where no address is known. */
  readonly addresses: readonly OwnAddress[]
}

/** Every name that EHLO gives; at least one, the host's own where no address is known. */
export function namesGiven(sender: Sender, addresses: readonly OwnAddress[]): readonly GivenName[] {
  const own = knownToOthers(addresses, sender)
  if (own.length === 0) return [{ hostname: sender.hostname, addresses: [] }]
  const names = Map.groupBy(own, ({ ip }) => hostnameAt(sender, ip))
  return [...names].map(([hostname, given]) => ({ hostname, addresses: given }))
}
