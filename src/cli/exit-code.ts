/**
 * The one place that says with which code the program ends: sysexits.h, as sendmail(8) has used it for decades, so that
 * a calling script can tell "try again" (75) from "give up" (69) and both from "you called me wrong" (64).
 */
import { CommanderError } from 'commander'
import { ConfigError } from '../config/errors.ts'
import type { OutcomeCounts } from '../delivery/running-report.ts'
import type { DoctorReport } from '../doctor/report.ts'
import { LogFileError } from '../log/errors.ts'
import { AddressError } from '../mail/address.ts'
import { AttachmentError } from '../mail/compose-attachments.ts'
import { MessageError } from '../mail/message-error.ts'
import type { Answer } from '../probe/answer.ts'
import { QueueClosedError, QueueError, QueueFullError, QueueLockedError } from '../queue/errors.ts'
import { HandOverError } from '../submission/handover.ts'
import {
  InputDataError,
  InputFileError,
  NotQueuedError,
  NoWayInError,
  StartError,
  UsageError,
} from './errors.ts'

/** Every code a command can end with. */
export const exitCodes = {
  ok: 0,
  /** EX_USAGE: an unknown option, a missing or malformed argument. */
  usage: 64,
  /** EX_DATAERR: input that was read is malformed. */
  dataError: 65,
  /** EX_NOINPUT: a file named as input cannot be read. */
  noInput: 66,
  /** EX_UNAVAILABLE: at least one recipient failed for good; an entry named is not in the queue; a port is not to be had. */
  unavailable: 69,
  /** EX_SOFTWARE: our own defect. */
  software: 70,
  /** EX_CANTCREAT: the log, the queue, or the sandbox's mail directory cannot be written. */
  cannotCreate: 73,
  /** EX_TEMPFAIL: at least one recipient deferred, none failed; or the queue is in use or full just now. */
  temporaryFailure: 75,
  /** EX_CONFIG: the configuration is wrong, or a relay does not take its login. */
  config: 78,
  /** 128 + SIGINT, as shells count. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The code for a finished delivery: one failure outweighs any number of deferrals. */
export function exitCodeOfCounts({ deferred, failed }: OutcomeCounts): ExitCode {
  if (failed > 0) return exitCodes.unavailable
  return deferred > 0 ? exitCodes.temporaryFailure : exitCodes.ok
}

/** The code for answers about targets: one no outweighs any number of those that are not known yet. */
export function exitCodeOfAnswers({ undecided, no }: Readonly<Record<Answer, number>>): ExitCode {
  if (no > 0) return exitCodes.unavailable
  return undecided > 0 ? exitCodes.temporaryFailure : exitCodes.ok
}

/** The code for an examination: one problem outweighs any number of warnings and of checks that cannot tell. */
export function exitCodeOfVerdict(verdict: DoctorReport['verdict']): ExitCode {
  if (verdict === 'unfit') return exitCodes.unavailable
  return verdict === 'doubtful' ? exitCodes.temporaryFailure : exitCodes.ok
}

/** The code for what a command threw. */
export function exitCodeOfError(error: unknown): ExitCode {
  // commander ends with 0 after --help and --version, with 1 after everything that is wrong with the call.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof UsageError) return exitCodes.usage
  // Addresses of arguments were checked before (UsageError): what is left stood in a message that was read.
  if (error instanceof AddressError) return exitCodes.dataError
  if (error instanceof MessageError) return exitCodes.dataError
  if (error instanceof InputDataError) return exitCodes.dataError
  if (error instanceof NotQueuedError) return exitCodes.unavailable
  if (error instanceof InputFileError || error instanceof AttachmentError) return exitCodes.noInput
  if (error instanceof LogFileError) return exitCodes.cannotCreate
  if (error instanceof ConfigError) return exitCodes.config
  if (error instanceof QueueError) return exitCodeOfQueue(error)
  if (error instanceof HandOverError)
    return error.isFinal ? exitCodes.unavailable : exitCodes.temporaryFailure
  if (error instanceof NoWayInError)
    return error.isForbidden ? exitCodes.temporaryFailure : exitCodes.cannotCreate
  if (error instanceof StartError) return error.isFile ? exitCodes.cannotCreate : exitCodes.unavailable
  return exitCodes.software
}

/** What passes by itself, a second daemon or a full disk, is worth another try; the rest is not. */
function exitCodeOfQueue(error: QueueError): ExitCode {
  if (error instanceof QueueFullError || error instanceof QueueLockedError) return exitCodes.temporaryFailure
  return error instanceof QueueClosedError ? exitCodes.software : exitCodes.cannotCreate
}

/** Whether nothing above knows the error: then it is ours to repair, and its stack is worth showing. */
export function isDefect(error: unknown): boolean {
  return exitCodeOfError(error) === exitCodes.software
}

/** Whether the error was printed by whoever threw it. */
export function isReported(error: unknown): boolean {
  return error instanceof CommanderError
}
