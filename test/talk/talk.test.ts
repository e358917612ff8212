/** Dialogues led by hand and by script, with servers that do as they are told and with others. */
import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import { TlsClient } from '../../src/client/tls.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { TimeoutError, TlsError } from '../../src/smtp/errors.ts'
import { TalkInputError, UnexpectedReplyError } from '../../src/talk/errors.ts'
import { HOST } from '../client/open.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ehloReply, ordinary, silence } from '../support/scripted-steps.ts'
import { talkTo } from './talking.ts'

const { ca, kinds } = makeCertificates([HOST])
const secureContext = tls.createSecureContext(kinds.trusted)
const envelope = ['EHLO me.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>']

test('lines go out as they are, and each reply is told with its command and its time', async () => {
  const { say, events, server, talk } = await talkTo(ordinary({ offers: ['SIZE 10'] }))
  await say('ehlo  me.test ', 'MAIL FROM:<ä@b.test>', '# a comment', '', 'QUIT')
  await talk.finish()
  await server.settled()
  expect(server.conversation.commands).toEqual(['ehlo  me.test ', 'MAIL FROM:<ä@b.test>', 'QUIT'])
  expect(
    events
      .filter((event) => event.kind === 'heard')
      .map(({ command, reply, durationMs }) => [command, reply?.code ?? null, typeof durationMs]),
  ).toEqual([
    ['greeting', 220, 'number'],
    ['EHLO', null, 'object'],
    ['EHLO', 250, 'number'],
    ['MAIL', 250, 'number'],
    ['QUIT', 221, 'number'],
  ])
  expect(events.at(-1)).toMatchObject({ kind: 'ended', reason: null })
})

test('a command without an end is not repeated in messages', async () => {
  const { say } = await talkTo(ordinary())
  await say('x'.repeat(10_000))
  await expect(say('NOOP')).rejects.toThrow(/^expected 2xx or 3xx to X{40}…, found 500/)
})

describe('content', () => {
  const server = () => ordinary()

  test('follows 354 up to the lone dot; dots that begin a line are doubled (RFC 5321 §4.5.2)', async () => {
    const { say, server: at, talk } = await talkTo(server())
    await say(...envelope, 'DATA', 'Subject: x', '', '.hidden', '..', ':help', '# no comment', '.')
    expect(talk.mode).toBe('command')
    await talk.finish()
    await at.settled()
    expect(at.conversation.contents.map(String)).toEqual([
      'Subject: x\r\n\r\n..hidden\r\n...\r\n:help\r\n# no comment\r\n',
    ])
  })

  test('goes out as it is where that is asked for', async () => {
    const { say, server: at, talk } = await talkTo(server(), { isRaw: true, files: { 'a.eml': 'x\n.y' } })
    await say(...envelope, 'DATA', '.hidden', '.', ...envelope.slice(1), ':data a.eml')
    await talk.finish()
    await at.settled()
    expect(at.conversation.contents.map(String)).toEqual(['.hidden\r\n', 'x\n.y\r\n'])
  })

  test('comes from a file: by :data with CRLF and dots doubled, by :bdat with CRLF (RFC 3030)', async () => {
    const files = { 'a.eml': 'Subject: x\n\n.y' }
    const { say, server: at, lines, talk } = await talkTo(ordinary({ offers: ['CHUNKING'] }), { files })
    await say(
      ...envelope,
      ':data a.eml',
      ':expect 250',
      ...envelope.slice(1),
      ':bdat a.eml',
      ':expect 250 taken',
    )
    await talk.finish()
    await at.settled()
    expect(at.conversation.contents.map(String)).toEqual([
      'Subject: x\r\n\r\n..y\r\n',
      'Subject: x\r\n\r\n.y',
    ])
    expect(lines()).toContain('C: BDAT 16 LAST')
  })

  test('does not begin where DATA is refused, which may be what is expected', async () => {
    const { say, talk, server: at } = await talkTo(ordinary({ DATA: '554 5.5.1 no' }), { files: { f: 'x' } })
    await say(...envelope, 'DATA', ':expect 554', 'RSET', ':data f', ':expect 5xx', 'QUIT')
    await talk.finish()
    await at.settled()
    expect(at.conversation.commands).toEqual([...envelope, 'DATA', 'RSET', 'DATA', 'QUIT'])
    expect(at.conversation.contents).toEqual([])
  })

  test('may have its 354 expected', async () => {
    const { say, talk } = await talkTo(server())
    await say(...envelope, 'DATA', ':expect 354', ':expect this is content', '.', ':expect 250', 'QUIT')
    await talk.finish()
  })

  test('that has no end is never delivered', async () => {
    const { say, talk, server: at } = await talkTo(server())
    await say(...envelope, 'DATA', 'half a mess')
    await expect(talk.finish()).rejects.toThrow(TalkInputError)
    await at.settled()
    expect(at.conversation.contents).toEqual([])
    expect(talk.isOver).toBe(true)
  })
})

describe('a script', () => {
  test('ends at a reply that is not good, when nobody expected it', async () => {
    const { say, talk, server } = await talkTo(ordinary({ RCPT: '550 5.1.1 no such mailbox' }))
    await say(...envelope)
    const error = await talk.take('DATA').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnexpectedReplyError)
    expect(error).toMatchObject({
      replyCode: 550,
      message: 'expected 2xx or 3xx to RCPT, found 550 5.1.1 no such mailbox',
    })
    await talk.finish()
    await server.settled()
    expect(server.conversation.commands).toEqual([...envelope, 'QUIT'])
  })

  test.each([
    [':expect 550', null],
    [':expect 5xx', null],
    [':expect 450|550', null],
    [':expect any', null],
    [':expect 550 NO SUCH', null],
    [':expect 250', 'expected 250 to RCPT, found 550 5.1.1 no such mailbox'],
    [':expect 550 5.1.2', 'expected 550 5.1.2 to RCPT, found 550 5.1.1 no such mailbox'],
  ])('judges by %s', async (expectation, message) => {
    const { say, talk } = await talkTo(ordinary({ RCPT: '550 5.1.1 no such mailbox' }))
    await say(...envelope)
    const found = await talk.take(expectation).then(
      () => null,
      (error: Error) => error.message,
    )
    expect(found).toBe(message)
  })

  test('judges the last reply too, and the greeting', async () => {
    const last = await talkTo(ordinary({ RCPT: '450 later' }))
    await last.say(...envelope)
    await expect(last.talk.finish()).rejects.toMatchObject({ replyCode: 450 })
    const first = await talkTo(ordinary({ greeting: '554 not you' }))
    await expect(first.say('EHLO me.test')).rejects.toThrow(
      'expected 2xx or 3xx as greeting, found 554 not you',
    )
  })

  test('says several commands at once with :send, and each reply finds its own command', async () => {
    const { say, talk, server, lines } = await talkTo(ordinary({ RCPT: '550 no' }))
    await say('EHLO me.test', ':send MAIL FROM:<>\\r\\nRCPT TO:<c@d.test>\\r\\nDATA\\r', ':send \\n')
    await say(':expect 250', ':expect 550', ':expect 354', 'x', '.', ':expect 250', 'QUIT')
    await talk.finish()
    await server.settled()
    expect(server.conversation.contents.map(String)).toEqual(['x\r\n'])
    expect(lines().slice(3, 8)).toEqual([
      'C: MAIL FROM:<>\r\nRCPT TO:<c@d.test>\r\nDATA\r',
      'C: \n',
      'S: 250 2.0.0 ok',
      'S: 550 no',
      'S: 354 go ahead',
    ])
  })

  test('waits at its end for what nobody has waited for, and judges it', async () => {
    const refused = await talkTo(ordinary())
    await refused.say('EHLO me.test', ':send NOOP\\r\\nXYZZY\\r\\n', ':expect 500')
    await expect(refused.talk.finish()).rejects.toThrow(
      'expected 2xx or 3xx to XYZZY, found 500 5.5.2 unknown command',
    )
    const lost = await talkTo(async (client) => {
      await client.reply('220 hi')
      await client.command()
      client.close()
    })
    await lost.say(':send NOOP\\r\\n')
    await expect(lost.talk.finish()).rejects.toThrow('the peer closed the connection')
  })

  test('inside content hears what the server says meanwhile', async () => {
    const { say, talk } = await talkTo(
      ordinary({
        DATA: async (client) => {
          await client.reply('354 go ahead')
          await client.command()
          await client.reply('421 4.3.2 going down')
          client.close()
        },
      }),
    )
    await say(...envelope, 'DATA', 'x')
    await talk.over
    await expect(say('y')).rejects.toThrow('found 421 4.3.2 going down')
  })

  test('sends any octets with :send', async () => {
    const { say, server, talk } = await talkTo(async (client) => {
      await client.reply('220 hi')
      expect(await client.octets(7)).toEqual(Buffer.from([97, 0, 255, 92, 9, 0xc3, 0xbc]))
      client.close()
    })
    await say(':send a\\0\\xff\\\\\\tü')
    await talk.over
    await server.settled()
  })

  test('that ends while the peer has gone fails, unless that was expected', async () => {
    const closing = async (client: Conversation) => {
      await client.reply('220 hi')
      await client.command()
      await client.reply('250 bye')
      client.close()
    }
    const expected = await talkTo(closing)
    await expected.say('NOOP', ':expect 250', ':expect close')
    await expected.talk.finish()
    const surprised = await talkTo(closing)
    await surprised.say('NOOP')
    await surprised.talk.over
    await expect(surprised.say('NOOP')).rejects.toThrow('the peer closed the connection')
    await expect(surprised.talk.finish()).rejects.toThrow('the peer closed the connection')
  })

  test('breaks off without QUIT by :drop, and waits by :wait', async () => {
    const { say, talk, server } = await talkTo(ordinary())
    await say(':wait 1ms', 'EHLO me.test', ':drop')
    await talk.finish()
    await server.settled()
    expect(server.conversation.commands).toEqual(['EHLO me.test'])
  })
})

test('by hand, nothing is judged but what is asked', async () => {
  const { say, talk } = await talkTo(ordinary({ MAIL: '550 no', RCPT: '503 no' }), { isStrict: false })
  await say(...envelope)
  await expect(say(':expect 250')).rejects.toThrow('expected 250 to RCPT, found 503 no')
  await say('RSET')
  await talk.finish()
})

describe('STARTTLS', () => {
  test('is followed by the handshake; what the certificate says is told (RFC 3207)', async () => {
    const tlsClient = new TlsClient({ ca: [ca], inspects: true })
    const { say, events, talk, server } = await talkTo(ordinary({ offers: ['STARTTLS'], secureContext }), {
      tlsClient,
    })
    await say('EHLO me.test', 'starttls', 'EHLO me.test')
    await talk.finish()
    expect(events.find((event) => event.kind === 'encrypted')).toMatchObject({
      tls: { protocol: 'TLSv1.3', verified: true, certificate: { names: [HOST] } },
      discardedOctets: 0,
    })
    expect(server.conversation.serverName).toBe(HOST)
  })

  test('that is refused leaves the session in clear', async () => {
    const { say, talk, events } = await talkTo(ordinary({ STARTTLS: '454 4.7.0 not now' }))
    await say('EHLO me.test', 'STARTTLS', ':expect 454', 'NOOP', ':expect any')
    await talk.finish()
    expect(events.some((event) => event.kind === 'encrypted')).toBe(false)
  })

  test('throws away what came in clear behind the 220, and says so (CVE-2011-0411)', async () => {
    const { events, say, lines } = await talkTo(
      ordinary({
        STARTTLS: async (client) => {
          await client.send('220 go\r\n250 injected\r\n')
          await client.startTls(secureContext)
        },
      }),
    )
    await say('STARTTLS', 'EHLO me.test')
    expect(events.find((event) => event.kind === 'encrypted')).toMatchObject({ discardedOctets: 14 })
    expect(lines()).not.toContain('S: 250 injected')
  })

  test('that breaks ends the dialogue', async () => {
    const { say, talk } = await talkTo(
      ordinary({
        STARTTLS: async (client) => {
          await client.reply('220 go')
          await client.something()
          await client.reply('this is no TLS')
        },
      }),
    )
    await expect(say('STARTTLS')).rejects.toBeInstanceOf(TlsError)
    expect(talk.isOver).toBe(true)
  })

  test('from the first octet (RFC 8314 §3.3)', async () => {
    const { lines, talk } = await talkTo(
      async (client) => {
        await client.startTls(secureContext)
        await ordinary()(client)
      },
      { implicitTls: true },
    )
    await talk.finish()
    expect(lines()).toEqual(['S: 220 mx.example.test ESMTP', 'C: QUIT', 'S: 221 2.0.0 bye'])
  })
})

test('nothing of AUTH is told but its method, however it is said (RFC 4954)', async () => {
  const { say, lines, talk, server } = await talkTo(async (client) => {
    await client.reply('220 hi')
    for (const reply of [
      '334 VXNlcm5hbWU6',
      '334 UGFzc3dvcmQ6',
      '235 in',
      '535 no',
      '334 ',
      '501 given up',
      '334 ',
      '535 no',
      '221 bye',
    ]) {
      await client.command()
      await client.reply(reply)
    }
    client.close()
  })
  await say('AUTH LOGIN', 'dXNlcg==', ':expect 334', 'c2VjcmV0', ':expect 235')
  await say('auth plain AGEAc2VjcmV0', ':expect 535', 'AUTH PLAIN', '*', ':expect 501')
  await say(':send AUTH PLAIN\\r\\nc2VjcmV0\\r\\n', ':expect 334', ':expect 535')
  await talk.finish()
  await server.settled()
  expect(server.conversation.commands).toContain('c2VjcmV0')
  expect(lines().join('\n')).not.toMatch(/dXNlcg|c2VjcmV0/)
  expect(lines()).toEqual(
    expect.arrayContaining(['C: AUTH LOGIN', 'C: [hidden]', 'C: auth plain [hidden]', 'C: *']),
  )
})

describe('a peer that', () => {
  test('says nothing is waited for no longer than was said', async () => {
    await expect(talkTo(silence, { timeoutMs: 20 })).rejects.toBeInstanceOf(TimeoutError)
  })

  test('is late is still heard, with the command it answers', async () => {
    const late = Promise.withResolvers<void>()
    const { say, events, talk } = await talkTo(
      async (client) => {
        await client.reply('220 hi')
        await client.command()
        await client.command()
        await late.promise
        await client.reply('250 first')
        await client.reply('251 second')
        await client.untilGone()
      },
      { isStrict: false, timeoutMs: 1_500 },
    )
    await expect(say('NOOP one')).rejects.toBeInstanceOf(TimeoutError)
    const second = say('VRFY two').catch(() => {})
    late.resolve()
    await second
    await expect
      .poll(() =>
        events.filter((event) => event.kind === 'heard').map(({ command, reply }) => [command, reply?.code]),
      )
      .toEqual([
        ['greeting', 220],
        ['NOOP', 250],
        ['VRFY', 251],
      ])
    talk.drop()
  })

  test('reads no more is waited for no longer than was said, and left', async () => {
    const content = 'x'.repeat(20_000_000)
    const { say, talk } = await talkTo(
      ordinary({
        DATA: async (client) => {
          client.stopReading()
          await client.reply('354 go ahead')
          await client.untilGone()
        },
      }),
      { files: { large: content }, timeoutMs: 1_000 },
    )
    await say(...envelope)
    await expect(say(':data large')).rejects.toBeInstanceOf(TimeoutError)
    await talk.leave()
    expect(talk.isOver).toBe(true)
  })

  test('refuses before it has read everything is heard', async () => {
    const { say, talk } = await talkTo(
      ordinary({
        DATA: async (client) => {
          await client.reply('354 go ahead')
          await client.something()
          client.stopReading()
          await client.reply('552 5.3.4 too large')
          await client.untilGone()
        },
      }),
      { files: { large: 'x'.repeat(20_000_000) } },
    )
    await say(...envelope, ':data large', ':expect 552')
    talk.drop()
  })

  test('floods is cut off', async () => {
    const { talk, events } = await talkTo(async (client) => {
      await client.reply('220 hi')
      await client.send('250-more\r\n'.repeat(5000))
      await client.untilGone()
    })
    await talk.over
    expect(events.at(-1)).toMatchObject({ kind: 'ended', reason: expect.stringContaining('a flood') })
    expect(events.length).toBeLessThan(1100)
  })

  test('speaks something else is shown as it is, and is no good to a script', async () => {
    const { say, lines } = await talkTo(async (client) => {
      await client.reply('SSH-2.0-OpenSSH')
      await client.untilGone()
    })
    expect(lines()).toEqual(['S: SSH-2.0-OpenSSH'])
    await expect(say('EHLO x')).rejects.toThrow(
      'expected 2xx or 3xx as greeting, found what is no reply: SSH-2.0-OpenSSH',
    )
  })

  test('ends in the middle of a line has that shown', async () => {
    const { talk, events } = await talkTo(async (client) => {
      await client.reply('220 hi')
      await client.send('421 going d')
      client.close()
    })
    await talk.over
    expect(events.slice(-2)).toMatchObject([
      { kind: 'noted', text: 'the last line has no end: 421 going d' },
      { kind: 'ended', reason: 'the peer closed the connection' },
    ])
  })

  test('says one thing more is heard, and its word is judged in order', async () => {
    const { say, events } = await talkTo(ordinary({ MAIL: ['250 ok', '421 busy'], EHLO: ehloReply([]) }))
    await say('EHLO x', 'MAIL FROM:<>', ':expect 250', ':expect 421')
    expect(events.findLast((event) => event.kind === 'heard')).toMatchObject({
      command: null,
      durationMs: null,
    })
  })
})
