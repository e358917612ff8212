import { expect, test } from 'vitest'
import { type RawClient, start } from './client.ts'

// What some server or other has taken for the end of a message (CVE-2023-51764, -51765, -51766).
const lookalikes: readonly (readonly [name: string, octets: string])[] = [
  ['LF dot LF', '\n.\n'],
  ['LF dot CRLF', '\n.\r\n'],
  ['CRLF dot LF', '\r\n.\n'],
  ['CR dot CR', '\r.\r'],
  ['CR dot CRLF', '\r.\r\n'],
  ['CRLF dot CR', '\r\n.\r'],
  ['LF dot CR', '\n.\r'],
  ['CR dot LF', '\r.\n'],
  ['CRLF CR dot CRLF', '\r\n\r.\r\n'],
  ['LF LF dot CRLF', '\n\n.\r\n'],
]

const head = 'From: alice@sender.test\r\nSubject: first\r\n\r\nfirst'
const second =
  'MAIL FROM:<evil@evil.test>\r\nRCPT TO:<victim@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n'

const writeInPieces = async (client: RawClient, content: string, cut: number) => {
  client.write(content.slice(0, cut))
  await new Promise(setImmediate)
  client.write(content.slice(cut))
}

test.each(lookalikes)(
  '%s does not end a message, and leaves as a line of text (RFC 5321 §4.1.1.4)',
  async (_name, octets) => {
    await using server = await start()
    const client = await server.greeted()
    expect(await client.send(`${head}${octets}${second}`)).toBe('250 2.0.0 Ok: queued as Q1')
    expect(await client.command('NOOP')).toBe('250 2.0.0 OK')
    const [only, ...others] = server.accepted
    expect(others).toEqual([])
    expect(only?.mail.envelope.recipients.map(({ address }) => address.localPart)).toEqual(['bob'])
    expect(only?.content).toMatch(/\r\n\r\nfirst(?:\r\n)+\.\r\nMAIL FROM:<evil@evil\.test>\r\n/)
    expect(only?.content).not.toMatch(/\r(?!\n)|(?<!\r)\n/)
  },
)

test('no cut of the octets on their way makes another end of a message', async () => {
  await using server = await start()
  const client = await server.greeted()
  const content = `${head}\n.\n${second}`
  const from = head.length - 2
  for (let cut = from; cut < from + 8; cut += 1) {
    await client.begin()
    await writeInPieces(client, content, cut)
    expect(await client.reply()).toBe(`250 2.0.0 Ok: queued as Q${server.accepted.length}`)
  }
  expect(server.accepted.map(({ mail }) => mail.envelope.recipients.length)).toEqual(new Array(8).fill(1))
  expect(new Set(server.accepted.map(({ content }) => content.slice(content.indexOf('\r\n\r\n')))).size).toBe(
    1,
  )
})

test('dots at the start of lines are the same wherever the octets are cut (RFC 5321 §4.5.2)', async () => {
  await using server = await start()
  const client = await server.greeted()
  const wire = 'From: a@b.test\r\n\r\n..\r\n...\r\n..a\r\nb.\r\n..\r\n.\r\n'
  const body = '.\r\n..\r\n.a\r\nb.\r\n.\r\n'
  for (let cut = 1; cut < wire.length; cut += 1) {
    await client.begin()
    await writeInPieces(client, wire, cut)
    await client.reply()
  }
  for (const { content } of server.accepted) expect(content.slice(content.indexOf('\r\n\r\n') + 4)).toBe(body)
  expect(server.accepted).toHaveLength(wire.length - 1)
})

test('a message that begins with a dot line arrives whole', async () => {
  await using server = await start()
  const client = await server.greeted()
  await client.begin()
  for (const octet of '..\r\n.\r\n') {
    client.write(octet)
    await new Promise(setImmediate)
  }
  expect(await client.reply()).toBe('250 2.0.0 Ok: queued as Q1')
  expect(server.accepted[0]?.content.endsWith('\r\n\r\n.\r\n')).toBe(true)
})

test('bare LF line ends become CRLF', async () => {
  await using server = await start()
  const client = await server.greeted()
  await client.send('From: a@b.test\nSubject: unix\n\none\ntwo\n\r\n.\r\n')
  expect(server.accepted[0]?.content).toMatch(/Subject: unix\r\n\r\none\r\ntwo\r\n/)
})

test('a NUL in the body is encoded away, one in the header is refused', async () => {
  await using server = await start()
  const client = await server.greeted()
  expect(await client.send('From: a@b.test\r\n\r\nnul:\0\r\n\0.\r\n.\r\n')).toBe('250 2.0.0 Ok: queued as Q1')
  expect(server.accepted[0]?.content).not.toContain('\0')
  expect(await client.send('From: a@b.test\r\nSubject: nul \0\r\n\r\n\r\n.\r\n')).toBe(
    '554 5.6.0 line 2: the subject field holds a NUL octet',
  )
  expect(server.accepted).toHaveLength(1)
})

test.each([
  ['NUL', 'MAIL FROM:<a@b.test>\0'],
  ['bare CR', 'MAIL FROM:<a@b.test>\rRCPT TO:<c@d.test>'],
])('a %s in a command is refused (RFC 5321 §2.3.8)', async (_name, line) => {
  await using server = await start()
  const client = await server.greeted()
  expect(await client.command(line)).toBe('500 5.5.2 NUL or bare CR in a command')
  expect(await client.command('RCPT TO:<c@d.test>')).toMatch(/^503 /)
})

test('a whole session in one write is answered in order (RFC 2920 §3.1)', async () => {
  await using server = await start()
  const client = await server.dial()
  await client.reply()
  const transaction =
    'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@f.test>\r\nDATA\r\nFrom: a@b.test\r\n\r\nx\r\n.\r\n'
  client.write(`EHLO client.test\r\n${transaction}${transaction}QUIT\r\n`)
  const codes = (await client.replies(12)).map((reply) => reply.slice(0, 3))
  expect(codes).toEqual(['250', '250', '250', '250', '354', '250', '250', '250', '250', '354', '250', '221'])
  expect(server.accepted).toHaveLength(2)
})
