/** Every relay of the options tried in turn. One rule: a relay that stands there twice with one login is asked once. */
import type { RelaySettings } from '../config/relay-settings.ts'
import type { Settings } from '../config/settings.ts'
import type { RelayFailure } from '../delivery/try-relay.ts'
import type { Exchanger } from '../route/exchangers.ts'
import { relayExchanger } from '../route/static-routes.ts'

/** One relay, and whether it would take mail from us. */
export interface RelayCheck {
  readonly host: string
  readonly port: number
  /** Where it stopped; `null` when a session was opened, logged in where there is a login, and ended. */
  readonly failure: RelayFailure | null
}

/** One after the other: some relays count logins. @param open what it throws, this does */
export async function checkEachRelay(
  settings: Pick<Settings, 'routes' | 'relay' | 'fallbackRelay'>,
  open: (exchanger: Exchanger) => Promise<RelayFailure | null>,
): Promise<readonly RelayCheck[]> {
  const checks: RelayCheck[] = []
  for (const relay of relaysOf(settings)) {
    const { host, port } = relay
    checks.push({ host, port, failure: await open(relayExchanger(relay)) })
  }
  return checks
}

function relaysOf({
  routes,
  relay,
  fallbackRelay,
}: Parameters<typeof checkEachRelay>[0]): Iterable<RelaySettings> {
  const relays = new Map<string, RelaySettings>()
  for (const one of [relay, fallbackRelay, ...Object.values(routes)]) {
    if (one === null || typeof one === 'string') continue
    const name = `${one.host}:${one.port} ${one.login?.user ?? ''}`
    if (!relays.has(name)) relays.set(name, one)
  }
  return relays.values()
}
