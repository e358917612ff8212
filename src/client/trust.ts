/** The TLS client that the settings ask for. One rule: a file of certificates that cannot be used is found out at once. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from '../config/errors.ts'
import type { Settings } from '../config/settings.ts'
import { TlsClient } from './tls.ts'

/**
 * Makes the client, with the CAs of the settings' file beside the well-known ones.
 * @param options see `TlsClient`
 * @throws {ConfigError} the file cannot be read, or holds no certificate.
 */
export function tlsClientFor(
  { caFile, minVersion }: Pick<Settings['tls'], 'caFile' | 'minVersion'>,
  options: { readonly inspects?: boolean } = {},
): TlsClient {
  if (caFile === null) return new TlsClient({ minVersion, ...options })
  try {
    const ca = readFileSync(caFile, 'utf8')
    // Node takes a file without a certificate for one with none to add, and nothing would ever be verified.
    new X509Certificate(ca)
    return new TlsClient({ minVersion, ca: [ca], ...options })
  } catch (cause) {
    throw new ConfigError(
      `Expected \`tls.caFile\` to name a readable file of PEM certificates, found ${caFile}: ${(cause as Error).message}`,
      { cause },
    )
  }
}
