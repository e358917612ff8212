/**
 * THE table: what an end of a dialogue means for the recipient. Nothing else decides that.
 *
 *   where                     what                              verdict
 *   connect … starttls        anything (RFC 5321 §5.1)          the next target; none left: deferred
 *   starttls                  broken handshake, clear allowed   the same target again, in clear
 *   auth                      5xx, no way to log in             no further target; deferred
 *   mail, rcpt, data          4xx, lost, too slow, nonsense     the next target; none left: deferred
 *                             5xx                               failed
 *                             530, 534, 535, 538 of a relay     the next target; none left: deferred
 *                                 so at MAIL                    as at auth: no further target; deferred
 *                             530 in clear, STARTTLS offered    the next target; none left: deferred
 *                             452, 552 behind another recipient another transaction (RFC 5321 §4.5.3.1.10)
 *                             421 or lost, session in reuse     the same target again, in a new session
 *   content (BDAT)            500–504                           the same target again, with DATA
 *   content, before its end   lost, too slow, nonsense          the next target; none left: deferred
 *   end-of-data               2xx                               delivered
 *                             4xx                               the next target; none left: deferred
 *                             5xx                               failed
 *                             anything else                     deferred, uncertain, offered to nobody else
 *
 * One rule: a 4xx is never final, and no host's words before a transaction are; nor is what a relay says of our login, which
 * is the operator's to mend and no recipient's fault.
 */
import type { SessionOpenError } from '../client/session-open-error.ts'
import type { TransactionEnd } from '../client/transaction.ts'
import { RouteError, type RouteErrorKind } from '../route/route.ts'
import { type EnhancedStatus, undefinedStatus } from '../smtp/enhanced-status.ts'
import {
  AuthError,
  ConnectError,
  ConnectionLostError,
  LocalProtocolError,
  RemoteProtocolError,
  SmtpError,
  TimeoutError,
  TlsError,
} from '../smtp/errors.ts'
import { formatReply, type Reply } from '../smtp/reply.ts'
import type { Cause, Stage } from './outcome.ts'

/** What to do with the recipient now. */
export type Verdict =
  /** `isDsnPassedOn`: see `Delivered`; not decided here. */
  | { readonly kind: 'delivered'; readonly reply: Reply; readonly isDsnPassedOn?: boolean }
  | { readonly kind: 'failed'; readonly cause: Cause }
  | { readonly kind: 'deferred'; readonly cause: Cause; readonly uncertain: boolean }
  /** This target will not have it now; the next one may. */
  | { readonly kind: 'next-target'; readonly cause: Cause }
  /** It was one recipient too many: in another transaction of the same session. */
  | { readonly kind: 'other-transaction'; readonly cause: Cause }
  /** Nobody is to blame: once more at the same target, in a new session. */
  | { readonly kind: 'again'; readonly cause: Cause; readonly isChunkingBroken: boolean }

/** The circumstances of a transaction. */
export interface TransactionContext {
  /** The session had served another recipient before. */
  readonly isReused: boolean
  /** The peer is a relay, which may ask for a login. Default false. */
  readonly isRelay?: boolean
  /** The session is in clear although the peer offers STARTTLS. Default false. */
  readonly isTlsSpurned?: boolean
  /** Another recipient was accepted before in the same transaction, or refused for a reason of its own. Default false. */
  readonly isFollower?: boolean
}

/** What the end of a transaction means. */
export function classifyTransaction(end: TransactionEnd, context: TransactionContext): Verdict {
  return end.reply === null ? classifyError(end, context.isReused) : classifyReply(end, end.reply, context)
}

function classifyReply(end: TransactionEnd, reply: Reply, context: TransactionContext): Verdict {
  const { stage } = end
  const { isReused, isFollower } = context
  if (reply.code < 300 && stage === 'end-of-data') return { kind: 'delivered', reply }
  if (reply.code < 400) {
    const error = new RemoteProtocolError(`expected a verdict at ${stage}, found ${formatReply(reply)}`)
    return classifyError({ ...end, reply: null, error }, isReused)
  }
  const cause: Cause = { stage, status: statusOf(reply), reply }
  if (isFollower && stage === 'rcpt' && isTooMany(reply)) return { kind: 'other-transaction', cause }
  if (end.isChunkingRefused) return { kind: 'again', cause, isChunkingBroken: true }
  // RFC 5321 §3.8: 421 ends a session that has lasted long enough for the peer; it says nothing of this recipient.
  // 503 in a session in reuse means that the two sides differ about where they are.
  if (isReused && stage !== 'end-of-data' && (reply.code === 421 || reply.code === 503)) {
    return { kind: 'again', cause, isChunkingBroken: false }
  }
  if (isPrivacyWanted(reply, context) || isLoginWanted(reply, context)) return barred(cause, context)
  return { kind: reply.code < 500 ? 'next-target' : 'failed', cause }
}

/** RFC 4954 §6: the login is missing or too weak, whoever the recipient is. */
function isLoginWanted({ code }: Reply, { isRelay }: TransactionContext): boolean {
  return isRelay === true && LOGIN_CODES.has(code)
}

/** RFC 3207 §4: "530 Must issue a STARTTLS command first", where TLS is broken or switched off. */
function isPrivacyWanted({ code }: Reply, { isTlsSpurned }: TransactionContext): boolean {
  return isTlsSpurned === true && code === 530
}

/**
 * The session lacks something, and the recipient nothing. At MAIL it is so for everybody, and told is the step that is to
 * be mended; at RCPT others may have been accepted.
 */
function barred(cause: Cause, { isRelay, isReused }: TransactionContext): Verdict {
  if (cause.stage !== 'mail') return { kind: 'next-target', cause }
  // It took mail before: the login may have run out.
  if (isReused) return { kind: 'again', cause, isChunkingBroken: false }
  return { kind: 'next-target', cause: { ...cause, stage: isRelay === true ? 'auth' : 'starttls' } }
}

/**
 * RFC 5321 §4.5.3.1.10: 452, and 552 of older servers; any code with a status that says it (X.5.3, RFC 3463 §3.6). With
 * another status it may be about the mailbox (§3.2, §3.3).
 */
export function isTooMany({ code, status }: Reply): boolean {
  if (status?.endsWith('.5.3')) return code !== 421
  return (code === 452 || code === 552) && (status === null || !/^\d\.[12]\./.test(status))
}

const LOGIN_CODES: ReadonlySet<number> = new Set([530, 534, 535, 538])

/** The relay will not have us, by this cause, at any of its addresses; a 4xx may pass. */
export function isLoginRefused({ stage, reply, error }: Cause): boolean {
  if (stage !== 'auth') return false
  return reply === undefined ? error instanceof AuthError : reply.code >= 500
}

/**
 * Nobody answered when we connected, so that a fallback relay may help. Not where we are among the exchangers ourselves
 * (5.4.6): the relay might give the mail to us.
 */
export function isUnconnectable(causes: readonly Cause[]): boolean {
  const isNoHost = ({ stage, status }: Cause): boolean => stage === 'route' && status !== ROUTE_STATUS.loop
  return (
    causes.some(({ stage }) => stage === 'connect') &&
    causes.every((cause) => cause.stage === 'connect' || isNoHost(cause))
  )
}

function classifyError(end: TransactionEnd, isReused: boolean): Verdict {
  const error = end.error ?? new ConnectionLostError('the transaction ended without a reply')
  const cause: Cause = { stage: end.stage, status: statusOfError(error), error }
  if (end.isContentSent)
    return { kind: 'deferred', cause: { ...cause, stage: 'end-of-data' }, uncertain: true }
  if (error instanceof LocalProtocolError) return { kind: 'failed', cause: { ...cause, stage: 'policy' } }
  // Our own trouble, such as a message that can no longer be read: no other exchanger can help.
  if (!(error instanceof SmtpError)) return { kind: 'deferred', cause, uncertain: false }
  if (isReused && end.repliesSeen === 0 && error instanceof ConnectionLostError) {
    return { kind: 'again', cause, isChunkingBroken: false }
  }
  return { kind: 'next-target', cause }
}

/** Why there is no session at a target. */
export function causeOfOpening(error: SessionOpenError): Cause {
  const { stage, reply } = error
  // A refused STARTTLS ends a session only where we insist on TLS: the verdict is ours, 421 apart (RFC 5321 §3.8).
  if (reply !== null && stage === 'starttls' && reply.code !== 421) return { stage, status: '4.7.4', reply }
  if (reply !== null) return { stage, status: statusOf(reply), reply }
  const cause = error.cause as Error
  return { stage, status: statusOfError(cause), error: cause }
}

/** Why an address could not be connected to. */
export function causeOfDialling(error: ConnectError): Cause {
  return { stage: 'connect', status: statusOfError(error), error }
}

/** Why there is no way to a domain, or to one of its exchangers. */
export function classifyRoute(error: Error): Cause {
  return { stage: 'route', status: error instanceof RouteError ? ROUTE_STATUS[error.kind] : '4.3.0', error }
}

/** A defect of this program while it served a recipient: nobody is told that the address is bad. */
export function classifyDefect(error: Error): Cause {
  return { stage: 'policy', status: '4.3.0', error }
}

/** The statuses of RFC 3463 §3.2 and §3.5 that say it; 5.1.10 is of RFC 7505 §4.1. */
const ROUTE_STATUS = {
  'no-domain': '5.1.2',
  'null-mx': '5.1.10',
  dns: '4.4.3',
  loop: '5.4.6',
  'no-address': '4.4.4',
  forbidden: '4.4.4',
} as const satisfies Record<RouteErrorKind, EnhancedStatus>

/** The peer's status, or the class alone where it gave none that agrees with its code (RFC 2034 §4). */
export function statusOf(reply: Reply): EnhancedStatus {
  return reply.status ?? undefinedStatus(reply.code)
}

function statusOfError(error: Error): EnhancedStatus {
  if (error instanceof ConnectError) return '4.4.1'
  if (error instanceof ConnectionLostError || error instanceof TimeoutError) return '4.4.2'
  if (error instanceof RemoteProtocolError) return '4.5.0'
  if (error instanceof AuthError) return AUTH_STATUS[error.kind]
  if (error instanceof TlsError) return error.kind === 'certificate' ? '4.7.5' : '4.7.4'
  if (error instanceof LocalProtocolError) return '5.5.0'
  return '4.3.0'
}

/** RFC 3463 §3.8: X.7.4, not supported; §3.4: X.3.5, wrongly configured; X.7.11 is of RFC 4954 §6. */
const AUTH_STATUS = {
  unavailable: '4.7.4',
  plaintext: '4.7.11',
  secret: '4.3.5',
} as const satisfies Record<AuthError['kind'], EnhancedStatus>

/** Later stages say more about the recipient; of several causes the one that got furthest is told. */
const STAGE_ORDER: readonly Stage[] = [
  'route',
  'policy',
  'connect',
  'greeting',
  'ehlo',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'end-of-data',
]

/**
 * The verdict when no target is left: failed only if we know of each that it will not do later either (a loop, a
 * message that it cannot take); else deferred. Told is the cause that got furthest, the later of equals.
 */
export function classifyExhausted(causes: readonly Cause[]): {
  readonly kind: 'failed' | 'deferred'
  readonly cause: Cause
} {
  const temporary = causes.filter((cause) => !isOurFinalWord(cause))
  if (temporary.length > 0) return { kind: 'deferred', cause: telling(temporary) }
  if (causes.length > 0) return { kind: 'failed', cause: telling(causes) }
  const error = new ConnectError('no exchanger was left to ask')
  return { kind: 'deferred', cause: { stage: 'connect', status: '4.4.1', error } }
}

// A 5xx that a host says before a transaction is its opinion of the session, and has a reply.
function isOurFinalWord(cause: Cause): boolean {
  return cause.reply === undefined && cause.status.startsWith('5')
}

function telling(causes: readonly Cause[]): Cause {
  return causes.reduce((best, cause) =>
    STAGE_ORDER.indexOf(cause.stage) >= STAGE_ORDER.indexOf(best.stage) ? cause : best,
  )
}
