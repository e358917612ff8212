import { Socket } from 'node:net'
import tls from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { messageFromBytes } from '../../src/mail/message.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { HOST, opened } from './open.ts'
import { contentOf, endedBy, smallContent, smallMessage, smallStuffed, transact } from './transactions.ts'

const secureContext = tls.createSecureContext(makeCertificates([HOST]).kinds.trusted)

/** Writes of the client from now on, each one system call: Node makes all of a socket's in this one method. */
function writesTo({ port }: ScriptedServer): () => number {
  const write = vi.spyOn(Socket.prototype as Socket & { _writeGeneric(): void }, '_writeGeneric')
  onTestFinished(() => write.mockRestore())
  return () => write.mock.contexts.filter((socket) => (socket as Socket).remotePort === port).length
}

const BDAT = ['PIPELINING', 'CHUNKING']
const DATA = ['PIPELINING']
const NONE: readonly string[] = []

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

  test('in a session that has idled, the envelope goes first: the peer may be closing it', async () => {
    const { session, heard } = await opened({ offers: BDAT })
    await transact(session)
    session.usedAt = performance.now() - 5_000
    const before = heard.roundTrips
    expect(await transact(session)).toMatchObject(endedBy('end-of-data', 250))
    expect(heard.roundTrips - before).toBe(2)
    expect(await transact(session)).toMatchObject(endedBy('end-of-data', 250))
    expect(heard.roundTrips - before).toBe(3)
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
