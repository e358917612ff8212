/**
 * What stands after the `@`: a domain name or an address literal (RFC 5321 §4.1.2, §4.1.3), brought to one spelling:
 * lower-case A-labels without the final dot, addresses as RFC 5952 and dotted decimal print them.
 * One rule: no name that DNS could answer for is refused, none that merely looks like one is let through.
 */
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import { AddressError, printable } from './address-error.ts'

/** RFC 5321 §4.5.3.1.2. */
const limitOctets = 255
/** RFC 1035 §2.3.4. */
const labelLimitOctets = 63

// Letters, digits and hyphens (RFC 5321 §4.1.2), and the underscore too: DNS carries it (RFC 2181 §11), domains that
// receive mail have it, and refusing it here would make deliverable mail undeliverable. The peer may still refuse it.
const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

/**
 * The domain in its one spelling.
 * @param address what the error names
 * @throws {AddressError}
 */
export function normaliseDomain(domain: string, address: string): string {
  const fail = (reason: string): never => {
    throw new AddressError(address, reason)
  }
  if (domain === '') return fail('nothing stands after the `@`')
  if (domain.length > limitOctets) return fail(`the domain is longer than ${limitOctets} octets`)
  if (domain.startsWith('[')) return normaliseLiteral(domain) ?? fail(literalExpected)
  const name = toALabels(domain)?.replace(/\.$/, '')
  if (name === undefined) return fail(`\`${printable(domain)}\` is not a domain name`)
  const problem = findNameProblem(name)
  return problem === null ? name : fail(problem)
}

function findNameProblem(name: string): string | null {
  if (name.length > limitOctets) return `the domain is longer than ${limitOctets} octets`
  const labels = name.split('.')
  for (const text of labels) {
    if (text === '') return 'a dot at the start of the domain, or two in a row'
    if (text.length > labelLimitOctets)
      return `the label \`${text}\` is longer than ${labelLimitOctets} octets`
    if (!label.test(text)) {
      return `expected letters, digits and inner hyphens between the dots, found \`${printable(text)}\``
    }
  }
  // No top-level domain is all digits (RFC 3696 §2): this is an IP address that lacks its brackets.
  if (/^\d+$/.test(labels.at(-1) ?? '')) return `write an IP address in brackets: \`[${name}]\``
  return null
}

/** Lower-case A-labels (RFC 5890 §2.3.2.1), `undefined` where there are none. */
function toALabels(domain: string): string | undefined {
  // domainToASCII reads as URLs do: it would decode %2e, drop tabs and turn 0x7f.1 into 127.0.0.1. So ASCII never
  // gets there, and beside other characters only what a name may have.
  if (/^[\0-\x7f]*$/.test(domain)) return domain.toLowerCase()
  if (!/^[a-z0-9._\x80-\uffff-]*$/i.test(domain)) return undefined
  return domainToASCII(domain) || undefined
}

const literalExpected =
  'expected an address literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`, four decimal numbers or an IPv6 address'

/** RFC 5321 §4.1.3. General-address-literals are refused: no tag but IPv6 is registered. */
function normaliseLiteral(literal: string): string | undefined {
  const [, tag, text] = /^\[(IPv6:)?([0-9a-f:.]+)\]$/i.exec(literal) ?? []
  if (text === undefined) return undefined
  if (tag !== undefined) return normaliseIPv6(text)
  // Leading zeros are refused: one reader takes 010 for eight, the next for ten.
  return ipaddr.IPv4.isValidFourPartDecimal(text) ? `[${text}]` : undefined
}

function normaliseIPv6(text: string): string | undefined {
  // Not with ipaddr.js, which prints ::192.0.2.1 as ::ffff:192.0.2.1, another address.
  const url = URL.parse(`http://[${text}]`)
  return url ? `[IPv6:${url.hostname.slice(1, -1)}]` : undefined
}
