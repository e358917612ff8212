/**
 * What the two kinds of exchanger have in common: `ordinary-exchanger.ts` (smtp-server, keeps the protocol) and
 * `scripted-exchanger.ts` (our own, breaks it on purpose).
 */
import type { Certificates } from './certificates.ts'
import type { Mailroom } from './mailroom.ts'
import type { Listening } from './port.ts'
import type { ExchangerStatistics } from './statistics.ts'

/** One line of a dialogue as the exchanger saw it. */
export interface DialogueLine {
  /** Host name of the exchanger. */
  readonly exchanger: string
  /** Tells sessions apart that run at once. */
  readonly session: string
  readonly from: 'client' | 'server'
  /** Without its line end; octets of the content are not shown. Control characters as they came. */
  readonly line: string
}

/** Where an exchanger stands, and what it needs. */
export interface ExchangerSite {
  readonly host: string
  readonly ip: string
  readonly certificates: Certificates
  readonly mailroom: Mailroom
  /** For the slow one: how long the greeting and the end of data wait. */
  readonly slowMs: number
  /** Aborted when the sandbox closes. */
  readonly signal: AbortSignal
  readonly onDialogue: ((line: DialogueLine) => void) | undefined
}

/** A recipient server. */
export interface RunningExchanger extends Listening {
  readonly host: string
  readonly statistics: ExchangerStatistics
}

/** A refusal: reply code and text. */
export interface Refusal {
  readonly code: number
  readonly text: string
}
