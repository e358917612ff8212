import { Socket } from 'node:net'
import tls from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { messageFromBytes } from '../../src/mail/message.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { ConnectionLostError, RemoteProtocolError, TimeoutError } from '../../src/smtp/errors.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { type Answer, type Answers, ordinary, silence } from '../support/scripted-steps.ts'
import { HOST, type OpenOptions, open } from './open.ts'
import { contentOf, endedBy, smallContent, smallMessage, smallStuffed, transact } from './transactions.ts'

const secureContext = tls.createSecureContext(makeCertificates([HOST]).kinds.trusted)

async function serverWith(answers: Answers): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(ordinary(answers))
  onTestFinished(() => server.close())
  return server
}

async function opened(answers: Answers, options: OpenOptions = {}) {
  const server = await serverWith(answers)
  const session = await open(server, options)
  return { server, session, heard: server.conversation }
}

/** Writes of the client from now on, each one system call: Node makes all of a socket's in this one method. */
function writesTo({ port }: ScriptedServer): () => number {
  const write = vi.spyOn(Socket.prototype as Socket & { _writeGeneric(): void }, '_writeGeneric')
  onTestFinished(() => write.mockRestore())
  return () => write.mock.contexts.filter((socket) => (socket as Socket).remotePort === port).length
}

const BDAT = ['PIPELINING', 'CHUNKING']
const DATA = ['PIPELINING']
const NONE: readonly string[] = []
/** The three ways to talk, by what the peer offers. */
const ways = [
  ['BDAT', BDAT],
  ['DATA', DATA],
  ['DATA in steps', NONE],
  ['BDAT in steps', ['CHUNKING']],
] as const

describe('round trips of a warm session, one write for each (RFC 2920, RFC 3030 §4.2)', () => {
  const cases = [
    ['BDAT', BDAT, 1],
    ['DATA', DATA, 2],
    ['BDAT in steps', ['CHUNKING'], 3],
    ['DATA in steps', NONE, 4],
  ] as const

  for (const protection of ['in clear', 'under TLS'] as const) {
    test.each(cases)(`%s ${protection}, offered %j, takes %i`, async (_way, offers, trips) => {
      const secure = protection === 'under TLS' ? { secureContext } : {}
      const { session, heard, server } = await opened({
        offers: secure ? [...offers, 'STARTTLS'] : offers,
        ...secure,
      })
      expect(session.tls === null).toBe(protection === 'in clear')
      const writes = writesTo(server)
      await transact(session)
      for (let time = 0; time < 3; time++) {
        const before = { roundTrips: heard.roundTrips, arrivals: heard.arrivals, writes: writes() }
        expect(await transact(session)).toMatchObject(endedBy('end-of-data', 250))
        expect(heard.roundTrips - before.roundTrips).toBe(trips)
        expect(heard.arrivals - before.arrivals).toBe(trips)
        expect(writes() - before.writes).toBe(trips)
      }
      await session.quit()
    })
  }

  test('a cold session with STARTTLS has its final reply after seven, TCP, greeting and TLS 1.3 included', async () => {
    const { session, heard } = await opened({ offers: [...BDAT, 'STARTTLS'], secureContext })
    expect(session.tls?.protocol).toBe('TLSv1.3')
    expect(await transact(session)).toMatchObject(endedBy('end-of-data', 250))
    const [tcp, greeting, tls13] = [1, 1, 1]
    expect(tcp + greeting + tls13 + heard.roundTrips).toBeLessThanOrEqual(7)
    await session.quit()
  })

  test('a message of 64 KB leaves with its envelope too: a peer that answers nothing before it has all is content', async () => {
    const content = contentOf(64 * 1024)
    const { session, heard } = await opened({
      offers: BDAT,
      MAIL: () => {},
      RCPT: () => {},
      BDAT: (client) => client.reply('250 ok', '250 ok', '250 2.0.0 taken'),
    })
    expect(await transact(session, { message: messageFromBytes(content) })).toMatchObject(
      endedBy('end-of-data', 250),
    )
    expect(heard.contents[0]?.equals(content)).toBe(true)
    await session.quit()
  })
})

describe('what goes over the wire', () => {
  test('with BDAT is the message octet for octet, with DATA the message with its dots doubled', async () => {
    const { session, heard } = await opened({ offers: BDAT })
    await transact(session)
    await transact(session, { useChunking: false })
    expect(heard.contents.map(String)).toEqual([smallContent.toString(), smallStuffed])
    expect(heard.flights.slice(1)).toEqual([
      `MAIL FROM:<alice@sender.test>\r\nRCPT TO:<bob@example.test>\r\nBDAT ${smallContent.length} LAST\r\n${smallContent}`,
      'MAIL FROM:<alice@sender.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n',
      `${smallStuffed}.\r\n`,
    ])
    await session.quit()
  })

  test('without PIPELINING is one command at a time (RFC 2920 §3.1)', async () => {
    const { session, heard } = await opened({ offers: NONE })
    await transact(session)
    expect(heard.flights.slice(1)).toEqual([
      'MAIL FROM:<alice@sender.test>\r\n',
      'RCPT TO:<bob@example.test>\r\n',
      'DATA\r\n',
      `${smallStuffed}.\r\n`,
    ])
    await session.quit()
  })

  test('with CHUNKING alone is a chunk, its command and octets together (RFC 3030 §2)', async () => {
    const { session, heard } = await opened({ offers: ['CHUNKING'] })
    await transact(session)
    expect(heard.flights.at(-1)).toBe(`BDAT ${smallContent.length} LAST\r\n${smallContent}`)
    await session.quit()
  })

  const eightBit = messageFromBytes(Buffer.from('Subject: a\r\n\r\nä\r\n'))

  test.each<[readonly string[], string]>([
    [NONE, 'MAIL FROM:<alice@sender.test>'],
    [['SIZE'], `MAIL FROM:<alice@sender.test> SIZE=${eightBit.size}`],
    [['SIZE 1000'], `MAIL FROM:<alice@sender.test> SIZE=${eightBit.size}`],
    [['8BITMIME'], 'MAIL FROM:<alice@sender.test> BODY=8BITMIME'],
    [['8BITMIME', 'SIZE 0'], `MAIL FROM:<alice@sender.test> SIZE=${eightBit.size} BODY=8BITMIME`],
  ])('MAIL with %j offered is %s (RFC 1870 §3, RFC 6152 §3)', async (offers, line) => {
    const { session, heard } = await opened({ offers })
    await transact(session, { message: eightBit })
    expect(heard.commands[1]).toBe(line)
    await session.quit()
  })

  test('BODY=8BITMIME is not said of a message that does not need it', async () => {
    const { session, heard } = await opened({ offers: ['8BITMIME'] })
    await transact(session)
    expect(heard.commands[1]).toBe('MAIL FROM:<alice@sender.test>')
    await session.quit()
  })

  test('SMTPUTF8 is declared where it is needed, and carries UTF-8 addresses (RFC 6531 §3.4)', async () => {
    const { session, heard } = await opened({ offers: ['SMTPUTF8', '8BITMIME'] })
    const forwardPath = parseAddress('jürgen@example.test')
    await transact(session, { forwardPath, smtpUtf8: true })
    await transact(session)
    expect(heard.commands.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([
      'MAIL FROM:<alice@sender.test> SMTPUTF8',
      'RCPT TO:<jürgen@example.test>',
      'MAIL FROM:<alice@sender.test>',
      'RCPT TO:<bob@example.test>',
    ])
    await session.quit()
  })

  test('a UTF-8 address without SMTPUTF8 leaves nothing on the wire', async () => {
    const { session, heard, server } = await opened({ offers: BDAT })
    const end = await transact(session, { forwardPath: parseAddress('jürgen@example.test') })
    expect(end).toMatchObject({ reply: null, error: { name: 'LocalProtocolError' }, isContentSent: false })
    await session.quit()
    await server.settled()
    expect(heard.commands).toEqual(['EHLO client.example.test'])
  })

  test('MAIL of each transaction is its own, though one differs from the next in a single thing', async () => {
    const { session, heard } = await opened({ offers: ['SIZE', 'SMTPUTF8'] })
    const other = messageFromBytes(Buffer.from('Subject: other\r\n\r\n'))
    const size = smallMessage.size
    await transact(session)
    await transact(session)
    await transact(session, { reversePath: null })
    await transact(session, { reversePath: null, smtpUtf8: true })
    await transact(session, { reversePath: null, smtpUtf8: true, message: other })
    await transact(session)
    expect(heard.commands.filter((line) => line.startsWith('MAIL'))).toEqual([
      `MAIL FROM:<alice@sender.test> SIZE=${size}`,
      `MAIL FROM:<alice@sender.test> SIZE=${size}`,
      `MAIL FROM:<> SIZE=${size}`,
      `MAIL FROM:<> SIZE=${size} SMTPUTF8`,
      `MAIL FROM:<> SIZE=${other.size} SMTPUTF8`,
      `MAIL FROM:<alice@sender.test> SIZE=${size}`,
    ])
    await session.quit()
  })

  test('the null reverse-path is `<>` (RFC 5321 §4.5.5)', async () => {
    const { session, heard } = await opened({})
    await transact(session, { reversePath: null })
    expect(heard.commands[1]).toBe('MAIL FROM:<>')
    await session.quit()
  })
})

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

  test('RSET refused shows that the two sides differ about where they are', async () => {
    const { session } = await opened({ offers, RCPT: '550 5.1.1 no such', RSET: '500 what?' })
    await transact(session)
    const end = await transact(session)
    expect(end).toMatchObject({ reply: null, error: { name: 'RemoteProtocolError' } })
    expect(session.isUsable).toBe(false)
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

  test('never answered is waited for no longer than its limit', async () => {
    const { session } = await opened({ offers: DATA, DATA: silence }, { timeouts: { dataInitiationMs: 100 } })
    const end = await transact(session)
    expect(end).toMatchObject({ stage: 'data', reply: null, isContentSent: false })
    expect(end.error).toBeInstanceOf(TimeoutError)
  })
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

test('whoever follows the dialogue sees commands and sizes, never the content', async () => {
  const lines: string[] = []
  const { session } = await opened(
    { offers: BDAT },
    { trace: (direction, text) => lines.push(`${direction}: ${text}`) },
  )
  lines.length = 0
  await transact(session)
  await transact(session, { useChunking: false })
  expect(lines.filter((line) => line.startsWith('client'))).toEqual([
    'client: MAIL FROM:<alice@sender.test>',
    'client: RCPT TO:<bob@example.test>',
    `client: BDAT ${smallMessage.size} LAST`,
    `client: [${smallMessage.size} octets of content]`,
    'client: MAIL FROM:<alice@sender.test>',
    'client: RCPT TO:<bob@example.test>',
    'client: DATA',
    `client: [${smallStuffed.length + 3} octets of content]`,
  ])
  await session.quit()
})
