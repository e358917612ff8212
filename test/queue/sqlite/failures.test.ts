import { expect, test } from 'vitest'
import { QueueFullError, QueueUnwritableError } from '../../../src/queue/errors.ts'
import { errorOf, failureOf } from '../../../src/queue/sqlite/failures.ts'

test.each([
  ['ENOSPC', QueueFullError],
  ['EDQUOT', QueueFullError],
  ['EMFILE', QueueFullError],
  ['ENFILE', QueueFullError],
  ['EACCES', QueueUnwritableError],
])('%s of the system is an error of the queue that names directory and cause', (code, kind) => {
  const error = errorOf(failureOf(Object.assign(new Error(`${code}: open`), { code })), '/queue')
  expect(error).toBeInstanceOf(kind)
  expect(error.message).toMatch(new RegExp(`the queue in /queue: ${code}: open$`))
})
