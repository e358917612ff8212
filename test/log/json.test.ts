import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatJson } from '../../src/log/json.ts'
import { verdict } from './sample-events.ts'

test('a line is the time and the event as it is', () => {
  const line = formatJson(verdict, 0)
  expect(line).toMatch(/^\{"time":"1970-01-01T00:00:00\.000Z","kind":"verdict",.*\}\n$/)
  expect(JSON.parse(line)).toEqual({ time: '1970-01-01T00:00:00.000Z', ...verdict })
})

test('whatever the peer says, the line parses back to it and holds no control or format character', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('\x7f', '\x9b', '\u202e', '\u2028', '\r', '\n', '\x1b', '"', '\\', '\u{e0041}'),
    }),
  )
  fc.assert(
    fc.property(anyText, (reply) => {
      const line = formatJson({ ...verdict, reply }, 0)
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      expect(line.at(-1)).toBe('\n')
      expect(JSON.parse(line).reply).toBe(reply)
    }),
  )
})

test('a reply of a megabyte does not make a line of a megabyte', () => {
  const line = formatJson({ ...verdict, reply: 'x'.repeat(1_048_576) }, 0)
  expect(line.length).toBeLessThan(3_000)
  expect(JSON.parse(line).reply).toMatch(/x…$/)
})
