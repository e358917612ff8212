/**
 * What it takes to listen where strangers can come: encryption, and knowing who they are.
 * One rule: an address that lacks either is not listened at, so that there is no open relay to be found later.
 */
import { ConfigError } from '../config/errors.ts'
import type { Authenticator } from './authentication.ts'
import { formatListenAddress, type ListenAddress } from './listen-address.ts'

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Both that a public address needs. */
export interface Protection {
  readonly certificate: Certificate
  readonly authenticator: Authenticator
}

/** Both, or what is there of them. @throws {ConfigError} naming the address and what it lacks */
export function requireProtection(
  address: ListenAddress,
  { certificate, authenticator }: { readonly [part in keyof Protection]: Protection[part] | undefined },
): Protection {
  if (certificate !== undefined && authenticator !== undefined) return { certificate, authenticator }
  const lacks = [
    ...(certificate === undefined ? ['a certificate for STARTTLS'] : []),
    ...(authenticator === undefined ? ['a users file for AUTH'] : []),
  ]
  throw new ConfigError(
    `submission.listen: ${formatListenAddress(address)} can be reached from other hosts, and lacks ${lacks.join(' and ')}: ` +
      'anyone could send mail through it. Listen at 127.0.0.1 or [::1] only, or configure both',
  )
}
