/**
 * Why a certificate was not verified, or a handshake failed, in words. The codes are OpenSSL's and Node's; what is not
 * listed is shown as it is.
 */

const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain ends in a root that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'the chain lacks an issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the chain lacks an issuer',
  CERT_UNTRUSTED: 'the issuer is not trusted',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  CERT_REVOKED: 'the certificate is revoked',
  INVALID_PURPOSE: 'the certificate is not for a server',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate names another host',
}

/**
 * The `reason` of a session that is encrypted but not verified.
 * @param code what `TLSSocket.authorizationError` holds, a string whatever its type says, or the code of an error
 */
export function verdictReason(code: string): string {
  return reasons[code] ?? code
}

const problems: Readonly<Record<string, string>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server speaks no version of TLS that is still in use',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server speaks no version of TLS that is still in use',
  ERR_SSL_VERSION_TOO_LOW: 'the server speaks no version of TLS that is still in use',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server did not answer with TLS',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the server found no cipher in common',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': 'the server found no cipher in common',
  ERR_SSL_DH_KEY_TOO_SMALL: 'the key of the server is too short',
  ERR_SSL_EE_KEY_TOO_SMALL: 'the key of the server is too short',
}

/**
 * What went wrong in a handshake, for people.
 * @param code the code or message of the error; it is kept, because it is what one looks up
 */
export function handshakeProblem(code: string): string {
  const words = problems[code]
  return words === undefined ? code : `${words} (${code})`
}
