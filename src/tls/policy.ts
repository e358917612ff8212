/**
 * How much TLS a session needs, and who said so.
 * One rule: a policy is decided before the connection is opened and never weakened because of what the peer says.
 */

/**
 * - `off`: no STARTTLS.
 * - `opportunistic`: verified, else unverified, else in clear, all in one attempt (RFC 3207, RFC 7435).
 * - `required`: encrypted, with whatever certificate, or deferred (4.7.4).
 * - `verified`: encrypted with a certificate that chains to a trusted CA and names the exchanger, or deferred (4.7.5).
 */
export type TlsMode = 'off' | 'opportunistic' | 'required' | 'verified'

/** What a session to one exchanger has to reach. */
export interface TlsPolicy {
  readonly mode: TlsMode
  /** RFC 8996 ended what is older than 1.2. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Who decided, for people: `configuration`, `mta-sts` … */
  readonly decidedBy: string
}

/** Shall STARTTLS be used where it is offered? */
export function mayEncrypt({ mode }: TlsPolicy): boolean {
  return mode !== 'off'
}

/** May the message travel unencrypted when TLS is not to be had? */
export function mayGoInClear({ mode }: TlsPolicy): boolean {
  return mode === 'off' || mode === 'opportunistic'
}

/** Does a certificate that is not verified end the session? */
export function mustVerify({ mode }: TlsPolicy): boolean {
  return mode === 'verified'
}
