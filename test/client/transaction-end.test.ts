/** What becomes of a transaction once its content is out, or while it goes out. */
import { describe, expect, test } from 'vitest'
import { CHUNK_OCTETS } from '../../src/client/content.ts'
import { messageFromBytes } from '../../src/mail/message.ts'
import { ConnectionLostError, RemoteProtocolError, TimeoutError } from '../../src/smtp/errors.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { type Answer, type Answers, silence } from '../support/scripted-steps.ts'
import { opened } from './open.ts'
import { StuckSocket } from './stuck-socket.ts'
import { contentOf, endedBy, streamedMessage, transact } from './transactions.ts'

/** Offered where the message is to go with DATA, in two flights. */
const DATA: readonly string[] = ['PIPELINING']

const ways = [
  ['BDAT', ['PIPELINING', 'CHUNKING']],
  ['DATA', ['PIPELINING']],
  ['DATA in steps', []],
  ['BDAT in steps', ['CHUNKING']],
] as const

/** The same answer to the content, however it comes. */
const toContent = (answer: Answer): Answers => ({ BDAT: answer, content: answer })

describe.each(ways)('after the final dot or the last chunk, with %s', (_way, offers) => {
  test.each<[string, Answer, new (...values: never[]) => Error]>([
    ['no answer', silence, TimeoutError],
    ['half an answer', (client) => client.send('250 2.0.0 ta').then(() => client.untilGone()), TimeoutError],
    ['the connection closed', (client) => client.close(), ConnectionLostError],
    ['the connection reset', (client) => client.reset(), ConnectionLostError],
    ['garbage', (client) => client.send('\x16\x03\x01 what is this\r\n'), RemoteProtocolError],
    [
      'garbage before the answer',
      (client) => client.send('Warning: x\r\n250 2.0.0 taken\r\n'),
      RemoteProtocolError,
    ],
    ['unequal codes in one reply', (client) => client.send('250-taken\r\n550 no\r\n'), RemoteProtocolError],
    ['3xx', '354 go on', RemoteProtocolError],
    [
      'one reply too many',
      (client) => client.reply('250 2.0.0 taken', '250 2.0.0 taken'),
      RemoteProtocolError,
    ],
    [
      'a refusal and another reply',
      (client) => client.reply('550 5.7.1 no', '250 2.0.0 taken'),
      RemoteProtocolError,
    ],
  ])(
    '%s leaves it to the peer alone to know whether it has the message',
    async (_how, answer, errorClass) => {
      const { session } = await opened(
        { offers, ...toContent(answer) },
        { timeouts: { dataTerminationMs: errorClass === TimeoutError ? 150 : 60_000 } },
      )
      const end = await transact(session)
      expect(end).toMatchObject({
        stage: 'end-of-data',
        reply: null,
        isContentSent: true,
        isChunkingRefused: false,
      })
      expect(end.error).toBeInstanceOf(errorClass)
      expect(session.isUsable).toBe(false)
    },
  )

  test.each(['250 2.0.0 taken', '550 5.7.1 no'])(
    '%j with 421 behind it counts, and ends the session (RFC 5321 §3.8)',
    async (words) => {
      const answer: Answer = (client) => client.reply(words, '421 4.7.0 that is enough')
      const { session, heard, server } = await opened({ offers, ...toContent(answer) })
      expect(await transact(session)).toMatchObject(endedBy('end-of-data', Number(words.slice(0, 3))))
      expect(session.isUsable).toBe(false)
      await session.quit()
      await server.settled()
      expect(heard.commands).not.toContain('QUIT')
    },
  )

  test('421 is a refusal for now, and ends the session', async () => {
    const { session } = await opened({ offers, ...toContent('421 4.3.2 going down') })
    expect(await transact(session)).toMatchObject(endedBy('end-of-data', 421))
    expect(session.isUsable).toBe(false)
  })

  test('a drip is no answer: the limit is absolute', async () => {
    const drip: Answer = async (client) => {
      const timer = setInterval(() => client.send('250-x\r\n'), 20)
      await client.untilGone()
      clearInterval(timer)
    }
    const { session } = await opened({ offers, ...toContent(drip) }, { timeouts: { dataTerminationMs: 200 } })
    const end = await transact(session)
    expect(end).toMatchObject({ isContentSent: true, reply: null })
    expect(end.error).toBeInstanceOf(TimeoutError)
  })

  test('the reply to QUIT is never taken for the acceptance', async () => {
    // The peer swallows the content without a word, and would say yes to anything that comes after it.
    const { session, heard } = await opened(
      { offers, ...toContent(() => {}), QUIT: '250 2.0.0 bye' },
      { timeouts: { dataTerminationMs: 100 } },
    )
    expect(await transact(session)).toMatchObject({ reply: null, isContentSent: true })
    expect(heard.commands).not.toContain('QUIT')
  })
})

describe('a reply while the content is still being written', () => {
  const parts = Array.from({ length: 400 }, () => contentOf(64 * 1024))

  /** Reads nothing of the content, and says this about it. */
  const early =
    (words: string): Answer =>
    async (client) => {
      await client.reply('354 go ahead')
      client.stopReading()
      await client.reply(words)
      await client.untilGone()
    }

  test.each([
    ['552 5.3.4 too much', DATA],
    ['451 4.3.1 full', DATA],
    ['421 4.3.2 going down', DATA],
    ['500 5.5.2 odd', []],
  ] as const)('%j ends the writing, and decides', async (words, offers) => {
    const message = streamedMessage(parts)
    const { session } = await opened({ offers, DATA: early(words) })
    expect(await transact(session, { message })).toMatchObject({
      ...endedBy('end-of-data', Number(words.slice(0, 3))),
      isContentSent: false,
      isChunkingRefused: false,
    })
    // 25 MB are more than two sockets hold: most of it was never asked for.
    expect(message.partsRead()).toBeLessThan(parts.length)
    expect(session.isUsable).toBe(false)
  })

  test('of a message in memory ends the writing too', async () => {
    const { session, heard } = await opened({ offers: DATA, DATA: early('552 5.3.4 too much') })
    const message = messageFromBytes(contentOf(16 * 1024 * 1024))
    expect(await transact(session, { message })).toMatchObject({
      ...endedBy('end-of-data', 552),
      isContentSent: false,
    })
    expect(heard.contents).toEqual([])
  })

  test('that says yes is nonsense: the peer has not got the message', async () => {
    const { session } = await opened({ offers: DATA, DATA: early('250 2.0.0 taken') })
    const end = await transact(session, { message: streamedMessage(parts) })
    expect(end).toMatchObject({ stage: 'end-of-data', reply: null, isContentSent: false })
    expect(end.error).toBeInstanceOf(RemoteProtocolError)
    expect(session.isUsable).toBe(false)
  })

  test.each([
    ['552 5.3.4 too much', false],
    ['421 4.3.2 going down', false],
  ] as const)('%j to a chunk ends the writing of chunks', async (words, isChunkingRefused) => {
    for (const offers of [['PIPELINING', 'CHUNKING'], ['CHUNKING']]) {
      const message = streamedMessage(parts)
      const { session, heard } = await opened({ offers, BDAT: words })
      expect(await transact(session, { message })).toMatchObject({
        ...endedBy('end-of-data', Number(words.slice(0, 3))),
        isContentSent: false,
        isChunkingRefused,
      })
      // RFC 3030 §2: what was on its way is still read; nothing else is sent.
      expect(heard.contents.length).toBeLessThanOrEqual(2)
      expect(session.isUsable).toBe(words.startsWith('552'))
      expect(session.needsReset).toBe(true)
      await session.quit()
    }
  })

  test('500 to the first of several chunks shows that BDAT is not known', async () => {
    const { session } = await opened({ offers: ['PIPELINING', 'CHUNKING'], BDAT: '500 5.5.1 what?' })
    expect(await transact(session, { message: streamedMessage(parts) })).toMatchObject({
      ...endedBy('end-of-data', 500),
      isContentSent: false,
      isChunkingRefused: true,
    })
    expect(session.isUsable).toBe(false)
  })

  test('500 to a later chunk is a refusal: the peer knows BDAT and has taken one', async () => {
    const answers = ['250 2.0.0 taken', '500 5.5.1 no more of this', '500 5.5.1 no more of this']
    const BDAT: Answer = (client) => client.reply(answers.shift() ?? '250 ok')
    const { session } = await opened({ offers: ['CHUNKING'], BDAT })
    const message = messageFromBytes(contentOf(2 * CHUNK_OCTETS + 100))
    expect(await transact(session, { message })).toMatchObject({
      ...endedBy('end-of-data', 500),
      isContentSent: false,
      isChunkingRefused: false,
    })
    await session.quit()
  })

  test('the refusal of a chunk stands, whatever is said to the last one', async () => {
    // The second chunk is answered when the last one is out already.
    const answers = [['250 2.0.0 taken'], [], ['552 5.3.4 too much', '250 2.0.0 taken']]
    const BDAT: Answer = (client) => client.reply(...(answers.shift() ?? []))
    const { session } = await opened({ offers: ['PIPELINING', 'CHUNKING'], BDAT })
    const message = messageFromBytes(contentOf(2 * CHUNK_OCTETS + 100))
    expect(await transact(session, { message })).toMatchObject({
      ...endedBy('end-of-data', 552),
      isContentSent: false,
    })
    expect(session).toMatchObject({ isUsable: true, needsReset: true })
    await session.quit()
  })
})

/** A peer that takes and answers everything up to the final dot or the last chunk, which it never takes. */
function stuck(onStuck: (socket: StuckSocket) => void, stuckAt = '\r\n.\r\n'): StuckSocket {
  return new StuckSocket(stuckAt, (socket, piece) => {
    if (piece.includes(stuckAt)) setImmediate(() => onStuck(socket))
    else if (piece.endsWith('DATA\r\n')) setImmediate(() => socket.say('250 ok', '250 ok', '354 go ahead'))
  })
}

describe('while the final dot still waits in our own buffers the peer cannot have the message', () => {
  const bdat = ['PIPELINING', 'CHUNKING']

  test.each<[string, readonly string[], string]>([
    ['DATA', DATA, '\r\n.\r\n'],
    ['BDAT', bdat, 'end.\r\n'],
  ])('when its time is up, with %s', async (_way, offers, stuckAt) => {
    const session = stuck(() => {}, stuckAt).session(offers, { mailMs: 100, dataTerminationMs: 100 })
    const end = await transact(session)
    expect(end).toMatchObject({ reply: null, isContentSent: false })
    expect(end.error).toBeInstanceOf(TimeoutError)
  })

  test.each<[string, readonly string[], string]>([
    ['DATA', DATA, '\r\n.\r\n'],
    ['BDAT', bdat, 'end.\r\n'],
  ])('when the connection is lost, with %s', async (_way, offers, stuckAt) => {
    const session = stuck((socket) => socket.destroy(new Error('reset')), stuckAt).session(offers)
    const end = await transact(session)
    expect(end).toMatchObject({ reply: null, isContentSent: false })
    expect(end.error).toBeInstanceOf(ConnectionLostError)
  })

  test('when it accepts it, that is nonsense, and what it accepted only the peer knows', async () => {
    const session = stuck((socket) => socket.say('250 2.0.0 taken')).session(DATA)
    const end = await transact(session)
    expect(end).toMatchObject({ reply: null, isContentSent: true })
    expect(end.error).toBeInstanceOf(RemoteProtocolError)
    expect(session.isUsable).toBe(false)
  })

  test('when it refuses it, that decides, and there is no way to say QUIT in the middle of the content', async () => {
    const socket = stuck((peer) => peer.say('552 5.3.4 too much'))
    const session = socket.session(DATA)
    expect(await transact(session)).toMatchObject({ ...endedBy('end-of-data', 552), isContentSent: false })
    expect(session.isUsable).toBe(false)
    await session.quit()
    expect(socket.written).not.toContain('QUIT')
  })
})

describe('a connection lost in the middle of the content', () => {
  test.each<[string, readonly string[]]>([
    ['DATA', DATA],
    ['BDAT', ['PIPELINING', 'CHUNKING']],
  ])(
    'is not a content that was sent, though nobody waited for anything just then (%s)',
    async (_way, offers) => {
      const { session, heard } = await opened({ offers, DATA: (client) => client.reply('354 go ahead') })
      const message = {
        ...streamedMessage([]),
        size: 3 * CHUNK_OCTETS,
        async *open() {
          yield contentOf(CHUNK_OCTETS)
          yield contentOf(CHUNK_OCTETS)
          heard.reset()
          // As a slow disk would: the loss comes in between.
          while (session.connection.failure === null) await new Promise((resolve) => setImmediate(resolve))
          yield contentOf(CHUNK_OCTETS)
        },
      }
      const end = await transact(session, { message })
      expect(end).toMatchObject({ reply: null, isContentSent: false })
      expect(end.error).toBeInstanceOf(ConnectionLostError)
    },
  )

  test('a peer that takes no more of it is given up when the time for a block is up (RFC 5321 §4.5.3.2.5)', async () => {
    for (const offers of [DATA, ['PIPELINING', 'CHUNKING']]) {
      const stop = (client: Conversation) => client.stopReading()
      const { session } = await opened(
        {
          offers,
          DATA: (client) => client.reply('354 go ahead').then(() => stop(client)),
          RCPT: async (client) => {
            await client.reply('250 ok')
            if (offers.includes('CHUNKING')) stop(client)
          },
        },
        { timeouts: { dataBlockMs: 150, dataTerminationMs: 150 } },
      )
      const message = streamedMessage(Array.from({ length: 400 }, () => contentOf(64 * 1024)))
      const end = await transact(session, { message })
      expect(end).toMatchObject({ stage: 'end-of-data', reply: null, isContentSent: false })
      expect(end.error).toBeInstanceOf(TimeoutError)
    }
  })
})
