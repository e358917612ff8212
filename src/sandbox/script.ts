/**
 * The language in which an exchanger that misbehaves is written down: for each step of a session what it says
 * instead of the proper reply, and what it does then. A step left out keeps the protocol.
 */
import type { CertificateKind } from './certificates.ts'

/** After the reply: close the connection, go silent for ever, or send an octet every now and then. */
export type Afterwards = 'close' | 'wait' | 'drip'

/** What the exchanger does at a step. */
export interface Action {
  /** Lines as they go out, codes and hyphens included, without line ends; none says nothing. */
  readonly lines?: readonly string[]
  readonly afterwards?: Afterwards
  /** At MAIL, RCPT and DATA: the lines are an acceptance, only not the usual one. */
  readonly accepts?: true
  /** At the end of data: the message goes into the mailbox whatever the reply says. */
  readonly keepsMail?: true
}

/** What a step may look at. */
export interface SessionState {
  readonly reversePath: string
  /** The last one that RCPT named. */
  readonly recipient: string
  /** Messages accepted in this session before. */
  readonly transactions: number
}

/** An action, or a choice by the state; `undefined` keeps the protocol. */
export type Step = Action | ((state: SessionState) => Action | undefined)

/** The steps of a session, as RFC 5321 §3 and §4.1.1 name them. */
export type StepName =
  | 'greeting'
  | 'ehlo'
  | 'helo'
  | 'starttls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'bdat'
  | 'end-of-data'

/** How an exchanger behaves. */
export interface Script {
  readonly kind: 'scripted'
  /** Keywords of the EHLO reply, STARTTLS not among them. Default: what Postfix offers, CHUNKING left out. */
  readonly extensions?: readonly string[]
  /** With it STARTTLS is offered. */
  readonly certificate?: CertificateKind
  readonly steps?: Readonly<Partial<Record<StepName, Step>>>
  /** Once more than so many octets of content have come, says this and closes, final dot or not. */
  readonly earlyRefusal?: { readonly afterOctets: number; readonly lines: readonly string[] }
}

/** The usual keywords. */
export const usualExtensions: readonly string[] = [
  'PIPELINING',
  'SIZE 10240000',
  '8BITMIME',
  'ENHANCEDSTATUSCODES',
  'SMTPUTF8',
]

/** Chooses the action of a step. */
export const chooseAction = (script: Script, name: StepName, state: SessionState): Action | undefined => {
  const step = script.steps?.[name]
  return typeof step === 'function' ? step(state) : step
}
