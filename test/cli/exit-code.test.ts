import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import {
  InputDataError,
  InputFileError,
  NotQueuedError,
  StartError,
  UsageError,
} from '../../src/cli/errors.ts'
import { exitCodeOfCounts, exitCodeOfError, isDefect } from '../../src/cli/exit-code.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { LogFileError } from '../../src/log/errors.ts'
import { AddressError } from '../../src/mail/address.ts'
import { AttachmentError } from '../../src/mail/compose-attachments.ts'
import { MessageError } from '../../src/mail/message-error.ts'
import {
  QueueClosedError,
  QueueDamagedError,
  QueueFullError,
  QueueLockedError,
  QueueUnwritableError,
} from '../../src/queue/errors.ts'

test.each([
  [{ delivered: 2, deferred: 0, failed: 0 }, 0],
  [{ delivered: 2, deferred: 1, failed: 0 }, 75],
  [{ delivered: 2, deferred: 9, failed: 1 }, 69],
  [{ delivered: 0, deferred: 0, failed: 1 }, 69],
])('%o ends with %i', (counts, code) => {
  expect(exitCodeOfCounts(counts)).toBe(code)
})

test.each([
  [new CommanderError(0, 'commander.version', ''), 0],
  [new CommanderError(1, 'commander.unknownOption', ''), 64],
  [new UsageError('x'), 64],
  [new InputDataError('x'), 65],
  [new AddressError('x', 'y'), 65],
  [new MessageError('x'), 65],
  [new InputFileError('x'), 66],
  [new AttachmentError('x', new Error('y')), 66],
  [new StartError('x', { isFile: false, cause: null }), 69],
  [new StartError('x', { isFile: true, cause: null }), 73],
  [new NotQueuedError('x'), 69],
  [new QueueUnwritableError('/x', 'y'), 73],
  [new QueueDamagedError('/x', 'y'), 73],
  [new QueueFullError('/x', 'y'), 75],
  [new QueueLockedError('/x', 'y'), 75],
  [new QueueClosedError('/x', 'y'), 70],
  [new LogFileError('/x', 'y'), 73],
  [new ConfigError('x'), 78],
  [new TypeError('x'), 70],
  ['no error at all', 70],
])('%o ends with %i', (error, code) => {
  expect(exitCodeOfError(error)).toBe(code)
  expect(isDefect(error)).toBe(code === 70)
})
