import { connect as connectSocket, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type Script, ScriptedServer, type ScriptedServerOptions } from './scripted-server.ts'
import { ordinary, silence } from './scripted-steps.ts'

async function serverWith(script: Script, options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(script, options)
  onTestFinished(() => server.close().catch(() => {}))
  return server
}

interface Client {
  readonly socket: Socket
  readonly pieces: string[]
  readonly ended: Promise<string>
}

function clientOf(server: ScriptedServer): Client {
  const socket = connectSocket({ host: server.address, port: server.port, noDelay: true })
  const pieces: string[] = []
  socket.on('data', (octets: Buffer) => pieces.push(octets.toString()))
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.on('close', () => resolve('closed'))
  })
  return { socket, pieces, ended }
}

test('octets are sent one by one', async () => {
  const server = await serverWith([{ reply: '220 hi' }, (client) => client.close()], {
    fragmentation: 'octets',
  })
  const { pieces, ended } = clientOf(server)
  await ended
  expect(pieces).toEqual([...'220 hi\r\n'])
})

test('octets are cut at an offset counted over all replies', async () => {
  const server = await serverWith(
    [{ reply: '220 hi' }, { expect: 'A' }, { reply: ['250-one', '250 two'] }, (client) => client.close()],
    { fragmentation: { cutAt: 12 } },
  )
  const { socket, pieces, ended } = clientOf(server)
  socket.write('A\r\n')
  await ended
  expect(pieces.join('')).toBe('220 hi\r\n250-one\r\n250 two\r\n')
  expect(pieces).toContain('one\r\n250 two\r\n')
})

test('what the client sends between two answers is one flight, however it arrives', async () => {
  const server = await serverWith([
    { expect: 'A' },
    { expect: 'B' },
    { reply: '250 both' },
    { expect: 'C' },
    (client) => client.close(),
  ])
  const { socket, ended } = clientOf(server)
  socket.write('A\r\nB\r')
  socket.once('connect', () => setImmediate(() => setImmediate(() => socket.write('\n'))))
  socket.once('data', () => socket.write('C\r\n'))
  await ended
  expect(server.conversation).toMatchObject({ flights: ['A\r\nB\r\n', 'C\r\n'], commands: ['A', 'B', 'C'] })
})

test('content ends with a lone dot, or after as many octets as were announced', async () => {
  const server = await serverWith(async (client) => {
    await client.dataContent()
    await client.dataContent()
    await client.octets(4)
    await client.command()
    client.close()
  })
  const { socket, ended } = clientOf(server)
  socket.write('a\r\n..\r\n.\r\n.\r\n\r\n.\nX\r\n')
  await ended
  expect(server.conversation.contents.map(String)).toEqual(['a\r\n..\r\n', '', '\r\n.\n'])
  expect(server.conversation.commands).toEqual(['X'])
})

test('a connection can be reset', async () => {
  const server = await serverWith([{ expect: 'A' }, (client) => client.reset()])
  const { socket, ended } = clientOf(server)
  socket.write('A\r\n')
  expect(await ended).toBe('ECONNRESET')
})

test('a client that leaves ends the script without a complaint, in order or not', async () => {
  const server = await serverWith([silence])
  const first = clientOf(server)
  first.socket.once('connect', () => first.socket.end())
  await first.ended
  await server.settled()
  const second = clientOf(server)
  second.socket.once('connect', () => second.socket.resetAndDestroy())
  await second.ended
  await server.settled()
  expect(server.conversations.map(({ ending }) => ending)).toEqual(['ended', 'broken'])
  await server.close()
})

test('a disappointed script fails the test at the end', async () => {
  const server = await serverWith([{ expect: 'EHLO me' }])
  const { socket, ended } = clientOf(server)
  socket.write('HELO me\r\n')
  await ended
  await expect(server.close()).rejects.toThrow('the script expected EHLO me, the client said HELO me')
})

test('an ordinary server takes a message by DATA and by BDAT', async () => {
  const server = await serverWith(ordinary({ RCPT: '251 2.1.5 will forward' }))
  const { socket, pieces, ended } = clientOf(server)
  socket.write(
    'EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\nx\r\n.\r\nBDAT 2 LAST\r\nyyRSET\r\nNOOP\r\nQUIT\r\n',
  )
  await ended
  expect(pieces.join('').match(/^\d{3}/gm)).toEqual([
    '220',
    '250',
    '250',
    '251',
    '354',
    '250',
    '250',
    '250',
    '500',
    '221',
  ])
  expect(server.conversation.contents.map(String)).toEqual(['x\r\n', 'yy'])
})
