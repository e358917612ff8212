import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import { TlsClient } from '../../src/client/tls.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { ConnectionLostError, TlsError } from '../../src/smtp/errors.ts'
import type { TlsMode } from '../../src/tls/policy.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServerOptions } from '../support/scripted-server.ts'
import { type Answers, ehloReply, ordinary } from '../support/scripted-steps.ts'
import { commandsAt, HOST, open, refusalOf } from './open.ts'

const { ca, kinds } = makeCertificates([HOST])
const secureContext = tls.createSecureContext(kinds.trusted)
const trusting = () => new TlsClient({ ca: [ca] })

const tlsServer = (answers: Answers = {}, options: ScriptedServerOptions = {}) =>
  scripted(ordinary({ offers: ['STARTTLS'], secureContext, ...answers }), options)

const EHLO = 'EHLO client.example.test'

describe('STARTTLS, where it is offered', () => {
  test.each(['whole', 'octets'] as const)(
    'encrypts the session, which greets again (RFC 3207 §4.2; %s)',
    async (fragmentation) => {
      const server = await tlsServer({}, { fragmentation })
      const session = await open(server, { tlsClient: trusting() })
      expect(session.tls).toEqual({
        protocol: 'TLSv1.3',
        cipher: expect.stringMatching(/^TLS_/),
        verified: true,
        reason: null,
        resumed: false,
      })
      await session.quit()
      expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', EHLO, 'QUIT'])
    },
  )

  test('the server is told the name of the exchanger (RFC 6066 §3)', async () => {
    const server = await tlsServer()
    await (await open(server)).quit()
    await server.settled()
    expect(server.conversation.serverName).toBe(HOST)
  })

  test('an address literal is no server name (RFC 6066 §3)', async () => {
    const server = await tlsServer()
    await (await open(server, { host: '[127.0.0.1]' })).quit()
    await server.settled()
    expect(server.conversation.serverName).toBeNull()
  })

  test('is not used where the policy is off', async () => {
    const server = await tlsServer()
    const session = await open(server, { tls: 'off' })
    expect(session.tls).toBeNull()
    await session.quit()
    expect(await commandsAt(server)).toEqual([EHLO, 'QUIT'])
  })

  test('what was offered before it does not count after it (RFC 3207 §4.2)', async () => {
    const offers = [ehloReply(['STARTTLS', 'PIPELINING', 'CHUNKING', 'SIZE 10']), ehloReply(['8BITMIME'])]
    const server = await tlsServer({ EHLO: (client) => client.reply(...(offers.shift() ?? [])) })
    const session = await open(server)
    expect(session.extensions.keywords).toEqual(['8BITMIME'])
    expect(session.extensions).toMatchObject({ pipelining: false, chunking: false, size: false })
    await session.quit()
  })

  test('a server that knows EHLO only in clear is greeted with HELO under TLS', async () => {
    const answers = [ehloReply(['STARTTLS', 'PIPELINING']), ['502 5.5.1 no']]
    const server = await tlsServer({ EHLO: (client) => client.reply(...(answers.shift() ?? [])) })
    const session = await open(server)
    expect(session.extensions.keywords).toEqual([])
    expect(session.tls).not.toBeNull()
    await session.quit()
  })

  test('is never said twice (RFC 3207 §4.2)', async () => {
    const server = await tlsServer({ EHLO: ehloReply(['STARTTLS']) })
    await (await open(server)).quit()
    expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', EHLO, 'QUIT'])
  })

  test('answered with another 2xx goes ahead too (RFC 5321 §4.2.1)', async () => {
    const server = await tlsServer({
      STARTTLS: async (client) => {
        await client.reply('299 go')
        await client.startTls(secureContext)
      },
    })
    const session = await open(server)
    expect(session.tls).not.toBeNull()
    await session.quit()
  })
})

describe('words injected behind the 220 to STARTTLS are thrown away (CVE-2011-0411)', () => {
  test.each([
    ['a whole reply', '220 go\r\n250-PIPELINING\r\n250 CHUNKING\r\n'],
    ['several replies', '220 go\r\n250 a\r\n250 b\r\n250 c\r\n'],
    ['half a reply', '220 go\r\n250-injected\r\n'],
    ['half a line', '220 go\r\n250 inj'],
  ])('%s', async (_what, octets) => {
    const answers = [ehloReply(['STARTTLS']), ehloReply(['8BITMIME'])]
    const server = await tlsServer({
      EHLO: (client) => client.reply(...(answers.shift() ?? [])),
      STARTTLS: async (client) => {
        await client.send(octets)
        await client.startTls(secureContext)
      },
    })
    const session = await open(server, { tlsClient: trusting() })
    expect(session.extensions.keywords).toEqual(['8BITMIME'])
    expect(session.connection.hasUnasked).toBe(false)
    expect(session.tls?.verified).toBe(true)
    await session.quit()
    expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', EHLO, 'QUIT'])
  })

  test('and break the handshake where they come in a piece of their own, behind the ClientHello', async () => {
    const server = await tlsServer({
      STARTTLS: async (client) => {
        await client.reply('220 go')
        await client.something()
        await client.send('250-PIPELINING\r\n250 CHUNKING\r\n')
        await client.untilGone()
      },
    })
    const refusal = await refusalOf(server, { timeouts: { startTlsMs: 200 } })
    expect(refusal).toMatchObject({ stage: 'starttls', isTlsBroken: true, reply: null })
  })
})

describe('STARTTLS refused', () => {
  test.each(['454 4.7.0 not now', '501 5.5.4 no', '502 5.5.1 no', '500 what?', '554 5.7.3 no'])(
    'with %j leaves an opportunistic session in clear, on the same connection (RFC 3207 §4)',
    async (words) => {
      const server = await tlsServer({ STARTTLS: words, offers: ['STARTTLS', 'PIPELINING'] })
      const session = await open(server)
      expect(session).toMatchObject({ tls: null, isUsable: true, extensions: { pipelining: true } })
      await session.quit()
      expect(server.conversations.length).toBe(1)
      expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', 'QUIT'])
    },
  )

  test.each<[TlsMode, string]>([
    ['required', '454 4.7.0 not now'],
    ['verified', '502 5.5.1 no'],
  ])('ends a session for which TLS is %s, with QUIT (RFC 3207 §4.1)', async (mode, words) => {
    const server = await tlsServer({ STARTTLS: words })
    expect(await refusalOf(server, { tls: mode })).toMatchObject({
      stage: 'starttls',
      isTlsBroken: false,
      message: words,
    })
    expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', 'QUIT'])
  })

  test('with 421 ends any session, without QUIT (RFC 5321 §3.8)', async () => {
    const server = await tlsServer({ STARTTLS: '421 4.7.0 busy' })
    expect(await refusalOf(server)).toMatchObject({
      stage: 'starttls',
      reply: { code: 421 },
      isTlsBroken: false,
    })
    expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS'])
  })

  test('with 3xx is nonsense where TLS is required', async () => {
    const refusal = await refusalOf(await tlsServer({ STARTTLS: '334 go on' }), { tls: 'required' })
    expect(refusal).toMatchObject({ stage: 'starttls', reply: null, isTlsBroken: false })
  })
})

describe('STARTTLS not offered', () => {
  test('leaves an opportunistic session in clear', async () => {
    const server = await tlsServer({ offers: ['PIPELINING'] })
    const session = await open(server)
    expect(session.tls).toBeNull()
    await session.quit()
    expect(await commandsAt(server)).toEqual([EHLO, 'QUIT'])
  })

  test.each<TlsMode>(['required', 'verified'])(
    'ends a session for which TLS is %s, with QUIT',
    async (mode) => {
      const server = await tlsServer({ offers: [] })
      const refusal = await refusalOf(server, { tls: mode })
      expect(refusal).toMatchObject({ stage: 'starttls', reply: null, isTlsBroken: false })
      expect(refusal.cause).toBeInstanceOf(TlsError)
      expect(refusal.cause).toMatchObject({ kind: 'unavailable' })
      expect(await commandsAt(server)).toEqual([EHLO, 'QUIT'])
    },
  )
})

describe('a broken handshake says that clear text might work', () => {
  test.each<[string, Answers['STARTTLS']]>([
    [
      'garbage instead of a ServerHello',
      async (client) => {
        await client.reply('220 go')
        await client.something()
        await client.send('this is no TLS record, whatever else it may be\r\n')
        await client.untilGone()
      },
    ],
    [
      'the connection closed',
      async (client) => {
        await client.reply('220 go')
        await client.something()
        client.close()
      },
    ],
    [
      'the connection reset',
      async (client) => {
        await client.reply('220 go')
        await client.something()
        client.reset()
      },
    ],
    [
      'closed right behind the 220',
      async (client) => {
        await client.reply('220 go')
        client.close()
      },
    ],
    [
      'silence',
      async (client) => {
        await client.reply('220 go')
        await client.untilGone()
      },
    ],
  ])('%s', async (_how, STARTTLS) => {
    const server = await tlsServer(STARTTLS === undefined ? {} : { STARTTLS })
    const refusal = await refusalOf(server, { timeouts: { startTlsMs: 200 } })
    expect(refusal).toMatchObject({ stage: 'starttls', reply: null, isTlsBroken: true })
    await server.settled()
    expect(server.conversation.ending).not.toBe('open')
  })

  test('a version below what is allowed (RFC 8996)', async () => {
    const old = tls.createSecureContext({ ...kinds.trusted, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
    const server = await tlsServer({ secureContext: old })
    const tlsClient = new TlsClient({ minVersion: 'TLSv1.3' })
    const refusal = await refusalOf(server, { tlsClient })
    expect(refusal).toMatchObject({ stage: 'starttls', isTlsBroken: true })
    expect(refusal.cause).toMatchObject({ kind: 'handshake' })
  })

  test('a connection that is lost before the first word under TLS, as TLS 1.3 refuses', async () => {
    const server = await tlsServer({
      EHLO: (client) =>
        client.commands.includes('STARTTLS') ? client.reset() : client.reply(...ehloReply(['STARTTLS'])),
    })
    const refusal = await refusalOf(server)
    expect(refusal).toMatchObject({ stage: 'ehlo', reply: null, isTlsBroken: true })
    expect(refusal.cause).toBeInstanceOf(ConnectionLostError)
  })

  test('but not where the peer has spoken under TLS: its refusal is its own', async () => {
    const answers = [ehloReply(['STARTTLS']), ['550 5.7.1 not you']]
    const server = await tlsServer({ EHLO: (client) => client.reply(...(answers.shift() ?? [])) })
    expect(await refusalOf(server)).toMatchObject({ stage: 'ehlo', reply: { code: 550 }, isTlsBroken: false })
    expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', EHLO, 'QUIT'])
  })

  test('nor before STARTTLS was said', async () => {
    const server = await tlsServer({ EHLO: (client) => client.close() })
    expect(await refusalOf(server)).toMatchObject({ stage: 'ehlo', isTlsBroken: false })
  })
})

describe('a certificate that is not verified', () => {
  const bad = [
    ['self-signed', 'self-signed certificate'],
    ['wrong-name', 'the certificate names another host'],
    ['expired', 'the certificate has expired'],
  ] as const

  test.each(bad)('because it is %s encrypts all the same, and the verdict says why', async (kind, reason) => {
    for (const mode of ['opportunistic', 'required'] as const) {
      const server = await tlsServer({ secureContext: tls.createSecureContext(kinds[kind]) })
      const session = await open(server, { tls: mode, tlsClient: trusting() })
      expect(session.tls).toMatchObject({ verified: false, reason })
      await session.quit()
      expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', EHLO, 'QUIT'])
    }
  })

  test.each(bad)(
    'because it is %s ends a session that has to be verified, with QUIT',
    async (kind, reason) => {
      const server = await tlsServer({ secureContext: tls.createSecureContext(kinds[kind]) })
      const refusal = await refusalOf(server, { tls: 'verified', tlsClient: trusting() })
      expect(refusal).toMatchObject({
        stage: 'starttls',
        reply: null,
        isTlsBroken: false,
        message: `certificate not accepted: ${reason}`,
        cause: { kind: 'certificate' },
      })
      expect(await commandsAt(server)).toEqual([EHLO, 'STARTTLS', 'QUIT'])
    },
  )

  test('because its authority is unknown is told apart from a self-signed one', async () => {
    const session = await open(await tlsServer(), { tlsClient: new TlsClient() })
    expect(session.tls).toMatchObject({ verified: false, reason: 'the chain lacks an issuer' })
    await session.quit()
  })

  test('is refused although it was good for another exchanger', async () => {
    const server = await tlsServer()
    const refusal = await refusalOf(server, {
      tls: 'verified',
      tlsClient: trusting(),
      host: 'mx2.example.test',
    })
    expect(refusal).toMatchObject({ stage: 'starttls', cause: { kind: 'certificate' } })
  })
})

test('a verified certificate opens a session that has to be verified', async () => {
  const session = await open(await tlsServer(), { tls: 'verified', tlsClient: trusting() })
  expect(session.tls).toMatchObject({ verified: true, reason: null })
  await session.quit()
})

test('whoever follows the dialogue sees what protects it', async () => {
  const lines: string[] = []
  const session = await open(await tlsServer(), {
    tlsClient: trusting(),
    trace: (_, text) => lines.push(text),
  })
  await session.quit()
  expect(lines.find((line) => line.startsWith('[TLS'))).toMatch(/^\[TLS TLSv1\.3 TLS_\w+, verified\]$/)
})
