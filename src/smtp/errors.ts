/**
 * The ways an SMTP dialogue can fail, one class each, with a stable `code`. Thrown by the client; what they mean for mail
 * is decided in `delivery/classify` alone. Messages carry no credentials; text of the peer in them is escaped where it is
 * shown.
 */

/** Base of everything the client throws about a peer. */
export abstract class SmtpError extends Error {
  abstract readonly code: string
}

/** No connection: refused, unreachable, no answer within the limit. */
export class ConnectError extends SmtpError {
  override readonly name = 'ConnectError'
  readonly code = 'ERR_SMTP_CONNECT'
}

/** The connection ended while a reply was owed. */
export class ConnectionLostError extends SmtpError {
  override readonly name = 'ConnectionLostError'
  readonly code = 'ERR_SMTP_CONNECTION_LOST'
}

/** A step did not end within its time limit. */
export class TimeoutError extends SmtpError {
  override readonly name = 'TimeoutError'
  readonly code = 'ERR_SMTP_TIMEOUT'
  /** The limit that was exceeded, in milliseconds. */
  readonly limitMs: number

  constructor(step: string, limitMs: number) {
    super(`no end of ${step} within ${limitMs} ms`)
    this.limitMs = limitMs
  }
}

/** The TLS handshake failed, or what it gave does not satisfy the policy. */
export class TlsError extends SmtpError {
  override readonly name = 'TlsError'
  readonly code = 'ERR_SMTP_TLS'
  /** `unavailable`: not offered or refused · `handshake`: broken · `certificate`: not accepted. */
  readonly kind: 'unavailable' | 'handshake' | 'certificate'

  constructor(kind: TlsError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** We did not log in, and it was not the peer that refused. */
export class AuthError extends SmtpError {
  override readonly name = 'AuthError'
  readonly code = 'ERR_SMTP_AUTH'
  /**
   * `unavailable`: the peer offers nothing that we may use · `plaintext`: only what shows the password, and no TLS ·
   * `secret`: our password cannot be read.
   */
  readonly kind: 'unavailable' | 'plaintext' | 'secret'

  constructor(kind: AuthError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** The peer broke the protocol; the session is dropped, never reset. */
export class RemoteProtocolError extends SmtpError {
  override readonly name = 'RemoteProtocolError'
  readonly code = 'ERR_SMTP_REMOTE_PROTOCOL'
}

/** We were about to break the protocol: a defect of this program or of its caller's values. */
export class LocalProtocolError extends SmtpError {
  override readonly name = 'LocalProtocolError'
  readonly code = 'ERR_SMTP_LOCAL_PROTOCOL'
}
