/** Why a certificate was not verified, in words. The codes are OpenSSL's and Node's; what is not listed is shown as it is. */

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
