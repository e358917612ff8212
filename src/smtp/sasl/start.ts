/** From a mechanism's name to a login under way. */
import { startCramMd5 } from './cram-md5.ts'
import type { Credentials, SaslExchange, SaslMechanism } from './mechanism.ts'
import { startLogin, startPlain, startXoauth2 } from './plain.ts'
import { startScram } from './scram.ts'

/** @param nonce for SCRAM: printable ASCII but the comma, never used before */
export function startSasl(
  mechanism: SaslMechanism,
  credentials: Credentials,
  nonce: () => string,
): SaslExchange {
  switch (mechanism) {
    case 'SCRAM-SHA-256':
      return startScram(credentials, nonce())
    case 'CRAM-MD5':
      return startCramMd5(credentials)
    case 'PLAIN':
      return startPlain(credentials)
    case 'LOGIN':
      return startLogin(credentials)
    case 'XOAUTH2':
      return startXoauth2(credentials)
    default:
      return mechanism satisfies never
  }
}
