/** What a refusal, a 421 or nonsense at each command means; see transaction-end.test.ts for the content itself. */
import { describe, expect, test } from 'vitest'
import { ConnectionLostError, RemoteProtocolError, TimeoutError } from '../../src/smtp/errors.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { type Answer, silence } from '../support/scripted-steps.ts'
import { opened } from './open.ts'
import { endedBy, smallContent, smallStuffed, transact } from './transactions.ts'

const BDAT = ['PIPELINING', 'CHUNKING']
const DATA = ['PIPELINING']
const NONE: readonly string[] = []
/** The ways to talk, by what the peer offers. */
const ways = [
  ['BDAT', BDAT],
  ['DATA', DATA],
  ['DATA in steps', NONE],
  ['BDAT in steps', ['CHUNKING']],
] as const

describe.each(ways)('%s', (_way, offers) => {
  test.each(['250', '251 2.1.5 will forward', '252 2.1.5 will try', '299 odd'])(
    'RCPT answered with %j is accepted (RFC 5321 §3.4, §3.5.3, §4.2.1)',
    async (RCPT) => {
      const { session, heard } = await opened({ offers, RCPT })
      expect(await transact(session)).toEqual({
        stage: 'end-of-data',
        reply: { code: 250, status: '2.0.0', lines: ['taken'] },
        error: null,
        isContentSent: true,
        repliesSeen: expect.any(Number),
        isChunkingRefused: false,
        refusals: null,
      })
      expect(heard.contents.length).toBe(1)
      expect(session.isUsable).toBe(true)
      await session.quit()
    },
  )

  test.each(['250', '250 2.0.0 ok', '251 odd', '299'])(
    'the content answered with %j is accepted',
    async (words) => {
      const { session } = await opened({ offers, BDAT: words, content: words })
      expect(await transact(session)).toMatchObject(endedBy('end-of-data', Number(words.slice(0, 3))))
      expect(session).toMatchObject({ isUsable: true, needsReset: false })
      await session.quit()
    },
  )

  const refusals = ['450 4.2.1 later', '452 4.5.3 too many', '499 odd', '550 5.1.1 no such', '552', '599 odd']

  test.each(refusals)(
    'RCPT refused with %j decides, and the session serves the next recipient',
    async (words) => {
      let refused = 0
      const RCPT: Answer = (client) => client.reply(refused++ === 0 ? words : '250 ok')
      const { session, heard, server } = await opened({ offers, RCPT })
      expect(await transact(session)).toMatchObject({
        ...endedBy('rcpt', Number(words.slice(0, 3))),
        isContentSent: false,
      })
      expect(session).toMatchObject({ isUsable: true, needsReset: true })
      expect(await transact(session)).toMatchObject({ ...endedBy('end-of-data', 250), isContentSent: true })
      await session.quit()
      await server.settled()
      // RFC 5321 §4.1.1.5: RSET, in front of the next flight.
      expect(heard.commands.filter((line) => /^(RSET|MAIL|QUIT)/.test(line))).toEqual([
        'MAIL FROM:<alice@sender.test>',
        'RSET',
        'MAIL FROM:<alice@sender.test>',
        'QUIT',
      ])
      // What counts as received came after the refusal.
      expect(heard.contents.at(-1)?.toString()).toBe(
        offers.includes('CHUNKING') ? `${smallContent}` : smallStuffed,
      )
    },
  )

  test.each(refusals)(
    'MAIL refused with %j decides, whatever is said to the rest of the flight',
    async (words) => {
      const { session } = await opened({
        offers,
        MAIL: words,
        RCPT: '503 5.5.1 no MAIL',
        DATA: '503 5.5.1 no MAIL',
        BDAT: '503 5.5.1 no MAIL',
      })
      expect(await transact(session)).toMatchObject({
        ...endedBy('mail', Number(words.slice(0, 3))),
        isContentSent: false,
        isChunkingRefused: false,
      })
      expect(session).toMatchObject({ isUsable: true, needsReset: true })
      await session.quit()
    },
  )

  test.each(refusals)(
    'the content refused with %j decides, and the session serves the next recipient',
    async (words) => {
      const { session, heard, server } = await opened({ offers, BDAT: words, content: words })
      expect(await transact(session)).toMatchObject({
        ...endedBy('end-of-data', Number(words.slice(0, 3))),
        isChunkingRefused: false,
      })
      expect(session).toMatchObject({ isUsable: true, needsReset: true })
      await transact(session)
      await session.quit()
      await server.settled()
      expect(heard.commands).toContain('RSET')
      expect(heard.commands.at(-1)).toBe('QUIT')
    },
  )

  test('a refusal of MAIL stands though the peer hangs up behind it', async () => {
    const MAIL: Answer = async (client) => {
      await client.reply('550 5.7.1 blocked')
      client.close()
    }
    const { session } = await opened({ offers, MAIL })
    expect(await transact(session)).toMatchObject({ ...endedBy('mail', 550), isContentSent: false })
  })

  test('a refusal of RCPT stands though the peer resets the connection behind it', async () => {
    const RCPT: Answer = async (client) => {
      await client.reply('550 5.1.1 no such')
      client.reset()
    }
    const { session } = await opened({ offers, RCPT })
    expect(await transact(session)).toMatchObject({ ...endedBy('rcpt', 550), isContentSent: false })
  })

  test.each(['MAIL', 'RCPT'] as const)(
    '421 to %s ends the session, and nothing more is waited for (RFC 5321 §3.8)',
    async (verb) => {
      const answer: Answer = async (client) => {
        await client.reply('421 4.7.0 too much')
        await client.untilGone()
      }
      const { session, heard, server } = await opened({ offers, [verb]: answer })
      expect(await transact(session)).toMatchObject({
        ...endedBy(verb === 'MAIL' ? 'mail' : 'rcpt', 421),
        isContentSent: false,
      })
      expect(session.isUsable).toBe(false)
      await session.quit()
      await server.settled()
      expect(heard.commands).not.toContain('QUIT')
    },
  )

  test('421 to RSET says of the next recipient no more than 421 to MAIL', async () => {
    const { session } = await opened({
      offers,
      RCPT: '550 5.1.1 no such',
      RSET: async (client) => {
        await client.reply('421 4.4.2 idle for too long')
        client.close()
      },
    })
    await transact(session)
    expect(await transact(session)).toMatchObject({ ...endedBy('mail', 421), isContentSent: false })
    expect(session.isUsable).toBe(false)
  })

  test('RSET refused decides nothing: the answers to MAIL and RCPT do', async () => {
    const { session } = await opened({ offers, RCPT: '550 5.1.1 no such', RSET: '500 what?' })
    await transact(session)
    expect(await transact(session)).toMatchObject({ stage: 'rcpt', reply: { code: 550 }, error: null })
    expect(session.isUsable).toBe(true)
    await session.quit()
  })

  test.each(['MAIL', 'RCPT'] as const)('3xx to %s is nonsense, and ends the session', async (verb) => {
    const { session } = await opened({ offers, [verb]: '354 go on' })
    const end = await transact(session)
    expect(end.error).toBeInstanceOf(RemoteProtocolError)
    expect(end.reply).toBeNull()
    expect(session.isUsable).toBe(false)
  })

  test.each(['MAIL', 'RCPT'] as const)(
    '%s never answered is waited for no longer than its limit',
    async (verb) => {
      const limits = { mailMs: verb === 'MAIL' ? 100 : 60_000, rcptMs: verb === 'RCPT' ? 100 : 60_000 }
      const { session } = await opened({ offers, [verb]: silence }, { timeouts: limits })
      const end = await transact(session)
      expect(end).toMatchObject({ stage: verb.toLowerCase(), reply: null })
      expect(end.error).toBeInstanceOf(TimeoutError)
      expect(session.isUsable).toBe(false)
    },
  )

  test.each(['MAIL', 'RCPT'] as const)(
    'the connection lost at %s is an error of that stage',
    async (verb) => {
      const { session } = await opened({ offers, [verb]: (client: Conversation) => client.reset() })
      const end = await transact(session)
      expect(end).toMatchObject({
        stage: verb.toLowerCase(),
        reply: null,
        repliesSeen: verb === 'MAIL' ? 0 : 1,
      })
      expect(end.error).toBeInstanceOf(ConnectionLostError)
    },
  )

  test('replies are counted', async () => {
    const { session } = await opened({ offers })
    const { repliesSeen } = await transact(session)
    expect(repliesSeen).toBe(offers.includes('CHUNKING') ? 3 : 4)
    expect((await transact(session)).repliesSeen).toBe(repliesSeen)
    expect(session.transactions).toBe(2)
    await session.quit()
  })
})

describe('RCPT refused and DATA answered with 354 all the same', () => {
  test.each(['554 5.5.1 no valid recipients', '250 2.0.0 taken, whatever that was'])(
    'is ended with a lone dot, and %j decides nothing (RFC 2920 §3.1)',
    async (content) => {
      const { session, heard } = await opened({ offers: DATA, RCPT: '550 5.1.1 no such', content })
      expect(await transact(session)).toMatchObject({ ...endedBy('rcpt', 550), isContentSent: false })
      expect(heard.flights.at(-1)).toBe('.\r\n')
      expect(heard.contents.map(String)).toEqual([''])
      expect(session.isUsable).toBe(true)
      await session.quit()
    },
  )

  test('and refused with it needs no dot', async () => {
    const { session, heard, server } = await opened({
      offers: DATA,
      RCPT: '550 5.1.1 no',
      DATA: '554 5.5.1 no valid recipients',
    })
    expect(await transact(session)).toMatchObject(endedBy('rcpt', 550))
    await session.quit()
    await server.settled()
    expect(heard.flights.at(-1)).toBe('QUIT\r\n')
    expect(heard.flights.at(-2)).toMatch(/DATA\r\n$/)
  })
})

test('RCPT refused in a flight with BDAT: the chunk is read, its reply decides nothing', async () => {
  const { session, heard } = await opened({ offers: BDAT, RCPT: '550 5.1.1 no such', BDAT: '250 2.0.0 odd' })
  expect(await transact(session)).toMatchObject({ ...endedBy('rcpt', 550), isContentSent: false })
  expect(heard.contents.length).toBe(1)
  expect(session).toMatchObject({ isUsable: true, needsReset: true })
  await session.quit()
})

test('RSET goes in the flight of the next transaction and costs no round trip (RFC 2920 §3.1)', async () => {
  const { session, heard } = await opened({ offers: BDAT, MAIL: '550 5.7.1 no' })
  await transact(session)
  const before = heard.roundTrips
  await transact(session)
  expect(heard.roundTrips - before).toBe(1)
  expect(heard.flights.at(-1)).toMatch(/^RSET\r\nMAIL FROM:/)
  await session.quit()
})

describe('DATA', () => {
  test.each(['451 4.3.0 later', '554 5.5.1 no', '421 4.7.0 enough'])(
    'refused with %j decides',
    async (words) => {
      for (const offers of [DATA, NONE]) {
        const { session, heard } = await opened({ offers, DATA: words })
        expect(await transact(session)).toMatchObject({
          ...endedBy('data', Number(words.slice(0, 3))),
          isContentSent: false,
        })
        expect(heard.contents).toEqual([])
        await session.quit()
      }
    },
  )

  test('answered with another 3xx is followed by the content (RFC 5321 §4.2.1)', async () => {
    const DATA: Answer = async (client) => {
      await client.reply('399 odd but go on')
      await client.dataContent()
      await client.reply('250 2.0.0 taken')
    }
    const { session, heard } = await opened({ offers: NONE, DATA })
    expect(await transact(session)).toMatchObject(endedBy('end-of-data', 250))
    expect(heard.contents.map(String)).toEqual([smallStuffed])
    await session.quit()
  })

  test('answered with 250 is nonsense: the message was not said yet', async () => {
    const { session, heard } = await opened({ offers: DATA, DATA: '250 ok' })
    const end = await transact(session)
    expect(end).toMatchObject({ stage: 'data', reply: null, isContentSent: false })
    expect(end.error).toBeInstanceOf(RemoteProtocolError)
    expect(heard.contents).toEqual([])
    expect(session.isUsable).toBe(false)
  })

  test.each(['421 4.3.2 shutting down', '354 go ahead', '250 ok'])(
    'answered with 354 and with %j behind it is followed by no content',
    async (surplus) => {
      for (const offers of [DATA, NONE]) {
        const { session, heard } = await opened({ offers, DATA: ['354 go ahead', surplus] })
        const end = await transact(session)
        expect(end).toMatchObject({ stage: 'end-of-data', isContentSent: false })
        expect(end.reply?.code ?? 'nonsense').toBe(surplus.startsWith('421') ? 421 : 'nonsense')
        expect(session.isUsable).toBe(false)
        expect(heard.commands.at(-1)).toBe('DATA')
      }
    },
  )

  test('never answered is waited for no longer than its limit', async () => {
    const { session } = await opened({ offers: DATA, DATA: silence }, { timeouts: { dataInitiationMs: 100 } })
    const end = await transact(session)
    expect(end).toMatchObject({ stage: 'data', reply: null, isContentSent: false })
    expect(end.error).toBeInstanceOf(TimeoutError)
  })
})

test('RCPT answered twice is followed by no chunk', async () => {
  const { session, heard } = await opened({
    offers: ['CHUNKING'],
    RCPT: ['250 ok', '421 4.3.2 shutting down'],
  })
  expect(await transact(session)).toMatchObject({ ...endedBy('end-of-data', 421), isContentSent: false })
  expect(heard.commands.at(-1)).toMatch(/^RCPT /)
})

describe('CHUNKING offered and BDAT not known', () => {
  test.each([500, 501, 502, 503, 504])('is told by %i: a new session and DATA will do', async (code) => {
    const { session } = await opened({ offers: BDAT, BDAT: `${code} 5.5.1 what?` })
    expect(await transact(session)).toMatchObject({
      ...endedBy('end-of-data', code),
      isChunkingRefused: true,
    })
    // The octets of the content may have been taken for commands.
    expect(session.isUsable).toBe(false)
  })

  test('is told by the first of many replies, one for each line of the content', async () => {
    const { session } = await opened({
      offers: BDAT,
      BDAT: (client) => client.send('500 what?\r\n'.repeat(8)),
    })
    expect(await transact(session)).toMatchObject({ ...endedBy('end-of-data', 500), isChunkingRefused: true })
  })

  test('is not the matter where DATA was refused so', async () => {
    const { session } = await opened({ offers: BDAT, content: '500 5.5.1 no' })
    expect(await transact(session, { useChunking: false })).toMatchObject({
      ...endedBy('end-of-data', 500),
      isChunkingRefused: false,
    })
    await session.quit()
  })

  test('is not the matter where the recipient was refused', async () => {
    const { session } = await opened({ offers: BDAT, RCPT: '550 5.1.1 no', BDAT: '503 5.5.1 no recipient' })
    expect(await transact(session)).toMatchObject({ ...endedBy('rcpt', 550), isChunkingRefused: false })
    expect(session.isUsable).toBe(true)
    await session.quit()
  })
})
