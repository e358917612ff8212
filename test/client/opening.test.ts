import { describe, expect, test } from 'vitest'
import { ConnectionLostError, RemoteProtocolError, TimeoutError } from '../../src/smtp/errors.ts'
import { noExtensions } from '../../src/smtp/extensions.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServerOptions } from '../support/scripted-server.ts'
import { type Answers, ehloReply, ordinary, silence } from '../support/scripted-steps.ts'
import { commandsAt, open, refusalOf } from './open.ts'

const ordinaryServer = (answers: Answers = {}, options: ScriptedServerOptions = {}) =>
  scripted(ordinary(answers), options)

describe('the greeting', () => {
  const greeting = ['220-mx.example.test', '220-says', '220 hello']

  test('is waited for before a word is said (RFC 5321 §4.3.1)', async () => {
    let heardBefore: readonly string[] | null = null
    const server = await scripted([
      async (client) => {
        // The client has had the time to speak: two turns of the loop that both sides share.
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
        heardBefore = [...client.flights]
      },
      { reply: '220 hi' },
      { expect: 'EHLO client.example.test' },
      { reply: '250 mx' },
      { expect: 'QUIT' },
      { reply: '221 bye' },
    ])
    await (await open(server)).quit()
    expect(heardBefore).toEqual([])
  })

  test.each(['whole', 'octets'] as const)('may have several lines (%s)', async (fragmentation) => {
    const session = await open(await ordinaryServer({ greeting }, { fragmentation }))
    expect(session.isUsable).toBe(true)
    await session.quit()
  })

  test('may have several lines, cut at every offset', async () => {
    const server = await ordinaryServer({ greeting })
    for (let cutAt = 1; cutAt < `${greeting.join('\r\n')}\r\n`.length; cutAt++) {
      server.fragmentation = { cutAt }
      await (await open(server)).quit()
    }
    expect(new Set(server.conversations.map(({ commands }) => commands.join()))).toEqual(
      new Set(['EHLO client.example.test,QUIT']),
    )
  })

  test('of another 2xx code is a greeting too (RFC 5321 §4.2.1: the first digit decides)', async () => {
    const server = await ordinaryServer({ greeting: '299 hi' })
    await (await open(server)).quit()
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test', 'QUIT'])
  })

  test.each(['554 5.7.1 not you', '521 no mail here', '450 4.7.1 later'])(
    '%j turns the session away, which ends with QUIT (RFC 5321 §3.1)',
    async (words) => {
      const server = await ordinaryServer({ greeting: words })
      const refusal = await refusalOf(server)
      expect(refusal).toMatchObject({ stage: 'greeting', isTlsBroken: false, message: words })
      expect(refusal.reply?.code).toBe(Number(words.slice(0, 3)))
      expect(await commandsAt(server)).toEqual(['QUIT'])
    },
  )

  test('421 turns the session away, and nothing is said to it (RFC 5321 §3.8)', async () => {
    const server = await scripted([{ reply: '421 4.7.0 busy' }, silence])
    expect(await refusalOf(server)).toMatchObject({ stage: 'greeting', reply: { code: 421 } })
    await server.settled()
    expect(server.conversation.flights).toEqual([])
  })

  test('that never comes is waited for no longer than its limit', async () => {
    const refusal = await refusalOf(await scripted([silence]), { timeouts: { greetingMs: 100 } })
    expect(refusal).toMatchObject({ stage: 'greeting', reply: null })
    expect(refusal.cause).toBeInstanceOf(TimeoutError)
  })

  test('that drips is cut off at the same limit', async () => {
    const server = await scripted(async (client) => {
      const drip = setInterval(() => client.send('2'.repeat(1)), 20)
      await client.untilGone()
      clearInterval(drip)
    })
    expect((await refusalOf(server, { timeouts: { greetingMs: 200 } })).cause).toBeInstanceOf(TimeoutError)
  })

  test('missing because the peer hangs up is a lost connection', async () => {
    const refusal = await refusalOf(await scripted([(client) => client.close()]))
    expect(refusal).toMatchObject({ stage: 'greeting', reply: null, isTlsBroken: false })
    expect(refusal.cause).toBeInstanceOf(ConnectionLostError)
  })

  test.each(['SSH-2.0-OpenSSH_9.2\r\n', '354 go on\r\n', '220-a\r\n250 b\r\n'])(
    '%j is none',
    async (octets) => {
      const refusal = await refusalOf(await scripted([(client) => client.send(octets), silence]), {
        timeouts: { quitMs: 100 },
      })
      expect(refusal).toMatchObject({ stage: 'greeting', reply: null })
      expect(refusal.cause).toBeInstanceOf(RemoteProtocolError)
    },
  )
})

describe('EHLO', () => {
  test('tells what the peer offers', async () => {
    const session = await open(await ordinaryServer({ offers: ['PIPELINING', 'size 1000', 'X-OWN'] }))
    expect(session.extensions).toMatchObject({
      pipelining: true,
      chunking: false,
      sizeLimitOctets: 1000,
      keywords: ['PIPELINING', 'SIZE', 'X-OWN'],
    })
    expect(session.tls).toBeNull()
    await session.quit()
  })

  test('may be answered with any 2xx and without a word (RFC 5321 §4.2)', async () => {
    const session = await open(await ordinaryServer({ EHLO: '250' }))
    expect(session.extensions).toEqual(noExtensions)
    await session.quit()
  })

  test.each([500, 501, 502, 503, 504])(
    'refused with %i is followed by HELO, and nothing counts as offered (RFC 5321 §4.1.1.1)',
    async (code) => {
      const server = await ordinaryServer({ EHLO: [`${code}-PIPELINING`, `${code} CHUNKING`] })
      const session = await open(server)
      expect(session.extensions).toEqual(noExtensions)
      await session.quit()
      expect(await commandsAt(server)).toEqual([
        'EHLO client.example.test',
        'HELO client.example.test',
        'QUIT',
      ])
    },
  )

  test.each(['550 5.7.1 bad name', '554 go away', '450 4.7.1 later', '505 odd', '521 none'])(
    'refused with %j is final for this session, without HELO',
    async (words) => {
      const server = await ordinaryServer({ EHLO: words })
      expect(await refusalOf(server)).toMatchObject({ stage: 'ehlo', message: words })
      expect(await commandsAt(server)).toEqual(['EHLO client.example.test', 'QUIT'])
    },
  )

  test('answered with 421 ends the session without QUIT (RFC 5321 §3.8)', async () => {
    const server = await scripted([{ reply: '220 hi' }, { expect: /^EHLO / }, { reply: '421 busy' }, silence])
    expect(await refusalOf(server)).toMatchObject({ stage: 'ehlo', reply: { code: 421 } })
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test'])
  })

  test('refused, and HELO too, turns the session away', async () => {
    const server = await ordinaryServer({ EHLO: '502 unknown', HELO: '550 5.7.1 no' })
    expect(await refusalOf(server)).toMatchObject({ stage: 'ehlo', reply: { code: 550 } })
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test', 'HELO client.example.test', 'QUIT'])
  })

  test('answered with 3xx is nonsense', async () => {
    const refusal = await refusalOf(await ordinaryServer({ EHLO: '354 go on' }))
    expect(refusal).toMatchObject({ stage: 'ehlo', reply: null })
    expect(refusal.cause).toBeInstanceOf(RemoteProtocolError)
  })

  test.each([
    ['another reply', '250 mx\r\n250 once more', { reply: null }],
    ['the beginning of another one', '250 mx\r\n250-once', { reply: null }],
    ['421', '250 mx\r\n421 4.3.2 shutting down', { reply: { code: 421 } }],
  ])('with %s behind its reply opens no session that is out of step', async (_what, words, refusal) => {
    const server = await scripted([{ reply: '220 hi' }, { expect: /^EHLO / }, { reply: words }, silence])
    expect(await refusalOf(server)).toMatchObject({ stage: 'ehlo', ...refusal })
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test'])
  })

  test('never answered is waited for no longer than its limit', async () => {
    const server = await ordinaryServer({ EHLO: silence })
    const refusal = await refusalOf(server, { timeouts: { ehloMs: 100 } })
    expect(refusal).toMatchObject({ stage: 'ehlo', reply: null })
    expect(refusal.cause).toBeInstanceOf(TimeoutError)
  })

  test('offers are those of this session only (RFC 5321 §3.2)', async () => {
    const server = await ordinaryServer({ offers: ['PIPELINING'] })
    const first = await open(server)
    server.script = ordinary({})
    const second = await open(server)
    expect([first.extensions.pipelining, second.extensions.pipelining]).toEqual([true, false])
    await Promise.all([first.quit(), second.quit()])
  })
})

test('the lines of a dialogue are shown as they were said', async () => {
  const lines: string[] = []
  const server = await ordinaryServer({ greeting: ['220-a', '220 b'], EHLO: ehloReply(['HELP']) })
  const session = await open(server, { trace: (direction, text) => lines.push(`${direction}: ${text}`) })
  await session.quit()
  expect(lines).toEqual([
    'server: 220-a',
    'server: 220 b',
    'client: EHLO client.example.test',
    'server: 250-mx.example.test',
    'server: 250 HELP',
    'client: QUIT',
    'server: 221 2.0.0 bye',
  ])
})
