/**
 * Whose mail is it, by its From field? One rule: what cannot be read is nobody's and is never signed for; whom it seems
 * to name is found out only to tell the operator.
 */
import { toAscii } from '../../config/dkim-names.ts'
import { AddressError } from '../address.ts'
import { parseAddressList } from '../address-list.ts'

/** The domains of one From field, as they stand there. */
export interface FromDomains {
  /** Lower-case A-labels. */
  readonly names: readonly string[]
  /** `false`: the field is malformed, and the names are what stands behind an `@` somewhere in it. */
  readonly isReadable: boolean
}

/** A name and an address of the greatest length (RFC 5321 §4.5.3.1.3); what goes on longer is looked at no further. */
const scannedCharacters = 2_000

/** The domains that a From field names. @param text unfolded */
export function readFromDomains(text: string): FromDomains {
  try {
    return { names: parseAddressList(text).map(({ address }) => address.domain), isReadable: true }
  } catch (error) {
    if (!(error instanceof AddressError)) throw error
    return { names: scanDomains(text.slice(0, scannedCharacters)), isReadable: false }
  }
}

/** Names that are none come out empty: nobody has a key for these. */
function scanDomains(text: string): readonly string[] {
  return [...text.matchAll(/@[ \t]*([\p{L}\p{M}\p{N}_.-]+)/gu)].map(([, name = '']) =>
    toAscii(name.replace(/\.+$/, '')).toLowerCase(),
  )
}
