/** RFC 5322 §3.4 address lists as people write them. */
import { type Address, AddressError } from './address.ts'

/** One entry of an address list. */
export interface Mailbox {
  /** The display name without its quotes; encoded-words are left as written. `null` when there is none. */
  readonly name: string | null
  readonly address: Address
}

/** The mailboxes of a list in order, those of groups included. @throws {AddressError} */
export function parseAddressList(text: string): readonly Mailbox[] {
  throw new AddressError(text, 'not written yet')
}
