/** What is asked about: a mailbox, or a domain by its postmaster (RFC 5321 §4.5.1 has every domain know one). */
import { type Address, parseAddress } from '../mail/address.ts'
import { normaliseDomain } from '../mail/address-domain.ts'
import { AddressError } from '../mail/address-error.ts'

/** A target, read. */
export interface ProbeTarget {
  /** As it was given. */
  readonly text: string
  readonly domain: string
  readonly mailbox: Address
  /** Only the domain was named. */
  readonly isDomain: boolean
}

/**
 * Reads `bob@example.org`, `example.org`, `bücher.example` or `[192.0.2.1]`, blanks around it allowed.
 * @throws {AddressError} for anything else; the message names the text.
 */
export function parseProbeTarget(text: string): ProbeTarget {
  const trimmed = text.trim()
  if (trimmed === '') throw new AddressError(text, 'expected an address or a domain, found nothing')
  if (trimmed.includes('@')) {
    const mailbox = parseAddress(trimmed)
    return { text, domain: mailbox.domain, mailbox, isDomain: false }
  }
  const domain = normaliseDomain(trimmed, text)
  return { text, domain, mailbox: { localPart: 'postmaster', domain }, isDomain: true }
}

/** A mailbox of the same domain that nobody has; `random` gives numbers from 0 to below 1. */
export function inventMailbox({ domain }: ProbeTarget, random: () => number): Address {
  const letters = Array.from({ length: 20 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)])
  return { localPart: `probe-${letters.join('')}`, domain }
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
