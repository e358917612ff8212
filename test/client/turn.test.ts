import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { nextTurn } from '../../src/client/turn.ts'

test('what a socket has received by now is seen before the wait ends', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ]
  for (let time = 0; time < 20; time++) {
    let seen = ''
    client.once('data', (octets: Buffer) => {
      seen = octets.toString()
    })
    peer.write('421')
    await nextTurn()
    expect(seen).toBe('421')
  }
  client.destroy()
  peer.destroy()
  server.close()
})

test('one wait serves all who ask in the same turn, and the next turn has its own', async () => {
  const order: string[] = []
  const first = nextTurn().then(() => order.push('first'))
  const second = nextTurn().then(() => order.push('second'))
  await Promise.all([first, second])
  await nextTurn().then(() => order.push('third'))
  expect(order).toEqual(['first', 'second', 'third'])
})
