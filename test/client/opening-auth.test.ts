import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { Login } from '../../src/client/authenticate.ts'
import type { SessionOpenError } from '../../src/client/session-open-error.ts'
import { TlsClient } from '../../src/client/tls.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { AuthError, RemoteProtocolError, type TlsError } from '../../src/smtp/errors.ts'
import { saslMechanisms } from '../../src/smtp/sasl/mechanism.ts'
import { saslServer } from '../support/sasl-server.ts'
import { scripted } from '../support/scripted.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import { HOST, type OpenOptions, open, refusalOf } from './open.ts'

const { ca, kinds } = makeCertificates([HOST])
const secureContext = tls.createSecureContext(kinds.trusted)

const known = { user: 'me@example.test', password: 'pen cil=ü\u{1F512}' }

const login = (options: Partial<Login> = {}): Login => ({
  user: known.user,
  readSecret: async () => known.password,
  mechanisms: saslMechanisms.filter((name) => name !== 'XOAUTH2'),
  allowPlaintextAuth: false,
  ...options,
})

/** Over STARTTLS with a trusted certificate, unless said otherwise. */
const secure: OpenOptions = { tls: 'verified', tlsClient: new TlsClient({ ca: [ca] }), login: login() }

async function relayWith(answers: Answers): Promise<ScriptedServer> {
  return scripted(ordinary({ secureContext, ...answers }))
}

/** A relay that offers these mechanisms. */
async function relay(offers: string, more: Answers = {}, refused: readonly string[] = []) {
  const sasl = saslServer(known, refused)
  const server = await relayWith({ offers: ['STARTTLS', offers], AUTH: sasl.AUTH, ...more })
  return { server, sasl }
}

describe('AUTH', () => {
  test.each([
    ['AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256', 'SCRAM-SHA-256'],
    ['AUTH LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1', 'CRAM-MD5'],
    ['AUTH LOGIN PLAIN XOAUTH2', 'PLAIN'],
    ['AUTH LOGIN', 'LOGIN'],
    ['AUTH=LOGIN', 'LOGIN'],
  ])('of %s the strongest is taken', async (offers, mechanism) => {
    const { server, sasl } = await relay(offers)
    const session = await open(server, secure)
    await session.quit()
    expect(sasl).toMatchObject({ tried: [mechanism], accepted: [mechanism] })
  })

  test('XOAUTH2 logs in with a token, and a refusal is heard to its end', async () => {
    const { server, sasl } = await relay('AUTH PLAIN XOAUTH2')
    const token = { ...secure, login: login({ mechanisms: ['XOAUTH2'] }) }
    await (await open(server, token)).quit()
    expect(sasl.accepted).toEqual(['XOAUTH2'])
    const stale = login({ mechanisms: ['XOAUTH2'], readSecret: async () => 'stale' })
    const refusal = await refusalOf(server, { ...secure, login: stale })
    expect([refusal.stage, refusal.reply?.code]).toEqual(['auth', 535])
  })

  test('a token that is too long for a command line is sent when the server has asked for it (RFC 4954 §4)', async () => {
    const long = { user: known.user, password: 'x'.repeat(2000) }
    const sasl = saslServer(long)
    const server = await relayWith({ offers: ['STARTTLS', 'AUTH XOAUTH2'], AUTH: sasl.AUTH })
    const token = login({ mechanisms: ['XOAUTH2'], readSecret: async () => long.password })
    await (await open(server, { ...secure, login: token })).quit()
    expect(sasl.accepted).toEqual(['XOAUTH2'])
    expect(server.conversation.commands).toContain('AUTH XOAUTH2')
  })

  test.each([['AUTH SCRAM-SHA-256'], ['AUTH CRAM-MD5'], ['AUTH PLAIN'], ['AUTH LOGIN']])(
    '%s: a wrong password is refused with 535, no other mechanism is tried, and the session ends with QUIT',
    async (offers) => {
      const { server, sasl } = await relay(`${offers} LOGIN`)
      const wrong = login({ readSecret: async () => 'wrong' })
      const refusal = await refusalOf(server, { ...secure, login: wrong })
      expect([refusal.stage, refusal.reply?.code]).toEqual(['auth', 535])
      await server.settled()
      expect(sasl.tried).toHaveLength(1)
      expect(server.conversation.commands.at(-1)).toBe('QUIT')
    },
  )

  test('a mechanism that is offered and then not known gives way to the next (504)', async () => {
    const { server, sasl } = await relay('AUTH SCRAM-SHA-256 CRAM-MD5 PLAIN', {}, [
      'SCRAM-SHA-256',
      'CRAM-MD5',
    ])
    await (await open(server, secure)).quit()
    expect(sasl.tried).toEqual(['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN'])
  })

  test.each([
    ['ninth\u2168', 'AUTH SCRAM-SHA-256 CRAM-MD5 PLAIN', ['CRAM-MD5']],
    ['e\u0301', 'AUTH SCRAM-SHA-256 PLAIN', ['PLAIN']],
    ['e\u0301', 'AUTH SCRAM-SHA-256', ['SCRAM-SHA-256']],
    ['bell\u0007', 'AUTH SCRAM-SHA-256 PLAIN', ['SCRAM-SHA-256']],
    ['\u05e9abc1', 'AUTH SCRAM-SHA-256 PLAIN', ['SCRAM-SHA-256']],
  ])('the password %j, at %s, is tried by %j (RFC 4013)', async (password, offers, expected) => {
    // It does not prepare, as Cyrus SASL does not.
    const sasl = saslServer({ ...known, password })
    const server = await relayWith({ offers: ['STARTTLS', offers], AUTH: sasl.AUTH })
    const right = { ...secure, login: login({ readSecret: async () => password }) }
    await open(server, right).then(
      (session) => session.quit(),
      () => {},
    )
    expect(sasl.tried).toEqual(expected)
    // Where it is the only one there is, the standard counts.
    expect(sasl.accepted).toEqual(password === 'e\u0301' && !offers.includes('PLAIN') ? [] : expected)
  })

  test('in clear a password that SASLprep changes is not shown for that', async () => {
    const password = 'e\u0301'
    const sasl = saslServer({ ...known, password })
    const server = await scripted(ordinary({ offers: ['AUTH SCRAM-SHA-256 PLAIN'], AUTH: sasl.AUTH }))
    const right = login({ readSecret: async () => password, allowPlaintextAuth: true })
    await refusalOf(server, { tls: 'off', login: right })
    expect(sasl.tried).toEqual(['SCRAM-SHA-256'])
  })

  test('only the mechanisms that the login allows are used', async () => {
    const { server, sasl } = await relay('AUTH SCRAM-SHA-256 PLAIN LOGIN')
    await (await open(server, { ...secure, login: login({ mechanisms: ['LOGIN'] }) })).quit()
    expect(sasl.tried).toEqual(['LOGIN'])
  })

  test.each([
    [['STARTTLS', 'AUTH DIGEST-MD5 GSSAPI'], 'the server offers AUTH DIGEST-MD5 GSSAPI, and we may use'],
    [['STARTTLS'], 'the server does not offer AUTH, and we are to log in'],
  ])('a server that offers %j is left: nothing to log in with', async (offers, message) => {
    const server = await relayWith({ offers })
    const refusal = await refusalOf(server, secure)
    expect(refusal.stage).toBe('auth')
    expect(refusal.cause).toBeInstanceOf(AuthError)
    expect((refusal.cause as AuthError).kind).toBe('unavailable')
    expect(refusal.message).toContain(message)
  })

  test('what was offered before TLS does not count after it (RFC 3207 §4.2)', async () => {
    let times = 0
    const sasl = saslServer(known)
    const server = await relayWith({
      EHLO: (client) =>
        client.reply(
          '250-mx.example.test',
          ...(times++ === 0 ? ['250-STARTTLS', '250 AUTH PLAIN'] : ['250 AUTH LOGIN']),
        ),
      AUTH: sasl.AUTH,
    })
    await (await open(server, secure)).quit()
    expect(sasl.tried).toEqual(['LOGIN'])
  })

  test('a password that cannot be read is no reason to say anything, and the message says why', async () => {
    const { server, sasl } = await relay('AUTH PLAIN')
    const readSecret = async () => {
      throw new Error('Cannot read the password in the file relay.secret: ENOENT')
    }
    const refusal = await refusalOf(server, { ...secure, login: login({ readSecret }) })
    expect((refusal.cause as AuthError).kind).toBe('secret')
    expect(refusal.message).toBe('Cannot read the password in the file relay.secret: ENOENT')
    expect(sasl.tried).toEqual([])
  })
})

test('a password that never comes is not waited for without end', async () => {
  const { server, sasl } = await relay('AUTH PLAIN')
  const readSecret = () => new Promise<string>(() => {})
  const refusal = await refusalOf(server, {
    ...secure,
    timeouts: { ehloMs: 50 },
    login: login({ readSecret }),
  })
  expect((refusal.cause as AuthError).kind).toBe('secret')
  expect(refusal.message).toBe('no password was given within 50 ms')
  expect(sasl.tried).toEqual([])
})

describe('without TLS', () => {
  const clear: OpenOptions = { tls: 'off', login: login() }

  test('a password is not shown: PLAIN and LOGIN are as good as not offered', async () => {
    const { server, sasl } = await relay('AUTH PLAIN LOGIN')
    const refusal = await refusalOf(server, clear)
    expect((refusal.cause as AuthError).kind).toBe('plaintext')
    expect(refusal.message).toContain('allowPlaintextAuth')
    expect(sasl.tried).toEqual([])
  })

  test('mechanisms that do not show it may be used', async () => {
    const { server, sasl } = await relay('AUTH PLAIN CRAM-MD5')
    await (await open(server, clear)).quit()
    expect(sasl.accepted).toEqual(['CRAM-MD5'])
  })

  test('a password is shown where that was allowed', async () => {
    const { server, sasl } = await relay('AUTH PLAIN LOGIN')
    await (await open(server, { ...clear, login: login({ allowPlaintextAuth: true }) })).quit()
    expect(sasl.accepted).toEqual(['PLAIN'])
  })

  test('a server whose TLS is opportunistic and not offered sees no password either', async () => {
    const sasl = saslServer(known)
    const server = await relayWith({ offers: ['AUTH PLAIN'], AUTH: sasl.AUTH })
    const refusal = await refusalOf(server, { tls: 'opportunistic', login: login() })
    expect((refusal.cause as AuthError).kind).toBe('plaintext')
    expect(sasl.tried).toEqual([])
  })
})

describe('implicit TLS (RFC 8314 §3.3)', () => {
  const implicit: OpenOptions = { ...secure, isTlsImplicit: true }

  test('comes before the greeting, and nothing is said of STARTTLS', async () => {
    const { server, sasl } = await relay('AUTH PLAIN', { isTlsImplicit: true })
    const session = await open(server, implicit)
    expect(session.tls).toMatchObject({ verified: true })
    await session.quit()
    expect(sasl.accepted).toEqual(['PLAIN'])
    expect(server.conversation.serverName).toBe(HOST)
    expect(server.conversation.commands.slice(0, 2)).toEqual([
      'EHLO client.example.test',
      expect.stringMatching(/^AUTH PLAIN /),
    ])
  })

  test.each(['expired', 'self-signed', 'wrong-name'] as const)(
    'a certificate that is not verified (%s) sees no password',
    async (kind) => {
      const context = tls.createSecureContext(kinds[kind])
      const { server, sasl } = await relay('AUTH PLAIN', { isTlsImplicit: true, secureContext: context })
      const refusal = await refusalOf(server, implicit)
      expect(refusal.stage).toBe('starttls')
      expect((refusal.cause as TlsError).kind).toBe('certificate')
      expect(sasl.tried).toEqual([])
    },
  )

  test('a server that speaks in clear there is no server', async () => {
    const { server } = await relay('AUTH PLAIN')
    const refusal = await refusalOf(server, implicit)
    expect(refusal.stage).toBe('starttls')
    expect((refusal.cause as TlsError).kind).toBe('handshake')
    expect(refusal.isTlsBroken).toBe(false)
  })
})

describe('what was said in confidence', () => {
  const said = async (options: OpenOptions, server: ScriptedServer): Promise<string> => {
    const lines: string[] = []
    const trace = (_: string, text: string): number => lines.push(text)
    const outcome = await open(server, { ...options, trace }).catch((error: SessionOpenError) => error)
    if ('quit' in outcome) await outcome.quit()
    else
      lines.push(
        outcome.message,
        String((outcome.cause as Error | undefined)?.message),
        JSON.stringify(outcome.reply),
      )
    return lines.join('\n')
  }
  const traces = (password: string): readonly string[] => [
    password,
    Buffer.from(password).toString('base64'),
    Buffer.from(`\0${known.user}\0${password}`).toString('base64'),
  ]
  const expectHidden = (text: string, password: string): void => {
    for (const trace of traces(password)) {
      expect(text).not.toContain(trace)
      // A beginning tells most of it.
      expect(text).not.toContain(trace.slice(0, 12))
    }
  }

  test.each(['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'])(
    'is not in the dialogue (%s)',
    async (mechanism) => {
      const { server } = await relay(`AUTH ${mechanism}`)
      const text = await said(secure, server)
      expect(text).toContain('[hidden]')
      expect(text).toContain('235 2.7.0 authentication successful')
      expectHidden(text, known.password)
    },
  )

  test('may begin with the words of the question for it', async () => {
    const sasl = saslServer({ user: known.user, password: 'Password:1' })
    const server = await relayWith({ offers: ['STARTTLS', 'AUTH LOGIN'], AUTH: sasl.AUTH })
    await (await open(server, { ...secure, login: login({ readSecret: async () => 'Password:1' }) })).quit()
    expect(sasl.accepted).toEqual(['LOGIN'])
  })

  const repeating: readonly (readonly [string, (command: string) => string])[] = [
    ['as it is', (command) => `500 5.5.2 unrecognized: ${command}`],
    ['in capitals', (command) => `500 5.5.2 unrecognized: ${command.toUpperCase()}`],
    ['in part', (command) => `500 5.5.2 unrecognized: "${command.slice(0, 40)}..."`],
    ['as what it means', () => '535 5.7.8 wrong password for me: hunter2hunter2'],
    ['as no reply at all', (command) => `what is ${command.slice(11, 60)}`],
  ]

  test.each(repeating)('is not in a reply that repeats it %s', async (_, reply) => {
    const password = 'hunter2hunter2'
    const server = await relayWith({
      offers: ['STARTTLS', 'AUTH PLAIN'],
      AUTH: (client, command) => client.reply(reply(command)),
    })
    const text = await said({ ...secure, login: login({ readSecret: async () => password }) }, server)
    expectHidden(text, password)
  })
})

describe('a hostile relay', () => {
  const hostile = async (AUTH: Answers['AUTH'], offers = 'AUTH SCRAM-SHA-256'): Promise<SessionOpenError> => {
    const server = await relayWith({ offers: ['STARTTLS', offers], ...(AUTH === undefined ? {} : { AUTH }) })
    return refusalOf(server, secure)
  }

  test('that says yes before it has proved to know the password is not believed (RFC 5802 §3)', async () => {
    const refusal = await hostile((client) => client.reply('235 2.7.0 welcome'))
    expect(refusal.stage).toBe('auth')
    expect(refusal.cause).toBeInstanceOf(RemoteProtocolError)
  })

  test('that claims to know the password and cannot prove it is not believed, whatever it says then', async () => {
    const answer = (final: string | null) => async (client: Conversation, command: string) => {
      const first = Buffer.from(command.split(' ')[2] ?? '', 'base64').toString()
      const nonce = first.split('r=')[1] ?? ''
      await client.reply(
        `334 ${Buffer.from(`r=${nonce}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`).toString('base64')}`,
      )
      await client.command()
      if (final !== null) {
        await client.reply(`334 ${Buffer.from(final).toString('base64')}`)
        await client.command()
      }
      await client.reply('235 2.7.0 welcome')
    }
    const wrong = `v=${Buffer.alloc(32, 7).toString('base64')}`
    for (const final of [null, wrong, 'v=', 'e=other-error', `${wrong.slice(0, 20)}`, '']) {
      const refusal = await hostile(answer(final))
      expect([refusal.stage, refusal.cause]).toEqual(['auth', expect.any(RemoteProtocolError)])
    }
  })

  test.each([
    ['fewer iterations than are safe', (nonce: string) => `r=${nonce}more,s=c2FsdA==,i=1`],
    ['more iterations than we have time for', (nonce: string) => `r=${nonce}more,s=c2FsdA==,i=9999999999`],
    ['our own nonce back', (nonce: string) => `r=${nonce},s=c2FsdA==,i=4096`],
    ['a nonce of its own', () => 'r=another,s=c2FsdA==,i=4096'],
    ['an extension that must be understood', (nonce: string) => `m=x,r=${nonce}more,s=c2FsdA==,i=4096`],
    ['octets above 127', (nonce: string) => `r=${nonce}\xff\xfe,s=c2FsdA==,i=4096`],
  ])('that gives %s hears no proof', async (_, challenge) => {
    const heard: string[] = []
    const refusal = await hostile(async (client, command) => {
      const first = Buffer.from(command.split(' ')[2] ?? '', 'base64').toString()
      const text = challenge(first.split('r=')[1] ?? '')
      await client.reply(`334 ${Buffer.from(text, 'latin1').toString('base64')}`)
      heard.push(await client.command())
    })
    expect([refusal.stage, refusal.cause]).toEqual(['auth', expect.any(RemoteProtocolError)])
    expect(heard).toEqual([])
  })

  test('whose challenge is huge is left', async () => {
    const line = '334-'.concat('QUJD'.repeat(1000))
    const refusal = await hostile((client) => client.reply(...Array(2000).fill(line)), 'AUTH CRAM-MD5')
    expect(refusal.cause).toBeInstanceOf(RemoteProtocolError)
  })

  test('that never ends asking is left', async () => {
    const refusal = await hostile(async (client) => {
      for (;;) {
        await client.reply('334 ')
        await client.command()
      }
    }, 'AUTH XOAUTH2 LOGIN')
    expect(refusal.cause).toBeInstanceOf(RemoteProtocolError)
  })

  test('whose challenge is no base64 is left', async () => {
    const refusal = await hostile((client) => client.reply('334 <not base64>'), 'AUTH CRAM-MD5')
    expect(refusal.message).toBe('expected a challenge in base64 (RFC 4954 §4)')
  })

  test('that says more than was asked is left before its second word can count', async () => {
    const refusal = await hostile(
      (client) => client.reply('235 2.7.0 welcome', '250 2.0.0 and your MAIL is fine'),
      'AUTH PLAIN',
    )
    expect(refusal.stage).toBe('auth')
    expect(refusal.cause).toBeInstanceOf(RemoteProtocolError)
  })
})
