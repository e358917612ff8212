import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import { envelopeOf, queuedFrom } from '../../src/queue/bounce-wishes.ts'
import type { QueueEntry } from '../../src/queue/entry.ts'

const reversePath = parseAddress('alice@sender.test')
const bob = { address: parseAddress('bob@a.test'), field: 'to' } as const
const carol = { address: parseAddress('carol@a.test'), field: 'cc' } as const

/** In and out again, by way of what entries keep. */
function throughQueue(envelope: Envelope): Envelope {
  const { recipients, envid = null, ret = null } = queuedFrom(envelope)
  const [first, ...rest] = recipients.map(
    (recipient) => ({ recipient, reversePath: envelope.reversePath, envid, ret }) as unknown as QueueEntry,
  )
  if (first === undefined) throw new Error('Expected a recipient')
  return envelopeOf([first, ...rest])
}

describe('wishes come out of the queue as they went in (RFC 3461 §5.2.1):', () => {
  test.each<[string, Envelope]>([
    ['none', { reversePath, recipients: [bob, carol] }],
    ['a null reverse-path', { reversePath: null, recipients: [bob] }],
    [
      'all',
      {
        reversePath,
        recipients: [{ ...bob, dsn: { notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;B@a.test' } }, carol],
        dsn: { ret: 'FULL', envid: 'QQ 1' },
      },
    ],
    ['NOTIFY alone', { reversePath, recipients: [{ ...bob, dsn: { notify: ['NEVER'] } }] }],
    ['ORCPT alone', { reversePath, recipients: [{ ...bob, dsn: { orcpt: 'rfc822;B@a.test' } }] }],
    ['RET alone', { reversePath, recipients: [bob], dsn: { ret: 'HDRS' } }],
    ['ENVID alone', { reversePath, recipients: [bob], dsn: { envid: 'QQ1' } }],
  ])('%s', (_, envelope) => {
    expect(throughQueue(envelope)).toStrictEqual(envelope)
  })
})

test('the queue keeps what was not asked for as null', () => {
  expect(queuedFrom({ reversePath, recipients: [bob] })).toEqual({
    reversePath,
    recipients: [{ ...bob, notify: null, orcpt: null }],
    envid: null,
    ret: null,
  })
})
