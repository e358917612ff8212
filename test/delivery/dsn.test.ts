import { describe, expect, test } from 'vitest'
import type { Delivered, Outcome } from '../../src/delivery/outcome.ts'
import type { EnvelopeDsn, RecipientDsn } from '../../src/mail/dsn-parameters.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import { message, recipient, TestDelivery } from './fixtures.ts'
import { chunking, commandsAt, pipelining, placeOf, serverWith } from './servers.ts'

const dsn: EnvelopeDsn = { ret: 'HDRS', envid: 'QQ 1' }
const recipientDsn: RecipientDsn = { notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;Bob@a.test' }

async function deliver(offers: readonly string[], envelope: Pick<Envelope, 'dsn'>, wishes?: RecipientDsn) {
  await using server = await serverWith({ offers })
  await using delivery = new TestDelivery({ domains: { 'a.test': [{ place: placeOf(server) }] } })
  const outcomes: Outcome[] = []
  const whole: Envelope = {
    reversePath: recipient('alice@sender.test').address,
    recipients: [{ ...recipient('bob@a.test'), ...(wishes === undefined ? {} : { dsn: wishes }) }],
    ...envelope,
  }
  for await (const outcome of delivery.deliverer.deliver(message(), whole, { id: '4D1A' })) {
    outcomes.push(outcome)
  }
  const [outcome] = outcomes as Delivered[]
  return { outcome, mail: commandsAt(server, 'MAIL'), rcpt: commandsAt(server, 'RCPT') }
}

describe.each([
  ['one flight', chunking],
  ['two flights', pipelining],
  ['step by step', []],
])('wishes about reports, %s', (_, offers) => {
  test('are passed on to a server that offers DSN (RFC 3461 §5.2.1)', async () => {
    const { outcome, mail, rcpt } = await deliver([...offers, 'DSN'], { dsn }, recipientDsn)
    expect(mail).toEqual([expect.stringMatching(/ RET=HDRS ENVID=QQ\+201$/)])
    expect(rcpt).toEqual(['RCPT TO:<bob@a.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob@a.test'])
    expect(outcome).toMatchObject({ kind: 'delivered', isDsnPassedOn: true })
  })

  test('are not said to another, and the outcome tells (RFC 3461 §5.2.2)', async () => {
    const { outcome, mail, rcpt } = await deliver(offers, { dsn }, recipientDsn)
    expect(mail).toEqual([expect.not.stringMatching(/RET|ENVID/)])
    expect(rcpt).toEqual(['RCPT TO:<bob@a.test>'])
    expect(outcome).toMatchObject({ kind: 'delivered', isDsnPassedOn: false })
  })

  test('that nobody has are not made up', async () => {
    const { outcome, mail, rcpt } = await deliver([...offers, 'DSN'], {})
    expect(mail).toEqual([expect.not.stringMatching(/RET|ENVID/)])
    expect(rcpt).toEqual(['RCPT TO:<bob@a.test>'])
    expect(outcome).not.toHaveProperty('isDsnPassedOn')
  })
})
