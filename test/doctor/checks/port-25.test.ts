import { describe, expect, test } from 'vitest'
import { judgePort25 } from '../../../src/doctor/checks/port-25.ts'
import type { DialledReceiver, DialledTarget, DialOutcome } from '../../../src/doctor/receivers.ts'

const target = (at: number, family: 4 | 6, change: Partial<DialledTarget>): DialledTarget => ({
  family,
  target: `mx${at}.test [address]:25`,
  outcome: 'open',
  failure: null,
  lines: [`220 mx${at}.test ESMTP`, `250 mx${at}.test`],
  localAddress: null,
  greetedAt: 0,
  ...change,
})

/** One receiver for each outcome, over IPv4; over IPv6 likewise. */
const receivers = (
  ipv4: readonly (DialOutcome | Partial<DialledTarget>)[],
  ipv6: readonly DialOutcome[] = [],
): readonly DialledReceiver[] => {
  const make = (family: 4 | 6) => (outcome: DialOutcome | Partial<DialledTarget>, at: number) => {
    const change = typeof outcome === 'object' ? outcome : outcome === 'open' ? {} : { outcome, lines: [] }
    return { domain: `receiver${at}.test`, targets: [target(at, family, change)], failure: null }
  }
  return [...ipv4.map(make(4)), ...ipv6.map(make(6))]
}

const judge = (dialled: readonly DialledReceiver[], relay: string | null = null) =>
  judgePort25({ receivers: dialled, relay }).map(({ subject, code, status }) => [subject, code, status])

const unused = ['IPv6', 'port-25-unused', 'ok']
const busy = { lines: ['421 4.7.0 mx.test too busy'] }
const blocked = { lines: ['554 5.7.1 mx0.test You are on a list'] }
const alike = { lines: ['220 mx.operator.test ESMTP'], target: 'a.mx.operator.test [address]:25' }
const proxy = { lines: ['220 proxy.provider.test ESMTP'] }

describe('what became of the dialling says', () => {
  test.each([
    ['one of many answers', receivers(['silent', 'open', 'refused']), ['IPv4', 'port-25-open', 'ok'], unused],
    [
      'both families answer',
      receivers(['open', 'open'], ['open']),
      ['IPv4', 'port-25-open', 'ok'],
      ['IPv6', 'port-25-open', 'ok'],
    ],
    [
      'all are silent',
      receivers(['silent', 'silent', 'silent']),
      ['IPv4', 'port-25-blocked', 'problem'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    [
      'all are silent in IPv6 only',
      receivers(['open', 'open'], ['silent', 'silent']),
      ['IPv4', 'port-25-open', 'ok'],
      ['IPv6', 'port-25-blocked', 'warning'],
    ],
    [
      'all refuse',
      receivers(['refused', 'refused']),
      ['IPv4', 'port-25-refused', 'problem'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    [
      'some refuse, the rest is silent',
      receivers(['refused', 'silent']),
      ['IPv4', 'port-25-refused', 'problem'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    [
      'the only one is silent',
      receivers(['silent']),
      ['IPv4', 'port-25-one-silent', 'cannot-tell'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    [
      'no way out at all',
      receivers(['no-route', 'no-route'], ['no-route']),
      ['IPv4', 'port-25-no-route', 'problem'],
      ['IPv6', 'port-25-no-route', 'problem'],
    ],
    [
      'no way out in IPv6, and IPv4 blocked',
      receivers(['silent', 'silent'], ['no-route']),
      ['IPv4', 'port-25-blocked', 'problem'],
      unused,
    ],
    ['no way out in IPv6', receivers(['open', 'open'], ['no-route']), ['IPv4', 'port-25-open', 'ok'], unused],
    [
      'no receiver has an address',
      [{ domain: 'a.test', targets: [], failure: 'SERVFAIL' }],
      ['IPv4', 'port-25-unasked', 'cannot-tell'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    [
      'the source address is none of ours',
      receivers(['no-source', 'no-source']),
      ['IPv4', 'port-25-no-source', 'problem'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    [
      'two receivers of one operator greet alike',
      receivers([alike, alike]),
      ['IPv4', 'port-25-open', 'ok'],
      unused,
    ],
    [
      'no receivers',
      [],
      ['IPv4', 'port-25-unasked', 'cannot-tell'],
      ['IPv6', 'port-25-unasked', 'cannot-tell'],
    ],
    ['one turns us away', receivers(['open', blocked]), ['IPv4', 'port-25-turned-away', 'warning'], unused],
    ['one is busy', receivers(['open', busy]), ['IPv4', 'port-25-turned-away', 'warning'], unused],
    [
      'the same host greets for all',
      receivers([proxy, proxy]),
      ['IPv4', 'port-25-intercepted', 'warning'],
      unused,
    ],
    [
      'connected, and never greeted',
      receivers([{ lines: [], failure: 'greeting: too slow' }, 'open']),
      ['IPv4', 'port-25-open', 'ok'],
      unused,
    ],
  ] as const)('%s', (_, dialled, ...said) => {
    expect(judge(dialled)).toEqual(said)
  })

  test('a block does not matter to whoever hands all mail to a relay', () => {
    const [ipv4] = judgePort25({ receivers: receivers(['silent', 'silent']), relay: 'relay.example.net' })
    expect(ipv4).toMatchObject({ status: 'ok', code: 'port-25-blocked' })
    expect(ipv4?.summary).toMatch(/Mail goes to the relay relay\.example\.net, which does not need it\.$/)
  })

  test('the diagnosis is said in as many words, with every address dialled as evidence', () => {
    const [ipv4] = judgePort25({ receivers: receivers(['silent', 'silent']), relay: null })
    expect(ipv4?.summary).toBe(
      'Your provider blocks port 25: none of 2 receivers, unrelated to each other, answers.',
    )
    expect(ipv4?.evidence.map(({ asked }) => asked)).toEqual([
      'connect mx0.test [address]:25',
      'connect mx1.test [address]:25',
    ])
    expect(ipv4?.remedies[0]?.text).toMatch(/^Ask the provider/)
  })
})
