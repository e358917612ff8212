/**
 * Wishes about reports on their way through the queue: in as `dsn` of envelope and recipient, kept as columns of an entry,
 * out as `dsn` again. One rule: what was not asked for is not made up (RFC 3461 §5.2.1), so that `dsn` is absent then.
 */
import type { EnvelopeDsn, RecipientDsn } from '../mail/dsn-parameters.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { QueuedRecipient, QueueEntry } from './entry.ts'
import type { Submission } from './store.ts'

/** An envelope as the queue keeps it. */
export function queuedFrom({
  reversePath,
  recipients,
  dsn = {},
}: Envelope): Pick<Submission, 'reversePath' | 'recipients' | 'envid' | 'ret'> {
  return {
    reversePath,
    recipients: recipients.map(queuedRecipient),
    envid: dsn.envid ?? null,
    ret: dsn.ret ?? null,
  }
}

function queuedRecipient({ address, field, dsn = {} }: Recipient): QueuedRecipient {
  return { address, field, notify: dsn.notify ?? null, orcpt: dsn.orcpt ?? null }
}

/** The envelope with which entries of one submission are delivered: their recipients in their order. */
export function envelopeOf(entries: readonly [QueueEntry, ...QueueEntry[]]): Envelope {
  const [{ reversePath, ret, envid }] = entries
  const recipients = entries.map(({ recipient }) => recipientOf(recipient))
  const dsn: EnvelopeDsn = { ...(ret === null ? {} : { ret }), ...(envid === null ? {} : { envid }) }
  return ret === null && envid === null ? { reversePath, recipients } : { reversePath, recipients, dsn }
}

function recipientOf({ address, field, notify, orcpt }: QueuedRecipient): Recipient {
  if (notify === null && orcpt === null) return { address, field }
  const dsn: RecipientDsn = { ...(notify === null ? {} : { notify }), ...(orcpt === null ? {} : { orcpt }) }
  return { address, field, dsn }
}
