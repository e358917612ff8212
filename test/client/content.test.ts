import { describe, expect, test } from 'vitest'
import { CHUNK_OCTETS, chunksOf, type Piece, stuffedOf, stuffedWhole } from '../../src/client/content.ts'
import { messageFromBytes } from '../../src/mail/message.ts'
import { scripted } from '../support/scripted.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { open } from './open.ts'
import {
  contentOf,
  endedBy,
  smallContent,
  smallMessage,
  smallStuffed,
  streamedMessage,
  transact,
} from './transactions.ts'

async function all(pieces: AsyncIterable<Piece>): Promise<Piece[]> {
  const collected: Piece[] = []
  for await (const piece of pieces) collected.push(piece)
  return collected
}

const sizes = (pieces: readonly Piece[]): number[] => pieces.map(({ octets }) => octets.length)
const together = (pieces: readonly Piece[]): Buffer => Buffer.concat(pieces.map(({ octets }) => octets))

describe('chunks', () => {
  test.each([
    [1, [1]],
    [CHUNK_OCTETS - 1, [CHUNK_OCTETS - 1]],
    [CHUNK_OCTETS, [CHUNK_OCTETS]],
    [CHUNK_OCTETS + 1, [CHUNK_OCTETS, 1]],
    [2 * CHUNK_OCTETS, [CHUNK_OCTETS, CHUNK_OCTETS]],
    [3 * CHUNK_OCTETS + 7, [CHUNK_OCTETS, CHUNK_OCTETS, CHUNK_OCTETS, 7]],
  ])(
    'of %i octets are full but for the last, from memory and from a stream in any parts',
    async (octets, expected) => {
      const content = Buffer.alloc(octets, 'x')
      const parts = (size: number) =>
        Array.from({ length: Math.ceil(octets / size) }, (_, index) =>
          content.subarray(index * size, (index + 1) * size),
        )
      const inMemory = { ...streamedMessage([content]), content }
      for (const message of [
        inMemory,
        ...[octets, 65_536, 100_000].map((size) => streamedMessage(parts(size))),
      ]) {
        const chunks = await all(chunksOf(message))
        expect(sizes(chunks)).toEqual(expected)
        expect(chunks.map(({ last }) => last)).toEqual(
          expected.map((_, index) => index === expected.length - 1),
        )
      }
    },
  )

  test('of many small parts are few: every BDAT costs a reply', async () => {
    const parts = Array.from({ length: 1000 }, (_, index) => Buffer.from(`line ${index}\r\n`))
    const chunks = await all(chunksOf(streamedMessage(parts)))
    expect(chunks.length).toBe(1)
    expect(together(chunks).equals(Buffer.concat(parts))).toBe(true)
  })

  test('of nothing are one, of no octets (RFC 3030 §2: `BDAT 0 LAST`)', async () => {
    expect(await all(chunksOf(streamedMessage([])))).toEqual([{ octets: new Uint8Array(0), last: true }])
    expect(sizes(await all(chunksOf(streamedMessage([new Uint8Array(0), new Uint8Array(0)]))))).toEqual([0])
  })
})

describe('dot-stuffed pieces', () => {
  test('of a message in memory are the same as of one that is streamed in any parts', async () => {
    const fromMemory = await all(stuffedOf(smallMessage))
    expect(together(fromMemory).toString()).toBe(`${smallStuffed}.\r\n`)
    for (let size = 1; size <= smallContent.length; size++) {
      const parts = Array.from({ length: Math.ceil(smallContent.length / size) }, (_, index) =>
        smallContent.subarray(index * size, (index + 1) * size),
      )
      const pieces = await all(stuffedOf(streamedMessage(parts)))
      expect(together(pieces).toString()).toBe(`${smallStuffed}.\r\n`)
      expect(pieces.map(({ last }) => last).indexOf(true)).toBe(pieces.length - 1)
    }
  })

  test('of a large message in memory are bounded, and the last one alone is last', async () => {
    const message = messageFromBytes(contentOf(3 * CHUNK_OCTETS))
    const pieces = await all(stuffedOf(message))
    expect(Math.max(...sizes(pieces))).toBe(CHUNK_OCTETS)
    expect(pieces.map(({ last }) => last).indexOf(true)).toBe(pieces.length - 1)
    expect(together(pieces).subarray(-5).toString()).toBe('\r\n.\r\n')
  })

  test('are made once for all recipients of a message in memory', () => {
    expect(stuffedWhole(smallMessage)).toBe(stuffedWhole(smallMessage))
    expect(stuffedWhole(streamedMessage([smallContent]))).toBeNull()
  })
})

describe('a stream that is not as long as the message said', () => {
  const lying = [
    ['shorter', 10],
    ['longer', -10],
  ] as const

  test.each(lying)('because it is %s is an error before the last piece', async (_how, by) => {
    for (const parts of [[smallContent], [contentOf(CHUNK_OCTETS), contentOf(CHUNK_OCTETS)]]) {
      const honest = streamedMessage(parts)
      for (const piecesOf of [chunksOf, stuffedOf]) {
        const pieces: Piece[] = []
        const reading = async () => {
          for await (const piece of piecesOf(streamedMessage(parts, honest.size + by))) pieces.push(piece)
        }
        await expect(reading()).rejects.toThrow('octets away from its size')
        expect(pieces.every(({ last }) => !last)).toBe(true)
      }
    }
  })

  test('and without end is not read for ever', async () => {
    const endless = {
      ...streamedMessage([]),
      size: 1000,
      async *open() {
        for (;;) {
          await new Promise((resolve) => setImmediate(resolve))
          yield smallContent
        }
      },
    }
    await expect(all(chunksOf(endless))).rejects.toThrow('away from its size')
    await expect(all(stuffedOf(endless))).rejects.toThrow('away from its size')
  })

  test.each(lying)('because it is %s is never ended on the wire, so no peer accepts it', async (_how, by) => {
    for (const offers of [['PIPELINING', 'CHUNKING'], ['PIPELINING'], ['CHUNKING'], []]) {
      const server = await scripted(ordinary({ offers }))
      const session = await open(server)
      const message = streamedMessage([smallContent], smallContent.length + by)
      const end = await transact(session, { message })
      expect(end).toMatchObject({ reply: null, isContentSent: false, error: { name: 'Error' } })
      expect(session.isUsable).toBe(false)
      await server.settled()
      // Nothing that came over the wire was a whole content.
      expect(server.conversation.commands.filter((line) => line.endsWith('LAST'))).toEqual([])
      if (!offers.includes('CHUNKING')) expect(server.conversation.contents).toEqual([])
    }
  })

  test('that cannot be opened is our own trouble', async () => {
    const server = await scripted(ordinary({ offers: ['PIPELINING'] }))
    const cause = new Error('EIO')
    const message = {
      ...streamedMessage([]),
      // biome-ignore lint/correctness/useYield: fails before the first octet
      async *open(): AsyncGenerator<Uint8Array> {
        throw cause
      },
    }
    const session = await open(server)
    expect(await transact(session, { message })).toMatchObject({
      reply: null,
      error: cause,
      isContentSent: false,
    })
  })
})

describe('a large message arrives octet for octet', () => {
  const content = contentOf(5 * 1024 * 1024 + 321)

  test.each([
    ['chunks, on their way while the reply to the one before is awaited', ['PIPELINING', 'CHUNKING']],
    ['chunks, one at a time', ['CHUNKING']],
  ])('in %s, counted exactly (RFC 3030 §2)', async (_how, offers) => {
    const server = await scripted(ordinary({ offers }))
    const session = await open(server)
    for (const message of [
      messageFromBytes(content),
      streamedMessage([content.subarray(0, 99), content.subarray(99)]),
    ]) {
      expect(await transact(session, { message })).toMatchObject(endedBy('end-of-data', 250))
      const { contents } = server.conversation
      expect(Buffer.concat(contents).equals(content)).toBe(true)
      expect(contents.length).toBe(Math.ceil(content.length / CHUNK_OCTETS))
      contents.length = 0
    }
    await session.quit()
    await server.settled()
    const chunks = server.conversation.commands.filter((line) => line.startsWith('BDAT'))
    expect(chunks.filter((line) => line.endsWith(' LAST')).length).toBe(2)
  })

  test('with DATA, once the dots are taken out again', async () => {
    const server = await scripted(ordinary({ offers: ['PIPELINING'] }))
    const session = await open(server)
    for (const message of [
      messageFromBytes(content),
      streamedMessage([content.subarray(0, 64), content.subarray(64)]),
    ]) {
      expect(await transact(session, { message })).toMatchObject(endedBy('end-of-data', 250))
      const [received = Buffer.alloc(0)] = server.conversation.contents.splice(0)
      expect(received.length).toBeGreaterThan(content.length)
      expect(Buffer.from(received.toString('latin1').replace(/^\./gm, ''), 'latin1').equals(content)).toBe(
        true,
      )
    }
    await session.quit()
  })

  test('an empty message is sent as one, whatever may come of it', async () => {
    for (const offers of [['PIPELINING', 'CHUNKING'], ['PIPELINING']]) {
      const server = await scripted(ordinary({ offers }))
      const session = await open(server)
      expect(await transact(session, { message: streamedMessage([]) })).toMatchObject(
        endedBy('end-of-data', 250),
      )
      expect(server.conversation.contents.map(String)).toEqual([''])
      await session.quit()
    }
  })
})
