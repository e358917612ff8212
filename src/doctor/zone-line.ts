/** Lines of a zone file (RFC 1035 §5.1), ready to paste. */

/** An hour: what one mends is soon seen, and nobody is asked too often. */
const TTL = 3600

/** RFC 1035 §3.3. */
const LONGEST_STRING = 255

/** Types that are published here. */
export type ZoneLineType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR' | 'CNAME'

/** `mail.example.org. 3600 IN A 192.0.2.1`. @param data as a zone file has it; `txtData` for TXT */
export function zoneLine(name: string, type: ZoneLineType, data: string): string {
  return `${name}. ${TTL} IN ${type} ${data}`
}

/** A or AAAA, by the address. */
export function addressLine(name: string, ip: string): string {
  return zoneLine(name, ip.includes(':') ? 'AAAA' : 'A', ip)
}

/** TXT with its text quoted and cut into character-strings. */
export function txtLine(name: string, text: string): string {
  return zoneLine(name, 'TXT', txtData(text))
}

/**
 * `"v=spf1 -all"`; a long text in several strings, which readers join (RFC 7208 §3.3). The text may be a stranger's: what
 * could end the line or speak to a terminal is written as `\DDD`.
 */
export function txtData(text: string): string {
  const octets = Buffer.from(text)
  const count = Math.max(1, Math.ceil(octets.length / LONGEST_STRING))
  const strings = Array.from({ length: count }, (_, at) =>
    octets.subarray(at * LONGEST_STRING, (at + 1) * LONGEST_STRING),
  )
  return strings.map((string) => `"${[...string].map(escapeOctet).join('')}"`).join(' ')
}

function escapeOctet(octet: number): string {
  const character = String.fromCharCode(octet)
  if (character === '"' || character === '\\') return `\\${character}`
  return octet >= 0x20 && octet < 0x7f ? character : `\\${String(octet).padStart(3, '0')}`
}
