/** The two names of a key in DNS: `SELECTOR._domainkey.DOMAIN` (RFC 6376 §3.1, §3.6.2.1). */
import { domainToASCII } from 'node:url'
import { isFqdn } from './host.ts'

// Letters and digits of any script; domainToASCII would silently read `host/path` and `user@host` as their host.
const internationalName = /^[\p{L}\p{M}\p{N}.-]+$/u

/** A name in lower-case A-labels; empty for what is none. */
export function toAscii(name: string): string {
  return internationalName.test(name) ? domainToASCII(name) : ''
}

/** A domain that mail can be sent from, in lower-case A-labels; `null` for what is none. */
export function readDomain(text: string): string | null {
  const name = toAscii(text.replace(/\.$/, ''))
  return isFqdn(name) ? name : null
}

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const selectorForm = new RegExp(`^${label}(?:\\.${label})*$`, 'i')

/** RFC 6376 §3.1: `sub-domain *( "." sub-domain )`. */
export function isSelector(text: string): boolean {
  return text.length <= 190 && selectorForm.test(text)
}
