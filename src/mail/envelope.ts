/** What MAIL and RCPT carry (RFC 5321 §2.3.1): where the message goes, and where reports about it go. */
import type { Address } from './address.ts'

/** The field of the message in which the author named the recipient. */
export type RecipientField = 'to' | 'cc' | 'bcc'

/** One forward-path. */
export interface Recipient {
  readonly address: Address
  readonly field: RecipientField
}

/** One reverse-path (`null` is the null reverse-path `<>`) and its recipients, each mailbox once. */
export interface Envelope {
  readonly reversePath: Address | null
  readonly recipients: readonly Recipient[]
}
