/**
 * What of the settings `config/` leaves to be checked: routes, because only `route/` above it knows what is one, and that
 * every password can be read.
 */
import { readSecret } from '../config/secret.ts'
import type { Settings } from '../config/settings.ts'
import { createStaticRoutes, relayExchanger } from '../route/static-routes.ts'

/**
 * Reads every password once, so that one that is missing is found before anything is connected to; kept is none.
 * @throws {ConfigError}
 */
export async function checkSecrets({ routes, relay, fallbackRelay }: Relays): Promise<void> {
  const relays = [relay, fallbackRelay, ...Object.values(routes)]
  for (const one of relays) {
    if (typeof one === 'string' || !one?.login) continue
    // A program's function may ask a server for a token; it is called when somebody logs in.
    if (one.login.secret.kind !== 'program') await readSecret(one.login.secret)
  }
}

type Relays = Pick<Settings, 'routes' | 'relay' | 'fallbackRelay'>

/** @throws {TypeError} for a route, a relay or a pattern that is none; the message names option and text. */
export function checkRoutes({ routes, relay, fallbackRelay }: Relays): void {
  createStaticRoutes({ routes, relay, defaultPort: 25 })
  if (fallbackRelay !== null) relayExchanger(fallbackRelay)
}
