/** The address options of a mail as mailboxes. One rule: a name is plain text, an address is parsed. */
import { parseAddress } from './address.ts'
import { type Mailbox, parseAddressList } from './address-list.ts'
import { checkFieldText, checkString } from './compose-checks.ts'
import { decodeWords } from './compose-words.ts'
import type { AddressInput, MailboxInput } from './mail.ts'

/**
 * The mailboxes of an address option, in order; groups are replaced by their members.
 * @param what the option, as the user knows it
 * @throws {AddressError} @throws {MessageError} for a name that cannot stand in a field
 */
export function readMailboxes(what: string, input: AddressInput | undefined): readonly Mailbox[] {
  if (input === undefined) return []
  const entries = Array.isArray(input) ? input : [input]
  return entries.flatMap((entry: string | MailboxInput) =>
    typeof entry === 'string' ? parseAddressList(entry).map(withPlainName) : readMailbox(what, entry),
  )
}

function withPlainName({ name, address }: Mailbox): Mailbox {
  return { name: name === null ? null : checkFieldText('a display name', decodeWords(name)), address }
}

function readMailbox(what: string, { name, address }: MailboxInput): Mailbox {
  return {
    name: name ? checkFieldText(`the display name of ${what}`, name) : null,
    address: parseAddress(
      typeof address === 'object' && address !== null
        ? `${address.localPart}@${address.domain}`
        : checkString(`the address of ${what}`, address),
    ),
  }
}
