import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { QueueFullError, QueueUnwritableError } from '../../src/queue/errors.ts'
import { certificates, type RawClient, start } from './client.ts'

const message = 'From: a@sender.test\r\n\r\nhello\r\n'

test('a message over the size limit is refused at MAIL, and at its end (RFC 1870 §6)', async () => {
  await using server = await start({ maxSize: 1000 })
  const client = await server.greeted()
  expect(await client.command('MAIL FROM:<a@b.test> SIZE=1001')).toBe('552 5.3.4 message too big')
  expect(await client.send(`${message}${'x'.repeat(998)}\r\n.\r\n`)).toBe('552 5.3.4 message too big')
  expect(await client.send(`${message}.\r\n`)).toBe('250 2.0.0 Ok: queued as Q1')
  expect(server.accepted).toHaveLength(1)
})

test('a message as large as the limit is taken', async () => {
  await using server = await start({ maxSize: 1000 })
  const client = await server.greeted()
  const exact = `${message}${'x'.repeat(998 - message.length)}\r\n`
  expect(exact).toHaveLength(1000)
  expect(await client.send(`${exact}.\r\n`)).toMatch(/^250 /)
  expect(await client.send(`x${exact}.\r\n`)).toMatch(/^552 /)
})

test('the recipient after the last possible one is refused for now (RFC 5321 §4.5.3.1.10)', async () => {
  await using server = await start({ maxRecipients: 100 })
  const client = await server.greeted()
  await client.command('MAIL FROM:<a@b.test>')
  client.write(Array.from({ length: 101 }, (_, index) => `RCPT TO:<r${index}@example.test>\r\n`).join(''))
  const replies = await client.replies(101)
  expect(new Set(replies.slice(0, 100))).toEqual(new Set(['250 2.1.5 Accepted']))
  expect(replies[100]).toBe('452 4.5.3 too many recipients, at most 100 in a transaction')
  await client.command('DATA')
  client.write(`${message}.\r\n`)
  expect(await client.reply()).toMatch(/^250 /)
  expect(server.accepted[0]?.mail.envelope.recipients).toHaveLength(100)
})

test('recipients too many do not end the session: those that were taken get the message (RFC 5321 §4.5.3.1.10)', async () => {
  await using server = await start({ maxRecipients: 100 })
  const client = await server.greeted()
  await client.command('MAIL FROM:<a@b.test>')
  client.write(Array.from({ length: 500 }, (_, index) => `RCPT TO:<r${index}@example.test>\r\n`).join(''))
  const replies = await client.replies(500)
  expect(replies.map((reply) => reply.slice(0, 3))).toEqual([
    ...new Array(100).fill('250'),
    ...new Array(400).fill('452'),
  ])
  expect(await client.command('DATA')).toMatch(/^354 /)
  client.write(`${message}.\r\n`)
  expect(await client.reply()).toMatch(/^250 /)
  expect(server.accepted[0]?.mail.envelope.recipients).toHaveLength(100)
})

test('connections over the limit are greeted with 421, all addresses together', async () => {
  await using server = await start({ listen: ['127.0.0.1:0', '127.0.0.1:0'], maxConnections: 2 })
  await server.greeted({ at: 0 })
  const second = await server.greeted({ at: 1 })
  const third = await server.dial({ at: 0 })
  expect(await third.reply()).toBe('421 mail.sender.test too many connections, try again later')
  expect(await third.rest()).toBe('')
  expect(await second.command('QUIT')).toMatch(/^221 /)
  await second.rest()
  const fourth = await server.greeted({ at: 1 })
  expect(await fourth.command('NOOP')).toMatch(/^250 /)
})

test('too many refused commands end the session, whatever kind they are', async () => {
  await using server = await start({ maxErrors: 3 })
  const client = await server.greeted()
  expect(await client.command('NONSENSE')).toMatch(/^500 /)
  expect(await client.command('RCPT TO:<a@b.test>')).toMatch(/^503 /)
  expect(await client.command('MAIL FROM:<a>')).toMatch(/^501 5\.1\.7 /)
  expect(await client.reply()).toBe('421 4.7.0 too many errors')
  client.write('MAIL FROM:<a@b.test>\r\n')
  expect(await client.rest()).toBe('')
})

test.each([
  ['a long one, cut', `RCPT TO:<${'a@'.repeat(100)}b.test>`],
  ['one beyond ASCII', 'RCPT TO:<bö@b@example.test>'],
])('a reply is ASCII although it quotes an address: %s (RFC 5321 §4.2)', async (_name, command) => {
  await using server = await start()
  const client = await server.greeted()
  await client.command('MAIL FROM:<a@b.test>')
  expect(await client.command(command)).toMatch(/^501 5\.1\.3 Malformed [ -~]+$/)
})

test('an over-long command line ends the session', async () => {
  await using server = await start()
  const client = await server.greeted()
  expect(await client.command(`MAIL FROM:<${'a'.repeat(3000)}@b.test>`)).toMatch(/^421 /)
  expect(await client.rest()).toBe('')
})

test('a client that says nothing is sent away', async () => {
  await using server = await start({ idleTimeoutMs: 20 })
  const client = await server.greeted()
  expect(await client.reply()).toMatch(/^421 4\.4\.2 /)
  expect(await client.rest()).toBe('')
})

/** Says an octet every few milliseconds until there is an answer. */
const drip = async (client: RawClient, octet = 'a') => {
  const tap = setInterval(() => client.write(octet), 5)
  try {
    return await client.reply()
  } finally {
    clearInterval(tap)
  }
}

test('a client that says a command octet by octet is sent away', async () => {
  await using server = await start({ idleTimeoutMs: 50 })
  const client = await server.greeted()
  expect(await drip(client)).toBe('421 4.4.2 too slow')
  expect(await client.rest()).toBe('')
})

test('a client that says its message octet by octet is sent away, and nothing is accepted', async () => {
  await using server = await start({ idleTimeoutMs: 50 })
  const client = await server.greeted()
  await client.begin()
  expect(await drip(client)).toBe('421 4.4.2 too slow')
  expect(await client.rest()).toBe('')
  expect(server.accepted).toEqual([])
})

test('a queue that takes long is not held against the client', async () => {
  const durable = Promise.withResolvers<void>()
  await using server = await start({
    idleTimeoutMs: 20,
    accept: async () => {
      await durable.promise
      return { queueId: 'Q1' }
    },
  })
  const [patient, idle] = [await server.greeted(), await server.greeted()]
  await patient.begin()
  patient.write(`${message}.\r\n`)
  expect(await idle.reply()).toMatch(/^421 /)
  const another = await server.dial()
  expect(await another.reply()).toMatch(/^220 /)
  expect(await another.reply()).toMatch(/^421 /)
  durable.resolve()
  expect(await patient.reply()).toBe('250 2.0.0 Ok: queued as Q1')
})

test('strangers leave room for the programs of this host', async () => {
  await using server = await start({
    listen: ['127.0.0.1:0', '127.0.0.2:0'],
    isLoopback: (ip) => ip === '127.0.0.1',
    tls: certificates.kinds.trusted,
    authenticator: { authenticate: async () => 'never' },
    maxConnections: 8,
  })
  const greeting = async (localAddress: string) => (await server.dial({ at: 1, localAddress })).reply()
  const hosts = ['127.0.0.3', '127.0.0.3', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']
  const greetings: string[] = []
  for (const host of hosts) greetings.push((await greeting(host)).slice(0, 3))
  expect(greetings).toEqual(['220', '220', '421', '220', '220', '421'])
  const own = await server.dial({ at: 0, localAddress: '127.0.0.1' })
  expect(await own.reply()).toMatch(/^220 /)
})

test('a stranger who does not log in is sent away, however busy he is', async () => {
  await using server = await start({
    isLoopback: () => false,
    tls: certificates.kinds.trusted,
    authenticator: { authenticate: async () => 'never' },
    loginTimeoutMs: 20,
  })
  const client = await server.greeted()
  expect(await client.reply()).toBe('421 4.7.0 no login in time')
})

test('no client waits for its greeting', async () => {
  await using server = await start()
  const greetings = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = await server.dial()
      client.write('QUIT\r\n')
      return await client.replies(2)
    }),
  )
  expect(greetings.flat().filter((reply) => reply.startsWith('421'))).toEqual([])
})

test.each([
  [
    'the queue is full',
    new QueueFullError('/queue', 'no space left'),
    '452 4.3.1 no room in the queue, try again later',
  ],
  [
    'the disk is full',
    Object.assign(new Error('ENOSPC: /queue'), { code: 'ENOSPC' }),
    '452 4.3.1 no room in the queue, try again later',
  ],
  [
    'the queue cannot be written',
    new QueueUnwritableError('/queue', 'EROFS'),
    '451 4.3.0 the queue cannot take mail just now, try again later',
  ],
  [
    'the queue has a defect',
    new TypeError('x is undefined'),
    '451 4.3.0 the queue cannot take mail just now, try again later',
  ],
])('where %s the client keeps the mail and the session', async (_name, error, reply) => {
  let isFull = true
  await using server = await start({
    accept: async () => {
      if (isFull) throw error
      return { queueId: 'later' }
    },
  })
  const client = await server.greeted()
  expect(await client.send(`${message}.\r\n`)).toBe(reply)
  isFull = false
  expect(await client.send(`${message}.\r\n`)).toBe('250 2.0.0 Ok: queued as later')
})

test('250 is said when the queue has the message, not before', async () => {
  const durable = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const order: string[] = []
  await using server = await start({
    accept: async () => {
      asked.resolve()
      await durable.promise
      order.push('durable')
      return { queueId: 'Q' }
    },
  })
  const client = await server.greeted()
  const reply = client.send(`${message}.\r\n`).then((text) => order.push(text))
  await asked.promise
  await new Promise(setImmediate)
  expect(order).toEqual([])
  durable.resolve()
  await reply
  expect(order).toEqual(['durable', '250 2.0.0 Ok: queued as Q'])
})

test.each([
  ['with QUIT', 'QUIT\r\n', 'Q1\n221 2.0.0 Bye'],
  ['without QUIT', '', 'Q1'],
])('who says all at once and closes his side is answered: %s', async (_name, quit, end) => {
  // As long as a disk takes: by then the end of what he says has been read.
  const accept = async () => {
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    return { queueId: 'Q1' }
  }
  await using server = await start({ accept })
  const socket = connect({
    host: '127.0.0.1',
    port: Number(server.submission.addresses[0]?.split(':')[1]),
    allowHalfOpen: true,
  })
  const said = text(socket)
  socket.end(`EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n${message}.\r\n${quit}`)
  expect((await said).trimEnd().replaceAll('\r\n', '\n')).toMatch(new RegExp(`queued as ${end}$`))
})

test('a message whose client closes his side before the final dot is not accepted', async () => {
  await using server = await start()
  const socket = connect({
    host: '127.0.0.1',
    port: Number(server.submission.addresses[0]?.split(':')[1]),
    allowHalfOpen: true,
  })
  const said = text(socket)
  socket.end(`EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n${message}.`)
  expect(await said).toMatch(/\r\n354 [^\r]*\r\n$/)
  expect(server.accepted).toEqual([])
})

test('a client that closes his side in the middle of a handshake is not kept', async () => {
  await using server = await start({
    isLoopback: () => false,
    tls: certificates.kinds.trusted,
    authenticator: { authenticate: async () => 'never' },
  })
  const port = Number(server.submission.addresses[0]?.split(':')[1])
  const socket = connect({ host: '127.0.0.1', port }).setEncoding('latin1')
  const ready = new Promise<void>((resolve) => {
    socket.on('data', (said) => {
      if (String(said).includes('Ready to start TLS')) resolve()
    })
  })
  socket.write('EHLO x\r\nSTARTTLS\r\n')
  await ready
  socket.end(Buffer.from('1603010200010001fc0303', 'hex'))
  await once(socket, 'close')
})

test('a message whose client leaves before the final dot is not accepted', async () => {
  await using server = await start()
  const client = await server.greeted()
  await client.begin()
  client.write(message)
  client[Symbol.dispose]()
  await client.rest()
  const other = await server.greeted()
  expect(await other.send(`${message}.\r\n`)).toBe('250 2.0.0 Ok: queued as Q1')
})

test('a refused MAIL leaves nothing behind for the next (RFC 6531, RFC 3461)', async () => {
  await using server = await start()
  const client = await server.greeted()
  expect(await client.command('MAIL FROM:<a> SMTPUTF8 RET=FULL ENVID=x')).toMatch(/^501 /)
  expect(await client.command('MAIL FROM:<a@b.test>')).toMatch(/^250 /)
  expect(await client.command('RCPT TO:<jörg@b.test>')).toMatch(/^553 5\.6\.7 /)
  expect(await client.command('RCPT TO:<bob@b.test>')).toMatch(/^250 /)
  await client.command('DATA')
  client.write(`${message}.\r\n`)
  await client.reply()
  expect(server.accepted[0]?.mail.envelope).toEqual({
    reversePath: { localPart: 'a', domain: 'b.test' },
    recipients: [{ address: { localPart: 'bob', domain: 'b.test' }, field: 'to' }],
  })
})

test('recipients do not outlive RSET, EHLO or a message', async () => {
  await using server = await start()
  const client = await server.greeted()
  for (const end of ['RSET', 'EHLO client.test']) {
    await client.command('MAIL FROM:<a@b.test>')
    await client.command('RCPT TO:<ghost@b.test>')
    expect(await client.command(end)).toMatch(/^250/)
  }
  await client.send(`${message}.\r\n`)
  await client.send(`${message}.\r\n`)
  const names = server.accepted.map(({ mail }) =>
    mail.envelope.recipients.map(({ address }) => address.localPart),
  )
  expect(names).toEqual([['bob'], ['bob']])
})
