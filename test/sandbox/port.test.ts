import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { Listener } from '../../src/sandbox/listener.ts'
import { type Listening, listenOnOnePort } from '../../src/sandbox/port.ts'

const listening = (ip: string): Listening => {
  const listener = new Listener(createServer())
  return { ip, listen: (port) => listener.listen(port, ip), close: () => listener.close() }
}

const taken = (): Error => Object.assign(new Error('taken'), { code: 'EADDRINUSE' })

test('all listen on the port that the first got', async () => {
  const ports: number[] = []
  const noted = (ip: string): Listening => {
    const one = listening(ip)
    return { ...one, listen: async (port) => ports[ports.push(await one.listen(port)) - 1] ?? 0 }
  }
  const { listening: all, port } = await listenOnOnePort(() => [noted('127.25.0.1'), noted('127.25.0.2')], 0)
  expect(ports).toEqual([port, port])
  await Promise.all(all.map((one) => one.close()))
})

test('when one address has the port taken, all are closed and another port is tried', async () => {
  const closed: number[] = []
  let round = 0
  const make = () => {
    round += 1
    const mine = round
    const refuse = mine < 3
    const one = (bad: boolean): Listening => ({
      ip: '127.25.0.1',
      listen: async () => {
        if (bad) throw taken()
        return 1000 + mine
      },
      close: async () => {
        closed.push(mine)
      },
    })
    return [one(false), one(refuse)]
  }
  expect((await listenOnOnePort(make, 0)).port).toBe(1003)
  expect(closed).toEqual([1, 1, 2, 2])
})

test('a port that was asked for and is taken is an error at once', async () => {
  let rounds = 0
  const make = () => {
    rounds += 1
    return [{ ip: '127.25.0.1', listen: () => Promise.reject(taken()), close: async () => {} }]
  }
  await expect(listenOnOnePort(make, 2525)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(rounds).toBe(1)
})

test('missing loopback addresses are explained', async () => {
  const missing = Object.assign(new Error('no'), { code: 'EADDRNOTAVAIL' })
  const make = () => [{ ip: '127.25.1.1', listen: () => Promise.reject(missing), close: async () => {} }]
  await expect(listenOnOnePort(make, 0)).rejects.toThrow('127.25.1.1')
})
