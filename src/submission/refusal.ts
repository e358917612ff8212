/** A reply that says no: code, enhanced status and words, decided where the reason is known. */

/** The reply codes that submission refuses with. */
export type RefusalCode = 421 | 451 | 452 | 454 | 501 | 530 | 535 | 538 | 550 | 552 | 553 | 554 | 555

/** 552 over the size limit, whether the client says the size in MAIL or only sends it (RFC 1870 §6.1, §6.3). */
export const MESSAGE_TOO_BIG = { status: '5.3.4', text: 'message too big' } as const

/** Status of 452 for the recipients that a transaction has no room for (RFC 5321 §4.5.3.1.10, RFC 3463 §3.6). */
export const TOO_MANY_RECIPIENTS = '4.5.3'

/**
 * Thrown in a transaction, or handed to smtp-server, which sends `responseCode` and `message`. The status stands in the
 * message: smtp-server's own table knows one status for each code (`connection.ts` keeps it from adding that).
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code = 'ERR_SUBMISSION_REFUSED'
  readonly responseCode: RefusalCode
  /** RFC 3463. */
  readonly status: string

  constructor(responseCode: RefusalCode, status: string, text: string, options?: ErrorOptions) {
    super(`${status} ${text}`, options)
    this.responseCode = responseCode
    this.status = status
  }
}
