/**
 * Logging in with SASL (RFC 4422), the client's side as pure steps: challenge in, response out, no base64 and no wire.
 *
 *   mechanism       what the server can do with what it hears        RFC
 *   SCRAM-SHA-256   nothing, and it has to prove itself too          5802, 7677
 *   CRAM-MD5        guess the password offline                       2195
 *   PLAIN, LOGIN    it has the password                              4616; LOGIN was never more than a draft
 *   XOAUTH2         it has a token, for an hour or so                Google's and Microsoft's own
 *
 * One rule: a mechanism that has not heard all that it must hear is not complete, whatever the server says of success.
 */
import { RemoteProtocolError } from '../errors.ts'

/** Strongest first; a token is no password, so XOAUTH2 is never one of several. */
export const saslMechanisms = ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'XOAUTH2'] as const
/** One of them. */
export type SaslMechanism = (typeof saslMechanisms)[number]

/** Who logs in. */
export interface Credentials {
  readonly user: string
  /** Or the token. */
  readonly password: string
}

/** One login under way. */
export interface SaslExchange {
  /** What may be said before the first challenge; `null` when the server begins. */
  readonly initialResponse: string | null
  /** Answers a challenge. @throws {RemoteProtocolError} it is none of this mechanism, or proves that the server does not know the password */
  respond(challenge: string): Promise<string>
  /** All that the mechanism needs has been said and heard. */
  readonly isComplete: boolean
}

/** Whether the mechanism shows the secret itself to whoever listens. */
export function sendsSecret(mechanism: SaslMechanism): boolean {
  return mechanism !== 'SCRAM-SHA-256' && mechanism !== 'CRAM-MD5'
}

/** A server that keeps asking, or asks what its mechanism does not have. */
export function unexpectedChallenge(mechanism: SaslMechanism): RemoteProtocolError {
  return new RemoteProtocolError(`expected no such challenge of ${mechanism}`)
}
