import { expect, test } from 'vitest'
import { makeContent, stuff } from './content.ts'

test('content has exactly the octets asked for and only CRLF line ends, wherever its last line is cut', () => {
  for (let octets = 512; octets < 2200; octets++) {
    const content = makeContent(octets)
    expect(content.length).toBe(octets)
    expect(content.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(content.toString('latin1').endsWith('\r\n')).toBe(true)
  }
})

test('content has lines that need a dot, and stuffing gives one to each (RFC 5321 §4.5.2)', () => {
  const content = makeContent(2048)
  const dots = content.toString('latin1').match(/^\./gm)?.length ?? 0
  expect(dots).toBeGreaterThan(0)
  expect(stuff(content).length).toBe(content.length + dots)
  expect(stuff(content).toString('latin1')).not.toMatch(/^\.[^.]/m)
})
