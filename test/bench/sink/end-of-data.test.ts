import { expect, test } from 'vitest'
import { EndOfData } from './end-of-data.ts'

/** Octets of `wire` until the end of data, fed in chunks cut at `cuts`; -1 when there is no end. */
function endOf(wire: string, cuts: readonly number[]): number {
  const search = new EndOfData()
  let before = 0
  for (const cut of [...cuts, wire.length]) {
    const end = search.findEnd(Buffer.from(wire.slice(before, cut), 'latin1'), 0)
    if (end !== -1) return before + end
    before = cut
  }
  return -1
}

const cases: readonly (readonly [title: string, wire: string, end: number])[] = [
  ['content', 'a\r\nb\r\n.\r\nQUIT\r\n', 9],
  ['no content at all', '.\r\nQUIT\r\n', 3],
  ['an empty line before the dot', '\r\n.\r\n', 5],
  ['CRs that lead nowhere', 'a\r\r\r\n.\r\n', 8],
  ['a dot line that goes on', 'a\r\n.\r\r\n.\r\n', 10],
  ['stuffed dots only', 'a\r\n..\r\n...\r\n', -1],
  ['a bare LF before the dot', 'a\n.\r\nb\n.\n', -1],
]

for (const [title, wire, end] of cases) {
  test(`the end of data is found with ${title}, wherever it is cut (RFC 5321 §4.1.1.4)`, () => {
    const found = new Set<number>()
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) found.add(endOf(wire, [first, second]))
    }
    found.add(
      endOf(
        wire,
        Array.from(wire, (_, index) => index),
      ),
    )
    expect([...found]).toEqual([end])
  })
}
