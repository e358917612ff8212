import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test, vi } from 'vitest'
import { certificates, start } from './client.ts'

const message = 'From: a@sender.test\r\n\r\nhello\r\n'

test('a stop ends idle clients and those within an envelope with 421 (RFC 5321 §3.8)', async () => {
  await using server = await start()
  const [idle, begun] = [await server.greeted(), await server.greeted()]
  await begun.command('MAIL FROM:<a@b.test>')
  await server.submission.close()
  expect(await idle.rest()).toBe('421 4.3.2 going down, try again later\r\n')
  expect(await begun.rest()).toBe('421 4.3.2 going down, try again later\r\n')
  await expect(server.dial()).rejects.toThrow('ECONNREFUSED')
})

test('a stop lets a message past DATA finish, then says 421', async () => {
  const asked = Promise.withResolvers<void>()
  const durable = Promise.withResolvers<void>()
  await using server = await start({
    accept: async () => {
      asked.resolve()
      await durable.promise
      return { queueId: 'Q9' }
    },
  })
  const client = await server.greeted()
  await client.begin()
  client.write(message)
  const closed = server.submission.close()
  client.write('.\r\nMAIL FROM:<a@b.test>\r\n')
  await asked.promise
  durable.resolve()
  expect(await client.reply()).toBe('250 2.0.0 Ok: queued as Q9')
  expect(await client.reply()).toBe('421 4.3.2 going down, try again later')
  expect(await client.rest()).toBe('')
  await closed
})

test('a stop does not wait longer than it is given', async () => {
  await using server = await start({ accept: () => new Promise(() => {}) })
  const client = await server.greeted()
  await client.begin()
  client.write(`${message}.\r\n`)
  await server.submission.close({ graceMs: 10 })
  expect(await client.rest()).toBe('')
})

test('a stop in the middle of a handshake harms nobody', async () => {
  await using server = await start({
    isLoopback: () => false,
    tls: certificates.kinds.trusted,
    authenticator: { authenticate: async () => 'x' },
  })
  const client = await server.greeted()
  expect(await client.command('STARTTLS')).toMatch(/^220 /)
  await server.submission.close()
  expect(await client.rest()).toBe('')
})

test('a stop does not wait for clients that have said QUIT and do not hang up', async () => {
  // smtp-server's own time for them, 5 s, never ends; ours are those of node:timers/promises.
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    await using server = await start()
    const port = Number(server.submission.addresses[0]?.split(':')[1])
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).resume()
    socket.write('QUIT\r\n')
    await once(socket, 'end')
    await server.submission.close({ graceMs: 10 })
    socket.destroy()
  } finally {
    vi.useRealTimers()
  }
})

test('a start that fails leaves nothing listening', async () => {
  await using other = await start()
  const taken = other.submission.addresses[0] ?? ''
  await expect(start({ listen: ['127.0.0.1:0', taken] })).rejects.toThrow('EADDRINUSE')
})
