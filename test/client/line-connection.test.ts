/** The connection under a dialogue led by hand: whatever a peer says comes out as lines, bounded, and its end is told once. */
import { expect, onTestFinished, test } from 'vitest'
import { LineConnection, MAX_LINE_OCTETS, type PeerLine } from '../../src/client/line-connection.ts'
import type { SmtpError } from '../../src/smtp/errors.ts'
import { scripted } from '../support/scripted.ts'
import type { Fragmentation } from '../support/scripted-conversation.ts'
import type { Script } from '../support/scripted-server.ts'
import { dialServer } from './open.ts'

/** A connection to a server with this script; `ended` resolves with every end that was told. */
async function listen(script: Script, fragmentation: Fragmentation = 'whole') {
  const server = await scripted(script, { fragmentation })
  const lines: PeerLine[] = []
  const ends: (SmtpError | null)[] = []
  const ended = Promise.withResolvers<void>()
  const heard = Promise.withResolvers<void>()
  const connection = new LineConnection(await dialServer(server), {
    onLine: (line) => {
      lines.push(line)
      heard.resolve()
    },
    onEnd: (error) => {
      ends.push(error)
      ended.resolve()
    },
  })
  onTestFinished(() => connection.destroy())
  return { server, connection, lines, ends, ended: ended.promise, heard: heard.promise }
}

const line = (text: string, rest: Partial<PeerLine> = {}): PeerLine => ({
  text,
  isCut: false,
  isBare: false,
  ...rest,
})

test.each<[string, Fragmentation]>([
  ['whole', 'whole'],
  ['octet by octet', 'octets'],
  ['cut between CR and LF', { cutAt: 4 }],
])('lines come out as they went in, %s', async (_how, fragmentation) => {
  const { lines, ended } = await listen(async (client) => {
    await client.send('220\r\nSSH-2.0 \x1b[31m\n\r\nGrüße\r\r\n')
    client.close()
  }, fragmentation)
  await ended
  expect(lines).toEqual([line('220'), line('SSH-2.0 \x1b[31m', { isBare: true }), line(''), line('Grüße\r')])
})

test.each([0, 1, 1000])(
  'a line longer than is told whole by %i octets is cut, and so it is said',
  async (surplus) => {
    const { lines, ended } = await listen(async (client) => {
      await client.send(`${'x'.repeat(MAX_LINE_OCTETS + surplus)}\r\n220 next\r\n`)
      client.close()
    })
    await ended
    expect(lines).toEqual([line('x'.repeat(MAX_LINE_OCTETS), { isCut: surplus > 0 }), line('220 next')])
  },
)

test('a line without an end is bounded too, and can be asked for', async () => {
  const { connection, lines, ended } = await listen(async (client) => {
    await client.send('y'.repeat(100_000))
    client.close()
  })
  await ended
  expect(lines).toEqual([])
  expect(connection.unfinished.length).toBeLessThan(MAX_LINE_OCTETS + 2)
})

test('the end is told once, and how: in order, or broken', async () => {
  const orderly = await listen(async (client) => {
    await client.reply('220 hi')
    client.close()
  })
  await orderly.ended
  await orderly.connection.end()
  orderly.connection.destroy()
  expect(orderly.ends).toEqual([null])
  const broken = await listen(async (client) => {
    await client.reply('220 hi')
    await client.something()
    client.reset()
  })
  await broken.heard
  await broken.connection.write('NOOP\r\n')
  await broken.ended
  expect(broken.ends).toEqual([expect.objectContaining({ code: 'ERR_SMTP_CONNECTION_LOST' })])
  // Nothing is written, and nothing waits.
  await broken.connection.write('more\r\n')
})
