import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Connection } from '../../src/client/connection.ts'
import { ConnectionLostError, RemoteProtocolError, TimeoutError } from '../../src/smtp/errors.ts'
import { scripted } from '../support/scripted.ts'
import { silence } from '../support/scripted-steps.ts'
import { connect, dialServer } from './open.ts'

/** Long enough for any machine; a test that waits for it fails. */
const LONG_MS = 60_000
/** For what has to run out. */
const SHORT_MS = 150

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  )

describe('a reply', () => {
  test.each(['whole', 'octets'] as const)(
    'is read once it is there as a whole (%s)',
    async (fragmentation) => {
      const server = await scripted([{ reply: ['220-mx', '220 ready'] }, { reply: '250 next' }, silence], {
        fragmentation,
      })
      const connection = await connect(server)
      expect(await connection.readReply('greeting', LONG_MS)).toEqual({
        code: 220,
        status: null,
        lines: ['mx', 'ready'],
      })
      expect((await connection.readReply('next', LONG_MS)).lines).toEqual(['next'])
      connection.destroy(new Error('done'))
    },
  )

  test('that arrived before it is asked for waits', async () => {
    const server = await scripted([{ reply: '220 a' }, { reply: '421 b' }, silence])
    const connection = await connect(server)
    expect(connection.hasReply).toBe(false)
    await connection.readReply('greeting', LONG_MS)
    if (!connection.hasReply) await connection.drained('nothing', LONG_MS)
    const reply = connection.takeReply() ?? (await connection.readReply('next', LONG_MS))
    expect(reply.code).toBe(421)
    expect(connection.takeReply()).toBeNull()
    connection.destroy(new Error('done'))
  })

  test('that has begun without being asked for is noticed', async () => {
    const server = await scripted([
      { reply: '220 a' },
      (client) => client.send('42'),
      { expect: 'X' },
      (client) => client.send('1 b\r\n'),
      silence,
    ])
    const connection = await connect(server)
    await connection.readReply('greeting', LONG_MS)
    while (!connection.hasUnasked) await new Promise((resolve) => setImmediate(resolve))
    expect([connection.hasReply, connection.peekReply()]).toEqual([false, null])
    connection.write('X\r\n')
    while (!connection.hasReply) await new Promise((resolve) => setImmediate(resolve))
    expect([connection.hasUnasked, connection.peekReply()?.code]).toEqual([true, 421])
    connection.destroy(new Error('done'))
  })
})

describe('a time limit', () => {
  test('ends the wait for a peer that says nothing, with the step and the limit', async () => {
    const connection = await connect(await scripted([silence]))
    const error = await errorOf(connection.readReply('greeting', SHORT_MS))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ limitMs: SHORT_MS, message: `no end of greeting within ${SHORT_MS} ms` })
    expect(connection.failure).toBe(error)
  })

  test('is absolute: a peer that drips octets is cut off like one that says nothing', async () => {
    const server = await scripted(async (client) => {
      await client.send('220-')
      // Never idle for as long as the limit, and never at the end of a line.
      const drip = setInterval(() => client.send('x'), SHORT_MS / 15)
      await client.untilGone()
      clearInterval(drip)
    })
    const connection = await connect(server)
    expect(await errorOf(connection.readReply('greeting', SHORT_MS))).toBeInstanceOf(TimeoutError)
  })

  test('is absolute: a peer that drips lines is cut off too', async () => {
    const server = await scripted(async (client) => {
      const drip = setInterval(() => client.send('220-x\r\n'), SHORT_MS / 15)
      await client.untilGone()
      clearInterval(drip)
    })
    const connection = await connect(server)
    expect(await errorOf(connection.readReply('greeting', SHORT_MS))).toBeInstanceOf(TimeoutError)
  })

  test('runs out for a peer that takes no more octets', async () => {
    const server = await scripted([(client) => client.stopReading(), silence])
    const connection = await connect(server)
    const block = Buffer.alloc(1024 * 1024)
    while (connection.write(block)) await new Promise((resolve) => setImmediate(resolve))
    expect(connection.isDrained).toBe(false)
    const error = await errorOf(connection.drained('content', SHORT_MS))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ message: `no end of content within ${SHORT_MS} ms` })
  })

  test('that was met does not end a later silence', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const server = await scripted([{ reply: '220 a' }, { expect: 'X' }, { reply: '250 b' }, silence])
    const connection = await connect(server)
    await connection.readReply('greeting', LONG_MS)
    vi.advanceTimersByTime(2 * LONG_MS)
    expect(connection.failure).toBeNull()
    connection.write('X\r\n')
    expect((await connection.readReply('X', LONG_MS)).code).toBe(250)
    connection.destroy(new Error('done'))
  })
})

describe('a connection fails once', () => {
  test('when the peer closes it, and a reply that came before is still read', async () => {
    const connection = await connect(await scripted([{ reply: '421 bye' }, (client) => client.close()]))
    while (connection.failure === null) await new Promise((resolve) => setImmediate(resolve))
    expect((await connection.readReply('greeting', LONG_MS)).code).toBe(421)
    const error = await errorOf(connection.readReply('next', LONG_MS))
    expect(error).toBeInstanceOf(ConnectionLostError)
    expect(connection.failure).toBe(error)
  })

  test('when the peer closes it in the middle of a reply', async () => {
    const connection = await connect(
      await scripted([(client) => client.send('220-half\r\n220 ha'), (client) => client.close()]),
    )
    expect(await errorOf(connection.readReply('greeting', LONG_MS))).toBeInstanceOf(ConnectionLostError)
  })

  test('when the peer resets it', async () => {
    const connection = await connect(await scripted([{ expect: 'X' }, (client) => client.reset()]))
    connection.write('X\r\n')
    const error = await errorOf(connection.readReply('X', LONG_MS))
    expect(error).toBeInstanceOf(ConnectionLostError)
    expect((error as Error).message).toBe('the connection broke: ECONNRESET')
  })

  test('when the peer sends what is no reply', async () => {
    const connection = await connect(
      await scripted([(client) => client.send('HTTP/1.1 400 Bad\r\n'), silence]),
    )
    expect(await errorOf(connection.readReply('greeting', LONG_MS))).toBeInstanceOf(RemoteProtocolError)
  })

  test('when the peer sends what is no reply behind one that is, and that one is still read', async () => {
    const connection = await connect(
      await scripted([(client) => client.send('550 no\r\ngarbage\r\n'), silence]),
    )
    expect((await connection.readReply('greeting', LONG_MS)).code).toBe(550)
    expect(await errorOf(connection.readReply('next', LONG_MS))).toBeInstanceOf(RemoteProtocolError)
  })

  test('when the peer sends replies without end', async () => {
    const connection = await connect(
      await scripted([(client) => client.send('250 ok\r\n'.repeat(1000)), silence]),
    )
    while (connection.failure === null) await new Promise((resolve) => setImmediate(resolve))
    expect(connection.failure).toBeInstanceOf(RemoteProtocolError)
  })

  test('and every later call gets the first failure, whatever happens to the socket then', async () => {
    const plain = await dialServer(await scripted([silence]))
    const { socket, reader } = plain
    const connection = new Connection(plain)
    const waiting = errorOf(connection.readReply('greeting', LONG_MS))
    const reason = new Error('given up')
    connection.destroy(reason)
    connection.destroy(new Error('again'))
    socket.emit('error', new Error('late'))
    reader.onOctets(Buffer.from('220 late\r\n'))
    reader.onOctets(Buffer.from('garbage\r\n'))
    expect(await waiting).toBe(reason)
    expect(await errorOf(connection.readReply('next', LONG_MS))).toBe(reason)
    expect([connection.failure, connection.hasReply, socket.destroyed]).toEqual([reason, false, true])
  })

  test('and nothing is written any more', async () => {
    const connection = await connect(await scripted([silence]))
    const reason = new Error('given up')
    connection.destroy(reason)
    expect(() => connection.write('X\r\n')).toThrow(reason)
    expect(() => connection.writeTogether('X\r\n', Buffer.alloc(1))).toThrow(reason)
    expect(await errorOf(connection.drained('content', LONG_MS))).toBe(reason)
  })
})

describe('writing', () => {
  test('a head and its content arrive as one piece', async () => {
    const server = await scripted([{ expect: 'HEAD' }, { expect: 'content' }, { reply: '250 ok' }, silence])
    const connection = await connect(server)
    connection.writeTogether('HEAD\r\n', Buffer.from('content\r\n'))
    await connection.readReply('end', LONG_MS)
    expect(server.conversation).toMatchObject({ arrivals: 1, flights: ['HEAD\r\ncontent\r\n'] })
    connection.destroy(new Error('done'))
  })

  test('goes on when the peer reads on', async () => {
    const server = await scripted([
      { reply: '220 a' },
      (client) => client.stopReading(),
      { reply: '220 b' },
      async (client) => {
        while (!isFull) await new Promise((resolve) => setImmediate(resolve))
        client.resumeReading()
      },
      silence,
    ])
    let isFull = false
    const connection = await connect(server)
    await connection.readReply('a', LONG_MS)
    await connection.readReply('b', LONG_MS)
    while (connection.write(Buffer.alloc(1024 * 1024))) await new Promise((resolve) => setImmediate(resolve))
    isFull = true
    await connection.drained('content', LONG_MS)
    expect(connection.failure).toBeNull()
    connection.destroy(new Error('done'))
  })

  test('is interrupted by a reply', async () => {
    const server = await scripted([
      (client) => client.stopReading(),
      async (client) => {
        while (!isFull) await new Promise((resolve) => setImmediate(resolve))
        await client.reply('552 5.3.4 too much')
      },
      silence,
    ])
    let isFull = false
    const connection = await connect(server)
    while (connection.write(Buffer.alloc(1024 * 1024))) await new Promise((resolve) => setImmediate(resolve))
    isFull = true
    await connection.drained('content', LONG_MS)
    expect(connection.takeReply()?.code).toBe(552)
    connection.destroy(new Error('done'))
  })
})

test('an end in order is a FIN behind what was written', async () => {
  const server = await scripted([{ expect: 'QUIT' }, silence])
  const connection = await connect(server)
  connection.write('QUIT\r\n')
  connection.end()
  await server.settled()
  expect(server.conversation).toMatchObject({ commands: ['QUIT'], ending: 'ended' })
  expect(connection.failure).toBeInstanceOf(ConnectionLostError)
})

test('whoever follows the dialogue sees every line of a reply as it came', async () => {
  const lines: string[] = []
  const server = await scripted([{ reply: ['250-2.0.0 a', '250-2.0.0 b', '250 2.0.0'] }, silence])
  const connection = await connect(server, (direction, text) => lines.push(`${direction} ${text}`))
  await connection.readReply('greeting', LONG_MS)
  expect(lines).toEqual(['server 250-2.0.0 a', 'server 250-2.0.0 b', 'server 250 2.0.0'])
  connection.destroy(new Error('done'))
})
