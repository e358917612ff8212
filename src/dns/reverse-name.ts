/** Addresses as names: how the DNS is asked about an address. */
import ipaddr from 'ipaddr.js'

/** The labels of an address back to front: `1.2.0.192`, or 32 nibbles; block lists hang them before their own name. */
export function reversedLabels(ip: string): string {
  const address = ipaddr.parse(ip)
  const octets = address.toByteArray()
  if (address.kind() === 'ipv4') return octets.toReversed().join('.')
  const nibbles = octets.flatMap((octet) => [octet >> 4, octet & 15])
  return nibbles
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join('.')
}

/** Where the PTR records of an address stand (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(ip: string): string {
  return `${reversedLabels(ip)}.${ip.includes(':') ? 'ip6' : 'in-addr'}.arpa`
}
