/** Submissions for tests of the queue. */

import { parseAddress } from '../../src/mail/address.ts'
import { type Message, messageFromBytes } from '../../src/mail/message.ts'
import type { LastTrouble, QueuedRecipient } from '../../src/queue/entry.ts'
import type { Settlement, Submission } from '../../src/queue/store.ts'

/** A message whose content has at least so many octets. */
export function messageOf(text: string, octets = 0): Message {
  const body = 'Lorem ipsum dolor sit amet\r\n'.repeat(Math.ceil(octets / 28))
  return messageFromBytes(
    Buffer.from(`Message-ID: <${text.length}@sender.test>\r\nSubject: ${text}\r\n\r\n${body}`),
  )
}

/** A recipient who asked for nothing. */
export function recipientOf(address: string, given: Partial<QueuedRecipient> = {}): QueuedRecipient {
  return { address: parseAddress(address), field: 'to', notify: null, orcpt: null, ...given }
}

/** From alice@sender.test, created at 1,000, due at once, expiring at 1,000,000, never reported late. */
export function submissionTo(recipients: readonly string[], given: Partial<Submission> = {}): Submission {
  return {
    message: messageOf('hello'),
    reversePath: parseAddress('alice@sender.test'),
    recipients: recipients.map((address) => recipientOf(address)),
    createdAt: 1_000,
    expiresAt: 1_000_000,
    ...given,
  }
}

/** What greylisting says. */
export const greylisted: LastTrouble = {
  at: 2_000,
  stage: 'rcpt',
  status: '4.2.0',
  diagnostic: '450 4.2.0 greylisted',
  isReply: true,
  exchanger: 'mx1.example.test',
  ip: '192.0.2.1',
}

/** An attempt that was greylisted. */
export const attempt = {
  startedAt: 2_000,
  durationMs: 5,
  outcome: 'deferred',
  uncertain: false,
  stage: 'rcpt',
  status: '4.2.0',
  diagnostic: '450 4.2.0 greylisted',
  reply: { code: 450, status: '4.2.0', lines: ['greylisted'] },
  targets: [],
} as const

/** A deferral of the entry, by `me`. */
export function deferral(
  id: string,
  given: Partial<Extract<Settlement, { kind: 'deferred' }>> = {},
): Settlement {
  return {
    kind: 'deferred',
    id,
    owner: 'me',
    attempt,
    dueAt: 5_000,
    uncertain: false,
    hold: false,
    last: greylisted,
    sourceAddress: null,
    isDelayWarned: false,
    ...given,
  }
}

/** The content, whole. */
export async function textOf(message: Message): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}
