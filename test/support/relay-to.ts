/** A relay as `config/relay-settings.ts` makes it. */
import type { RelayForDomains } from '../../src/config/relay-settings.ts'

/** Settings of a relay for all mail, as they are where only its host is configured. */
export function relayTo(host: string, more: Partial<RelayForDomains> = {}): RelayForDomains {
  return {
    host,
    port: 587,
    isTlsImplicit: false,
    tlsMode: 'verified',
    login: null,
    recipientsPerTransaction: 50,
    domains: ['*'],
    ...more,
  }
}
