import { expect, test } from 'vitest'
import { createStreamLog } from '../../src/log/stream-log.ts'
import { verdict } from './sample-events.ts'

const clock = { now: () => 0 }

test('each event is one line at once', async () => {
  const lines: string[] = []
  const log = createStreamLog((line) => lines.push(line), { format: 'json', clock })
  log.write(verdict)
  expect(lines).toEqual([`${JSON.stringify({ time: '1970-01-01T00:00:00.000Z', ...verdict })}\n`])
  log.reopen()
  await log.flush()
  await log.close()
})

test('a stream is written to and left open', async () => {
  const calls: string[] = []
  const stream = { write: (line: string) => calls.push(line), end: () => calls.push('end') }
  const log = createStreamLog(stream, { clock })
  log.write(verdict)
  await log.close()
  expect(calls).toEqual([expect.stringContaining(' to=<bob@example.test> ')])
})
