import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode, type Packet } from 'dns-packet'
import { afterEach, expect, test } from 'vitest'
import { queryServer } from '../../src/dns/server-query.ts'
import { startNameServer } from '../../src/sandbox/name-server.ts'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

/** A server that answers each query with the packets that a test makes of it. */
async function serverThat(answer: (query: Packet & { id: number }) => readonly (Packet | Buffer)[]) {
  const socket = createSocket('udp4')
  sockets.push(socket)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (octets, peer) => {
    const query = decode(octets)
    for (const packet of answer({ ...query, id: query.id ?? 0 }))
      socket.send(Buffer.isBuffer(packet) ? packet : encode(packet), peer.port, peer.address)
  })
  return `127.0.0.1:${socket.address().port}`
}

const ask = (server: string, further: object = {}) =>
  queryServer({ server, name: '.', type: 'SOA', timeoutMs: 5_000, tries: 1, ...further })

const response = (query: Packet & { id: number }, flags: number): Packet => ({
  type: 'response',
  id: query.id,
  flags,
  questions: query.questions ?? [],
})

test('a validating server says so, and the signatures come along (RFC 4035 §3.2.1)', async () => {
  const server = await startNameServer(new Map([['', { signed: true }]]))
  const answer = await ask(server.address)
  await server.close()
  expect(answer).toMatchObject({ rcode: 'NOERROR', isValidated: true, durationMs: expect.any(Number) })
  expect(answer?.answers.map(({ type }) => type)).toEqual(['SOA', 'RRSIG'])
})

test('the query asks for validation: RD, AD and DO', async () => {
  let seen: Packet | undefined
  const server = await serverThat((query) => {
    seen = query
    return [response(query, 0)]
  })
  await ask(server)
  expect(seen).toMatchObject({ flag_rd: true, flag_ad: true, additionals: [{ type: 'OPT', flag_do: true }] })
})

test.each([
  ['SERVFAIL', 2],
  ['NXDOMAIN', 3],
  ['REFUSED', 5],
])('%s is an answer', async (rcode, flags) => {
  const server = await serverThat((query) => [response(query, flags)])
  expect(await ask(server)).toMatchObject({ rcode, isValidated: false, answers: [] })
})

test('nonsense, another id, another question and a query sent back are no answers; the next datagram may be', async () => {
  const server = await serverThat((query) => [
    Buffer.from('nonsense'),
    response({ ...query, id: query.id ^ 1 }, 0x20),
    { ...response(query, 0x20), questions: [{ type: 'SOA', name: 'test' }] },
    { ...response(query, 0x20), questions: [{ type: 'A', name: '.' }] },
    { ...response(query, 0x20), questions: [] },
    { ...response(query, 0), type: 'query' },
    response(query, 5),
  ])
  expect(await ask(server)).toMatchObject({ rcode: 'REFUSED', isValidated: false })
})

test('silence is null after the last try', async () => {
  let queries = 0
  const server = await serverThat(() => {
    queries++
    return []
  })
  expect(await ask(server, { timeoutMs: 20, tries: 3 })).toBeNull()
  expect(queries).toBe(3)
})

test('a closed port is said at once', async () => {
  const server = await serverThat(() => [])
  sockets.pop()?.close()
  await expect(ask(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('an abort is the signal’s reason', async () => {
  const stop = new AbortController()
  const server = await serverThat(() => {
    stop.abort(new Error('enough'))
    return []
  })
  await expect(ask(server, { signal: stop.signal })).rejects.toThrow('enough')
})

test.each(['::1', '[::1]:9', '127.0.0.1'])('the server may be written as %s', async (server) => {
  const refused = await ask(server, { timeoutMs: 50 }).catch((error: NodeJS.ErrnoException) => error)
  // Nobody answers there, and the name is not taken for another one.
  expect(refused === null || refused instanceof Error).toBe(true)
  if (refused instanceof Error)
    expect(refused).toMatchObject({ code: expect.not.stringMatching('ENOTFOUND') })
})
