/** How a sandbox can be started. One rule: options are checked before anything is opened. */
import type { Clock } from '../time/clock.ts'
import type { DialogueLine } from './exchanger.ts'
import type { ZoneEntry } from './zone.ts'

/** How to start a sandbox; everything has a default. */
export interface SandboxOptions {
  /** Directory of the received mail, made if missing and never removed. Default: a new temporary one. */
  readonly mailDir?: string
  /** Remove the temporary mail directory on close. Default false: people want to look at it. */
  readonly removeMail?: boolean
  /** SMTP port of every exchanger. Default: a free one. */
  readonly port?: number
  /**
   * Seconds, from its first attempt on, for which greylists.test defers a recipient. Default 10: short enough to wait
   * for. With 0 the second attempt is accepted.
   */
  readonly greylistSeconds?: number
  /** Seconds that slow.test takes for the greeting and again for a message. Default 1. */
  readonly slowSeconds?: number
  /** Connections that busy.test takes at once. Default 2. */
  readonly maxConnections?: number
  /**
   * Further DNS records, by lower-case name without the final dot; where a domain of the sandbox has that name, they
   * replace its records of the same type.
   */
  readonly records?: Readonly<Record<string, ZoneEntry>>
  /** Where greylisting takes its time from. Default: the system's clock. */
  readonly clock?: Clock
  /** Closes the sandbox when aborted. */
  readonly signal?: AbortSignal
  /** Hears every line of every session, as the exchangers see it; content is left out. */
  readonly onDialogue?: (line: DialogueLine) => void
}

/** A day: far below the 24.8 at which timers overflow, and nobody waits longer. */
const mostSeconds = 86_400

const expectSeconds = (name: string, seconds: number): number => {
  if (seconds >= 0 && seconds <= mostSeconds) return seconds * 1000
  throw new TypeError(`Expected \`${name}\` to be seconds from 0 to ${mostSeconds}, got \`${seconds}\``)
}

const expectWhole = (name: string, number: number, from: number, to: number): number => {
  if (Number.isInteger(number) && number >= from && number <= to) return number
  throw new TypeError(`Expected \`${name}\` to be a whole number from ${from} to ${to}, got \`${number}\``)
}

/** The numbers among the options, checked and in milliseconds. */
export interface Settings {
  readonly greylistMs: number
  readonly slowMs: number
  readonly maxConnections: number
  readonly port: number
}

/** @throws {TypeError} naming the option, what was expected and what was given. */
export const checkOptions = (options: SandboxOptions): Settings => ({
  greylistMs: expectSeconds('greylistSeconds', options.greylistSeconds ?? 10),
  slowMs: expectSeconds('slowSeconds', options.slowSeconds ?? 1),
  maxConnections: expectWhole('maxConnections', options.maxConnections ?? 2, 1, 10_000),
  port: expectWhole('port', options.port ?? 0, 0, 65_535),
})
