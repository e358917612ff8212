import { expect, test } from 'vitest'
import { OctetBlocks } from '../../src/submission/octet-blocks.ts'

const pieceSizes = [1, 2, 4, 1_000, 16_384, 65_532, 1_048_576, 3_000_001]

test.each(pieceSizes)('what comes in pieces of %i octets comes out in order and whole', (size) => {
  const blocks = new OctetBlocks()
  const whole = Buffer.from(Array.from({ length: 3_000_001 }, (_, index) => (index * 7) % 251))
  for (let at = 0; at < whole.length; at += size) blocks.add(whole.subarray(at, at + size))
  expect(Buffer.compare(blocks.take(), whole)).toBe(0)
  expect([blocks.heldOctets, blocks.take().length]).toEqual([0, 0])
})

test.each(pieceSizes)('pieces of %i octets take at most twice their room, however small they are', (size) => {
  const blocks = new OctetBlocks()
  const piece = Buffer.alloc(size, 0x2e)
  let worst = 0
  for (let added = 0; added < 3_000_000; ) {
    blocks.add(piece)
    added += size
    worst = Math.max(worst, blocks.heldOctets - 2 * added)
  }
  expect(worst).toBeLessThanOrEqual(16_384)
})

test('a piece is copied: what it came in can be used again', () => {
  const blocks = new OctetBlocks()
  const piece = Buffer.from('first')
  blocks.add(piece)
  piece.write('other')
  expect(Buffer.from(blocks.take()).toString()).toBe('first')
})
