/**
 * Errors in the words of nodemailer: `code`, `response`, `responseCode`, `command`, as programs that use its SMTP transport
 * ask for them. One rule: what the peer said is told whole in
 * `response`, and escaped in messages, which people log; what we say ourselves is not dressed up as a reply.
 */
import type { RelayCheck } from '../agent/relay-check.ts'
import { ConfigError } from '../config/errors.ts'
import {
  type Attempt,
  type Cause,
  type Deferred,
  decisiveAttempt,
  type Failed,
  type Stage,
} from '../delivery/outcome.ts'
import type { RelayFailure } from '../delivery/try-relay.ts'
import { escapeText } from '../log/escape.ts'
import { AddressError } from '../mail/address.ts'
import { AttachmentError } from '../mail/compose-attachments.ts'
import { DsnParameterError } from '../mail/dsn-parameters.ts'
import { MessageError } from '../mail/message-error.ts'
import { ConnectError, ConnectionLostError, RemoteProtocolError, TimeoutError } from '../smtp/errors.ts'
import { formatReply } from '../smtp/reply.ts'

/** The codes of nodemailer that occur here. */
export type NodemailerCode =
  | 'EABORT'
  | 'EAUTH'
  | 'ECONFIG'
  | 'ECONNECTION'
  | 'EDNS'
  | 'EENVELOPE'
  | 'EMESSAGE'
  | 'EPROTOCOL'
  | 'EREQUIRETLS'
  | 'ESOCKET'
  | 'ESTREAM'
  | 'ETIMEDOUT'
  | 'ETLS'

/** What is wrong with the mail or with the options: nothing was sent, nobody was connected to. */
export class TransportError extends Error {
  override readonly name: string = 'TransportError'
  readonly code: NodemailerCode
  /** What was being done; `API`: nothing yet. */
  readonly command: string = 'API'

  constructor(code: NodemailerCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Why one recipient was not delivered. */
export class RecipientError extends Error {
  override readonly name = 'RecipientError'
  /** Which of nodemailer's codes fits where it stopped. */
  readonly code: NodemailerCode
  /** The address as it was given. */
  readonly recipient: string
  /** `true`: will not succeed · `false`: may succeed later. */
  readonly permanent: boolean
  /** Lost after the final dot: the message may have arrived, and sending it again may make a duplicate. */
  readonly uncertain: boolean
  /** RFC 3463: the peer's, or ours where it gave none. */
  readonly status: string
  /** The peer's words, where it had any; as they came: escape them before showing. */
  declare readonly response?: string
  /** The code of that reply: 550, 450 and so on. */
  declare readonly responseCode?: number
  /** The command that it stopped at, in nodemailer's words: `API`, `CONN`, `MAIL FROM`, `RCPT TO`, `DATA` … */
  readonly command: string

  constructor(recipient: string, outcome: Failed | Deferred) {
    const { cause } = outcome
    super(
      `Can't send mail to ${recipient}: ${placeOf(decisiveAttempt(outcome))}${escapeText(wordsOf(cause))}`,
      cause.error === undefined ? {} : { cause: cause.error },
    )
    this.recipient = recipient
    this.code = codeOf(cause)
    this.permanent = outcome.kind === 'failed'
    this.uncertain = outcome.kind === 'deferred' && outcome.uncertain
    this.status = cause.status
    this.command = COMMANDS[cause.stage]
    if (cause.reply === undefined) return
    this.response = formatReply(cause.reply)
    this.responseCode = cause.reply.code
  }
}

/** Why a relay is not to be had; what `verify` rejects with. */
export class RelayError extends Error {
  override readonly name = 'RelayError'
  readonly code: NodemailerCode
  /** RFC 3463: the relay's, or ours where it gave none. */
  readonly status: string
  /** The relay's words, where it had any; as they came: escape them before showing. */
  declare readonly response?: string
  /** The code of that reply. */
  declare readonly responseCode?: number
  /** The command that it stopped at, in nodemailer's words. */
  readonly command: string

  constructor({ host, port }: Pick<RelayCheck, 'host' | 'port'>, { cause, attempts }: RelayFailure) {
    const place = placeOf(attempts.at(-1) ?? null)
    super(`Can't use the relay ${host}:${port}: ${place}${escapeText(wordsOf(cause))}`, {
      ...(cause.error === undefined ? {} : { cause: cause.error }),
    })
    this.code = codeOf(cause)
    this.status = cause.status
    this.command = COMMANDS[cause.stage]
    if (cause.reply === undefined) return
    this.response = formatReply(cause.reply)
    this.responseCode = cause.reply.code
  }
}

/** Who said it, or where it happened. */
function placeOf(attempt: Attempt | null): string {
  if (attempt === null) return ''
  const { exchanger, ip, port } = attempt
  return `${exchanger === `[${ip}]` ? '' : `${exchanger} `}[${ip}]:${port}: `
}

function wordsOf({ reply, error, status }: Cause): string {
  return reply === undefined ? (error?.message ?? status) : formatReply(reply)
}

/** nodemailer's names for where a dialogue stopped. */
const COMMANDS: Readonly<Record<Stage, string>> = {
  route: 'API',
  policy: 'API',
  connect: 'CONN',
  greeting: 'CONN',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  auth: 'AUTH',
  mail: 'MAIL FROM',
  rcpt: 'RCPT TO',
  data: 'DATA',
  'end-of-data': 'DATA',
}

const CODES: Readonly<Record<Stage, NodemailerCode>> = {
  route: 'EDNS',
  policy: 'EMESSAGE',
  connect: 'ESOCKET',
  greeting: 'EPROTOCOL',
  ehlo: 'EPROTOCOL',
  starttls: 'ETLS',
  auth: 'EAUTH',
  mail: 'EENVELOPE',
  rcpt: 'EENVELOPE',
  data: 'EENVELOPE',
  'end-of-data': 'EMESSAGE',
}

function codeOf({ stage, status, error, reply }: Cause): NodemailerCode {
  // RFC 7505 §4.1: the domain says that it takes no mail; its name server is in order.
  if (status === '5.1.10') return 'EENVELOPE'
  if (reply !== undefined) return CODES[stage]
  if (error instanceof TimeoutError) return 'ETIMEDOUT'
  if (error instanceof ConnectError) return error.cause === undefined ? 'ETIMEDOUT' : 'ESOCKET'
  if (error instanceof ConnectionLostError) return 'ECONNECTION'
  if (error instanceof RemoteProtocolError) return 'EPROTOCOL'
  return CODES[stage]
}

/** What was thrown before anything was sent, with the code that nodemailer would give it. */
export function withCode(error: unknown, otherwise?: NodemailerCode): unknown {
  if (!(error instanceof Error) || error instanceof TransportError) return error
  const code = codeOfMisuse(error)
  if (code !== null) return new TransportError(code, error.message, { cause: error })
  if (otherwise !== undefined && (error as NodeJS.ErrnoException).code === undefined) {
    return new TransportError(otherwise, error.message, { cause: error })
  }
  return error
}

function codeOfMisuse(error: Error): NodemailerCode | null {
  if (error instanceof AddressError || error instanceof DsnParameterError) return 'EENVELOPE'
  if (error instanceof MessageError || error instanceof AttachmentError) return 'EMESSAGE'
  return error instanceof ConfigError ? 'ECONFIG' : null
}
