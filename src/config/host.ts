/** Names and addresses as the configuration may give them. Nothing here asks the network. */
import ipaddr from 'ipaddr.js'

// RFC 5321 §4.1.2: sub-domain = Let-dig [Ldh-str]; RFC 1035 §2.3.4: a label has at most 63 octets.
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * Is it a fully qualified domain name that can mean this host to others? A single label and `localhost` cannot, whatever
 * stands before it (RFC 6761 §6.3); a number at the end would make it an address.
 */
export function isFqdn(name: string): boolean {
  const labels = name.split('.')
  const last = labels.at(-1)?.toLowerCase() ?? ''
  if (labels.length < 2 || name.length > 253 || !labels.every((part) => label.test(part))) return false
  return !/^\d+$/.test(last) && last !== 'localhost' && last !== 'localdomain'
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3). */
export function isAddressLiteral(text: string): boolean {
  const [, ipv6, ipv4] = /^\[(?:IPv6:([0-9a-f:.]+)|([0-9.]+))\]$/i.exec(text) ?? []
  return ipv6 === undefined ? ipv4 !== undefined && isIpv4(ipv4) : isIpv6(ipv6)
}

/** An IPv4 address in dotted decimals, or an IPv6 address; without brackets and zone. */
export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text)
}

/** `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53`. */
export function isIpAndPort(text: string): boolean {
  const parts = splitPort(text)
  return parts !== null && isIp(parts.host)
}

/** As `isIpAndPort`, or a host name in place of the address. */
export function isHostAndPort(text: string): boolean {
  const parts = splitPort(text)
  return parts !== null && (isIp(parts.host) || /^[^\s:/[\]@]{1,253}$/u.test(parts.host))
}

/** An address to listen at: `192.0.2.1:2525` or `[2001:db8::1]:2525`; port 0 lets the system choose. */
export function isListenAddress(text: string): boolean {
  const [, ipv6, ipv4, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const isAddress = ipv6 === undefined ? ipv4 !== undefined && isIpv4(ipv4) : isIpv6(ipv6)
  return isAddress && Number(port) <= 65_535
}

const isIpv4 = (text: string) => ipaddr.IPv4.isValidFourPartDecimal(text)
const isIpv6 = (text: string) => !text.includes('%') && ipaddr.IPv6.isValid(text)

/** The host without brackets; `null` when there are stray colons or no possible port. */
function splitPort(text: string): { host: string } | null {
  if (isIpv6(text)) return { host: text }
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || (bracketed !== undefined && !isIp(bracketed))) return null
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) return null
  return { host }
}
