/**
 * IP addresses as text: one spelling for each, and which of them are no place to send mail to.
 * One rule: an address is judged by where a packet to it goes, not by how it is written.
 */
import ipaddr from 'ipaddr.js'

/** An address in its one spelling. */
export interface IpAddress {
  readonly ip: string
  readonly family: 4 | 6
}

/** Reads four decimal numbers or an IPv6 address, no zone; an IPv4-mapped one is the IPv4 address it stands for. */
export function parseIp(text: string): IpAddress | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { ip: text, family: 4 }
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) return null
  // Not with ipaddr.js, which takes ::192.0.2.1 for ::ffff:192.0.2.1, another address.
  const hostname = URL.parse(`http://[${text}]`)?.hostname
  if (hostname === undefined) return null
  const ip = hostname.slice(1, -1)
  const parsed = ipaddr.IPv6.parse(ip)
  return parsed.isIPv4MappedAddress()
    ? { ip: parsed.toIPv4Address().toString(), family: 4 }
    : { ip, family: 6 }
}

/** The address inside `[192.0.2.1]`, `[2001:db8::1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3); `null` for a name. */
export function parseBracketedIp(host: string): IpAddress | null {
  const [, text] = /^\[(?:IPv6:)?([^\]]*)\]$/i.exec(host) ?? []
  return text === undefined ? null : parseIp(text)
}

/**
 * The name of the special-purpose range (RFC 6890) an address lies in: `loopback`, `private`, `unique local` …;
 * `null` for an ordinary public address.
 */
export function specialRangeOf({ ip, family }: IpAddress): string | null {
  const range = family === 4 ? ipaddr.IPv4.parse(ip).range() : rangeOfIPv6(ipaddr.IPv6.parse(ip))
  return range === 'unicast' ? null : range.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** The only IPv6 space given out for public use (RFC 4291 §2.4, IANA's registry). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
const wellKnownNat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

function rangeOfIPv6(address: ipaddr.IPv6): string {
  // A host with IPv6 only reaches all of IPv4 this way (RFC 6052 §2.1); the packet goes to the address inside.
  if (address.match(wellKnownNat64)) return new ipaddr.IPv4(address.toByteArray().slice(-4)).range()
  const range = address.range()
  return range === 'unicast' && !address.match(globalUnicast) ? 'reserved' : range
}
