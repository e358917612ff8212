import { WriteStream } from 'node:tty'
import { afterEach, expect, test, vi } from 'vitest'
import { formatJson, paintFor } from '../../src/cli/terminal.ts'

afterEach(() => vi.unstubAllEnvs())

/** As a terminal with 256 colours answers, whatever the tests run in. */
function stream(isTTY: boolean): NodeJS.WriteStream {
  vi.stubEnv('TERM', 'xterm-256color')
  vi.stubEnv('CI', undefined)
  vi.stubEnv('FORCE_COLOR', undefined)
  vi.stubEnv('NODE_DISABLE_COLORS', undefined)
  return Object.assign(Object.create(WriteStream.prototype), { isTTY })
}

test('a terminal gets colour', () => {
  vi.stubEnv('NO_COLOR', undefined)
  expect(paintFor(stream(true))('red', 'failed')).toBe('\u001b[31mfailed\u001b[39m')
})

test('NO_COLOR takes it away', () => {
  vi.stubEnv('NO_COLOR', '1')
  expect(paintFor(stream(true))('red', 'failed')).toBe('failed')
})

test('a pipe or a file gets no colour', () => {
  vi.stubEnv('NO_COLOR', undefined)
  expect(paintFor(stream(false))('red', 'failed')).toBe('failed')
})

test('JSON shows no control character raw and still says the same', () => {
  const value = { text: 'a\u009b31m\u007f\u001b[0m\u202eb\u2066c' }
  const text = formatJson(value)
  expect(text).toBe('{\n  "text": "a\\u009b31m\\u007f\\u001b[0m\\u202eb\\u2066c"\n}')
  expect(JSON.parse(text)).toEqual(value)
})
