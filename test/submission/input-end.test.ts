import { expect, test } from 'vitest'
import { readMessage } from '../../src/submission/input-end.ts'

const read = async (text: string, endsAtDot: boolean, size = text.length || 1) => {
  async function* chunks() {
    for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size))
  }
  return Buffer.from(await readMessage(chunks(), { endsAtDot })).toString()
}

test.each([
  ['a\nb\n.\nnot read\n', 'a\nb\n'],
  ['a\r\n.\r\nnot read', 'a\r\n'],
  ['.\n', ''],
  ['a\n.', 'a\n'],
  ['a\n.\r', 'a\n'],
  ['a\n..\n.b\n c.\n', 'a\n..\n.b\n c.\n'],
  ['a\n.\r\r\nb', 'a\n.\r\r\nb'],
  ['a.\nb', 'a.\nb'],
  ['', ''],
])('%j ends at a dot alone, however it is cut', async (text, expected) => {
  for (const size of [1, 2, 3, text.length || 1]) expect(await read(text, true, size)).toBe(expected)
})

test('with -i a dot alone is a line like any other', async () => {
  expect(await read('a\n.\nb\n', false)).toBe('a\n.\nb\n')
})

test('nothing is read behind the dot: a person at a terminal need not say more', async () => {
  async function* typed() {
    yield Buffer.from('hi\n.\n')
    throw new Error('read on')
  }
  expect(Buffer.from(await readMessage(typed(), { endsAtDot: true })).toString()).toBe('hi\n')
})

test('of input without an end no more is read than the limit and a piece', async () => {
  let pieces = 0
  async function* endless() {
    for (;;) {
      pieces += 1
      yield Buffer.alloc(1_000)
    }
  }
  expect(await readMessage(endless(), { endsAtDot: false, limitOctets: 4_500 })).toHaveLength(5_000)
  expect(pieces).toBe(5)
})
