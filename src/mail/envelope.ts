/** What MAIL and RCPT carry (RFC 5321 §2.3.1): where the message goes, and where reports about it go. */
import { type Address, addressKey } from './address.ts'
import type { EnvelopeDsn, RecipientDsn } from './dsn-parameters.ts'

/** The field of the message in which the author named the recipient. */
export type RecipientField = 'to' | 'cc' | 'bcc'

/** One forward-path. */
export interface Recipient {
  readonly address: Address
  readonly field: RecipientField
  /** What the sender asked of reports about this recipient (RFC 3461); absent when nothing was asked. */
  readonly dsn?: RecipientDsn
}

/** One reverse-path (`null` is the null reverse-path `<>`) and its recipients, each mailbox once. */
export interface Envelope {
  readonly reversePath: Address | null
  readonly recipients: readonly Recipient[]
  /** What the sender asked of reports about the whole (RFC 3461); absent when nothing was asked. */
  readonly dsn?: EnvelopeDsn
}

/** The addresses a message names, by field. */
export type AddressesByField = { readonly [field in RecipientField]?: readonly Address[] }

const fieldsInOrder: readonly RecipientField[] = ['to', 'cc', 'bcc']

/**
 * The recipients of a message in the order To, Cc, Bcc: a mailbox named more than once gets one copy, under the
 * first field it stood in and in the spelling used there.
 */
export function collectRecipients(addresses: AddressesByField): readonly Recipient[] {
  const recipients = new Map<string, Recipient>()
  for (const field of fieldsInOrder) {
    for (const address of addresses[field] ?? []) {
      const key = addressKey(address)
      if (!recipients.has(key)) recipients.set(key, { address, field })
    }
  }
  return [...recipients.values()]
}
