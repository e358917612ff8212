/** What every server must get from us beside content: several recipients, refusals, sizes, null reverse-path, TLS policy. */
import { expect, test } from 'vitest'
import type { TlsMode } from '../../src/tls/policy.ts'
import type { Mta } from '../support/mta/mta.ts'
import { message } from './contents.ts'
import { sendTo } from './sending.ts'
import { asSent, returnPathOf } from './stored.ts'

/** The limit that the servers of this suite are started with. */
export const sizeLimitOctets = 100_000

/** Mailboxes that the suite delivers to. */
export const verdictMailboxes = [
  'one',
  'two',
  'three',
  'bounces',
  'small',
  'private',
  'vouched',
  'beside',
] as const

const octets = message(['Content-Type: text/plain'], 'Hello\r\n')

/** What differs from server to server. */
export interface VerdictFacts {
  readonly tlsMode: TlsMode
  /** The status of an unknown mailbox; the server's own, or ours where its reply has none. */
  readonly unknownMailbox: RegExp
  /** One match for each session in which this many transactions were completed, by the server's own account. */
  readonly sessionOf: (transactions: number) => RegExp
}

/** Declares the suite. */
export function verdictSuite(server: () => Mta, facts: VerdictFacts): void {
  const { tlsMode } = facts

  test('three recipients get a transaction each on one session', async () => {
    const mta = server()
    const report = await sendTo(mta, tlsMode, { to: ['one', 'two', 'three'], octets })
    expect(report.counts).toEqual({ delivered: 3, deferred: 0, failed: 0 })
    for (const user of ['one', 'two', 'three']) {
      const [stored = Buffer.alloc(0)] = await mta.waitForMail(user, 1)
      expect(asSent(stored)).toEqual(octets)
    }
    await mta.waitForLog(facts.sessionOf(3))
  })

  test('an unknown mailbox fails for good, and the recipient after it is delivered', async () => {
    const mta = server()
    const report = await sendTo(mta, tlsMode, { to: ['unknown', 'beside'], octets })
    const [unknown, beside] = report.recipients
    expect(unknown).toMatchObject({ outcome: 'failed', stage: 'rcpt', reply: { code: 550 } })
    expect(unknown?.status).toMatch(facts.unknownMailbox)
    expect(beside).toMatchObject({ outcome: 'delivered' })
    expect(await mta.waitForMail('beside', 1)).toHaveLength(1)
  })

  test('a message over the announced SIZE fails with 5.3.4 and is not sent (RFC 1870 §6)', async () => {
    const mta = server()
    const large = message(['Content-Type: text/plain'], 'x'.repeat(70).concat('\r\n').repeat(2_000))
    const report = await sendTo(mta, tlsMode, { to: ['small'], octets: large })
    expect(report.recipients).toMatchObject([{ outcome: 'failed', status: '5.3.4' }])
    expect(await mta.mailbox('small')).toEqual([])
  })

  test('a null reverse-path arrives as one (RFC 5321 §4.5.5)', async () => {
    const mta = server()
    await sendTo(mta, tlsMode, { to: ['bounces'], octets, envelopeFrom: '<>' })
    const [stored = Buffer.alloc(0)] = await mta.waitForMail('bounces', 1)
    expect(returnPathOf(stored)).toBe('<>')
  })

  test('a certificate that nobody vouches for defers where TLS is to be verified', async () => {
    const mta = server()
    const report = await sendTo(mta, 'verified', { to: ['private'], octets })
    expect(report.recipients).toMatchObject([
      { outcome: 'deferred', status: expect.stringMatching(/^4\.7\.[45]$/) },
    ])
    expect(await mta.mailbox('private')).toEqual([])
  })

  if (tlsMode === 'off') return

  test('a certificate that names the server and is trusted is verified', async () => {
    const mta = server()
    const { certificateFile } = mta
    const report = await sendTo(mta, 'verified', { to: ['vouched'], octets, caFile: certificateFile })
    const tls = { protocol: 'TLSv1.3', verified: true, reason: null }
    expect(report.recipients).toMatchObject([{ outcome: 'delivered', tls }])
    expect(await mta.waitForMail('vouched', 1)).toHaveLength(1)
  })
}
