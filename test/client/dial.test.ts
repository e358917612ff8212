import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type DialOptions, type DialResult, dial } from '../../src/client/dial.ts'
import type { Target } from '../../src/route/targets.ts'
import { ConnectError } from '../../src/smtp/errors.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { silence } from '../support/scripted-steps.ts'
import { deadAddress } from './dead-address.ts'
import { targetOf } from './open.ts'

/** Long enough for any machine; a test that waits for it fails. */
const LONG_MS = 60_000

async function listening(address = '127.0.0.1'): Promise<ScriptedServer> {
  return scripted([{ reply: '220 hi' }, silence], { address })
}

async function dead(address = '127.0.0.1'): Promise<Target> {
  const listener = await deadAddress(address)
  onTestFinished(() => listener[Symbol.asyncDispose]())
  return targetOf(listener, 'dead.example.test')
}

/** A port on which nobody listens any more. */
async function refusing(address = '127.0.0.1'): Promise<Target> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return targetOf({ address, port }, 'refusing.example.test')
}

/** Dials and hangs up. */
async function dialOut(targets: readonly Target[], options: Partial<DialOptions> = {}): Promise<DialResult> {
  const result = await dial(targets, { connectMs: LONG_MS, ...options })
  result.connected?.socket.destroy()
  return result
}

test('the first address that answers is connected to, and nothing else is dialled', async () => {
  const first = targetOf(await listening())
  const second = targetOf(await listening())
  const dialled: Target[] = []
  const { connected, failures } = await dialOut([first, second], { onDial: (target) => dialled.push(target) })
  expect(connected?.target).toBe(first)
  expect(failures).toEqual([])
  expect(dialled).toEqual([first])
})

test('what the peer says at once is not lost', async () => {
  const { connected } = await dial([targetOf(await listening())], { connectMs: LONG_MS })
  const octets = await new Promise<string>((resolve) => {
    if (connected !== null) connected.reader.onOctets = (chunk) => resolve(Buffer.from(chunk).toString())
  })
  expect(octets).toBe('220 hi\r\n')
  connected?.socket.destroy()
})

test('an address that refuses is a failure, and the next one is dialled (RFC 5321 §5.1)', async () => {
  const bad = await refusing()
  const good = targetOf(await listening())
  const { connected, failures } = await dialOut([bad, good])
  expect(connected?.target).toBe(good)
  expect(failures.map(({ target, error }) => [target, error.message])).toEqual([
    [bad, 'connection refused (ECONNREFUSED)'],
  ])
  expect(failures[0]?.error).toBeInstanceOf(ConnectError)
})

test('when every address fails, each failure is reported in the order dialled', async () => {
  const targets = [await refusing(), await refusing('127.0.0.2'), await refusing('::1')]
  const { connected, failures } = await dialOut(targets)
  expect(connected).toBeNull()
  expect(failures.map(({ target }) => target)).toEqual(targets)
})

test('without an address there is nothing to connect to', async () => {
  expect(await dialOut([])).toEqual({ connected: null, failures: [] })
})

test('an address that does not answer is a failure when its time is up', async () => {
  const silent = await dead()
  const { connected, failures } = await dialOut([silent], { connectMs: 100 })
  expect(connected).toBeNull()
  expect(failures.map(({ error }) => error.message)).toEqual(['no answer within 100 ms'])
})

test('an address that does not answer is not waited for: the next one is raced against it (RFC 8305 §5)', async () => {
  const silent = await dead('127.0.0.3')
  const good = targetOf(await listening())
  const dialled: Target[] = []
  const { connected, failures } = await dialOut([silent, good], { onDial: (target) => dialled.push(target) })
  expect(connected?.target).toBe(good)
  expect(dialled).toEqual([silent, good])
  expect(failures).toEqual([])
})

test('a failure behind a silent address leads to the next one at once, not after another delay', async () => {
  const silent = await dead()
  const [bad, good] = [await refusing(), targetOf(await listening())]
  const { connected, failures } = await dialOut([silent, bad, good])
  expect(connected?.target).toBe(good)
  expect(failures.map(({ target }) => target)).toEqual([bad])
})

test('an address that is raced wins if it answers, and the other connection is dropped', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const first = await listening()
  const second = await listening('127.0.0.2')
  const dialled: string[] = []
  const result = dial([targetOf(first), targetOf(second)], {
    connectMs: LONG_MS,
    onDial: ({ ip }) => dialled.push(ip),
  })
  // Both SYNs are out before either answer can be seen.
  vi.advanceTimersByTime(250)
  const { connected } = await result
  expect(dialled).toEqual(['127.0.0.1', '127.0.0.2'])
  const winner = connected?.target.ip === '127.0.0.1' ? first : second
  const loser = winner === first ? second : first
  // The winner stays, whoever lost is gone (if it got as far as being accepted).
  await loser.settled()
  expect(loser.conversations.every(({ ending }) => ending !== 'open')).toBe(true)
  expect(connected?.socket.destroyed).toBe(false)
  connected?.socket.destroy()
  await winner.settled()
})

test('an abort rejects with its reason and drops what is being dialled', async () => {
  const silent = await dead()
  const controller = new AbortController()
  const reason = new Error('given up')
  const result = dial([silent, silent], {
    connectMs: LONG_MS,
    signal: controller.signal,
    onDial: () => queueMicrotask(() => controller.abort(reason)),
  })
  await expect(result).rejects.toBe(reason)
})

test('nothing is dialled for who has given up before', async () => {
  const reason = new Error('given up')
  const onDial = vi.fn()
  const result = dial([await refusing()], { connectMs: LONG_MS, signal: AbortSignal.abort(reason), onDial })
  await expect(result).rejects.toBe(reason)
  expect(onDial).not.toHaveBeenCalled()
})

test('an abort after the connection is open does not touch it, nor hold on to it', async () => {
  const server = await listening()
  const controller = new AbortController()
  const remove = vi.spyOn(controller.signal, 'removeEventListener')
  const { connected } = await dial([targetOf(server)], { connectMs: LONG_MS, signal: controller.signal })
  controller.abort()
  expect(connected?.socket.destroyed).toBe(false)
  expect(remove).toHaveBeenCalledTimes(1)
  connected?.socket.destroy()
})

test('the socket is bound to a source address of the family of its target', async () => {
  const [v4, v6] = [await listening(), await listening('::1')]
  const sourceAddresses = ['127.0.0.9', '::1']
  await dialOut([targetOf(v4)], { sourceAddresses })
  await dialOut([targetOf(v6)], { sourceAddresses })
  await vi.waitFor(() => expect(v4.conversations.length + v6.conversations.length).toBe(2))
  expect(v4.conversation.remoteAddress).toBe('127.0.0.9')
  expect(v6.conversation.remoteAddress).toBe('::1')
})

test('several source addresses are used in turn', async () => {
  const server = await listening()
  for (let time = 0; time < 4; time++) {
    await dialOut([targetOf(server)], { sourceAddresses: ['127.0.0.7', '127.0.0.8'] })
  }
  await vi.waitFor(() => expect(server.conversations.length).toBe(4))
  const sources = server.conversations.map(({ remoteAddress }) => remoteAddress)
  expect(sources.toSorted()).toEqual(['127.0.0.7', '127.0.0.7', '127.0.0.8', '127.0.0.8'])
})

test('a source address that this host has not is a failure that says so', async () => {
  // 192.0.2.0/24 is for documentation (RFC 5737) and is nobody's; binding to it sends nothing.
  const { connected, failures } = await dialOut([targetOf(await listening())], {
    sourceAddresses: ['192.0.2.1'],
  })
  expect(connected).toBeNull()
  expect(failures[0]?.error.message).toBe('source address not available on this host (EADDRNOTAVAIL)')
})

test('the local address of the connection is told, of IPv4 and of IPv6', async () => {
  const [v4, v6] = [targetOf(await listening()), targetOf(await listening('::1'))]
  expect((await dialOut([v4], { sourceAddresses: ['127.0.0.9'] })).connected?.localAddress).toBe('127.0.0.9')
  expect((await dialOut([v4])).connected?.localAddress).toBe('127.0.0.1')
  expect((await dialOut([v6])).connected?.localAddress).toBe('::1')
})

test('the preferred source address is taken out of turn, time after time', async () => {
  const target = targetOf(await listening())
  const options = { sourceAddresses: ['127.0.0.7', '127.0.0.8', '127.0.0.9'], preferredSource: '127.0.0.8' }
  for (let time = 0; time < 3; time++) {
    expect((await dialOut([target], options)).connected?.localAddress).toBe('127.0.0.8')
  }
})

test('a preferred source address is not bound to where it is not configured', async () => {
  const target = targetOf(await listening())
  const preferredSource = '127.0.0.8'
  expect((await dialOut([target], { preferredSource })).connected?.localAddress).toBe('127.0.0.1')
  const configured = { sourceAddresses: ['127.0.0.7'], preferredSource }
  expect((await dialOut([target], configured)).connected?.localAddress).toBe('127.0.0.7')
})
